"""Reads traces of MLflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.mlflow.traces import about_trace, read_trace
from traceloc_plugins.spans.assembly import assemble
from traceloc_plugins.spans.collecting import collect
from traceloc_plugins.spans.dialects import dialect_of

_ROW = re.compile(r'\s*\{\s*"info"\s*:\s*\{\s*"(?:trace|request)_id"')


class MLflowLoader:
    """``Trace.to_json()`` of versions 2 and 3, lists and lines of them, ``search_traces`` rows."""

    name = "mlflow"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "record the inputs of the outermost span",
        "agents": 'name agents in the framework, or use `@mlflow.trace(name=…, span_type="AGENT")`',
        "instructions": "use `mlflow.<framework>.autolog()`, which records the messages of each "
        "model call",
        "schemas": "use the `autolog()` of a flavor that writes `mlflow.chat.tools`, such as "
        "`mlflow.openai`",
        "calls": 'use `mlflow.<framework>.autolog()`, or `@mlflow.trace(span_type="TOOL")` at '
        "your tools",
        "results": 'use `mlflow.<framework>.autolog()`, or `@mlflow.trace(span_type="TOOL")` at '
        "your tools",
        "inputs": "use `mlflow.<framework>.autolog()`, which records the inputs of each model call",
        "outcome": 'assess the trace: `mlflow.log_feedback(trace_id=…, name="correctness", '
        "value=True)`",
        "usage": "use the `autolog()` of a flavor that writes `mlflow.chat.tokenUsage`",
    }

    def sniff(self, head: Head) -> float:
        """The info of a trace beside its spans, or a row that holds both."""
        return max((_score(record) for record in head.records[:3]), default=0.0)

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace per trace id."""
        for found in collect(sources, Source.documents, read_trace, scattered=False):
            builder = TraceBuilder(format=self.name, source=found.path)
            trace = assemble(
                builder,
                found.trace_id,
                list(found.spans.values()),
                dialect_of=dialect_of,
                envelope=found.envelope,
                about=about_trace(builder, found.facts),
                repeated=found.repeated,
            )
            if trace.steps:
                yield trace


def _score(record: dict[str, Any]) -> float:
    info, data = record.get("info"), record.get("data")
    if isinstance(info, dict) and {"trace_id", "request_id"} & info.keys():
        # The data comes last and may lie beyond what is looked at.
        known = {"trace_metadata", "request_metadata", "trace_location", "state", "status"}
        if known & info.keys():
            return 0.97 if data is None or isinstance(data, dict) else 0.0
    text = record.get("trace")
    if isinstance(text, str) and _ROW.match(text):  # one long text, in which the file may be cut
        return 0.96 if {"trace_id", "request_id"} & record.keys() else 0.0
    if "trace_id" in record and {"trace_metadata", "request_metadata"} & record.keys():
        return 0.96 if {"spans", "trace", "state", "request"} & record.keys() else 0.0
    return 0.0
