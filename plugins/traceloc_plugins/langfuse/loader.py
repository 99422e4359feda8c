"""Reads traces exported from Langfuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.langfuse.observations import is_observation, read_export, trace_as_span
from traceloc_plugins.langfuse.traces import about_trace
from traceloc_plugins.spans.assembly import assemble
from traceloc_plugins.spans.collecting import collect
from traceloc_plugins.spans.dialects import dialect_of


class LangfuseLoader:
    """Traces of the API, of the user interface's download, and rows of observations."""

    name = "langfuse"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "record the input of the trace or of its outermost observation",
        "agents": 'record agents as observations with `as_type="agent"`, or use the framework\'s '
        "integration",
        "instructions": "export `io` of the observations; where a request was recorded, its "
        "system message is there",
        "schemas": "record the request with its `tools`, as the integrations of model clients do",
        "calls": 'record tools as observations with `as_type="tool"`, or whole responses of the '
        "model",
        "results": 'record tools as observations with `as_type="tool"`, or whole requests to the '
        "model",
        "inputs": "export `io` of the observations (`fields=core,basic,io,…` of the v2 API)",
        "outcome": 'score the trace: `create_score(trace_id=…, name="correctness", value=1)`',
        "usage": "export `usage` of the observations (`fields=core,basic,io,usage,…` of the v2 "
        "API)",
    }

    def sniff(self, head: Head) -> float:
        """A trace beside its observations, or rows that name their parent observation."""
        return max((_score(record) for record in head.records[:3]), default=0.0)

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace per trace id."""
        for found in collect(sources, Source.documents, read_export):
            builder = TraceBuilder(format=self.name, source=found.path)
            spans = list(found.spans.values())
            about = about_trace(builder, found.facts, spans)
            if not spans:
                spans = [trace_as_span(found.trace_id, found.facts)]
                builder.note(
                    "missing",
                    "the observations of the trace are not in the file; export them with "
                    "GET /api/public/v2/observations?traceId=ID&fields=core,basic,io,model,usage",
                )
            trace = assemble(
                builder,
                found.trace_id,
                spans,
                dialect_of=dialect_of,
                envelope=found.envelope,
                about=about,
                repeated=found.repeated,
            )
            if trace.steps:
                yield trace


def _score(record: dict[str, Any]) -> float:
    observations = record.get("observations")
    if isinstance(observations, list):
        known = not observations or is_observation(observations[0])
        if isinstance(record.get("trace"), dict):
            return 0.97 if known else 0.0
        if isinstance(next(iter(observations), None), str):
            return 0.9 if {"id", "timestamp", "projectId"} <= record.keys() else 0.0
        return 0.95 if known and {"id", "timestamp"} <= record.keys() else 0.0
    if is_observation(record):
        return 0.95
    rows = record.get("data")
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return 0.95 if is_observation(rows[0]) or _score(rows[0]) else 0.0
    return 0.0
