"""Reads OpenTelemetry traces of agent runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Diagnostic, Trace
from traceloc_plugins.otel import parquet, protobuf
from traceloc_plugins.otel.containers import is_trace, read_spans
from traceloc_plugins.spans.assembly import assemble
from traceloc_plugins.spans.collecting import collect, trace_ids
from traceloc_plugins.spans.dialects import dialect_of

_ROOTS = frozenset(
    {"resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "scopeSpans"}
    | {"scope_spans", "instrumentationLibrarySpans"}
)

_HEADER = 20_000
"""Characters of a table's first line that are looked at."""


class OTelLoader:
    """OTLP, console, flat, Phoenix, Jaeger, Tempo and TRAIL exports in all GenAI dialects."""

    name = "otel"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "switch contents on; where they are, nobody asked anything",
        "agents": "name the agents in the framework: spans bear `gen_ai.agent.name` or "
        "`agent.name`",
        "instructions": "switch contents on: with "
        "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental most write them",
        "schemas": "use OpenInference or OpenLLMetry; Strands takes gen_ai_tool_definitions in "
        "OTEL_SEMCONV_STABILITY_OPT_IN",
        "calls": "switch contents on; where they are, the run made no call",
        "results": "switch contents on; where they are, the run made no call",
        "inputs": "switch contents on: prompts say what each model call was given",
        "usage": "instrument the model's client too, such as with "
        "`openinference-instrumentation-openai`",
    }

    def sniff(self, head: Head) -> float:
        """OTLP's own keys are unique; a flat span needs an id of span and trace and attributes."""
        if head.data.startswith(parquet.MAGIC):
            # The names of the columns stand at the end, which only a small file shows.
            return 0.5 if not head.complete else 0.95 * (b"context.span_id" in head.data)
        if protobuf.looks_like_otlp(head):
            return 0.9
        if _is_table(head):
            return 0.9
        records = head.records[:3]
        return max((_score(record) for record in records), default=0.0)

    def group_keys(self, source: Source) -> Iterable[str]:
        """Trace ids, found without parsing."""
        return trace_ids(source)

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace per trace id, as soon as the one after it was read."""
        held: Trace | None = None
        idle = 0
        for found in collect(sources, _documents, read_spans):
            trace = assemble(
                TraceBuilder(format=self.name, source=found.path),
                found.trace_id,
                list(found.spans.values()),
                dialect_of=dialect_of,
                envelope=found.envelope,
                repeated=found.repeated,
                unjoined=found.unjoined,
            )
            if not trace.steps:
                idle += 1
                continue
            if held is not None:
                yield held
            held = trace
        if held is not None:
            yield _with_idle(held, idle)


def _with_idle(trace: Trace, idle: int) -> Trace:
    """The last trace of a file, with a word on those in which no agent did anything."""
    if not idle:
        return trace
    note = Diagnostic(
        kind="skipped",
        message="traces without a model call, a tool or an answer of an agent",
        count=idle,
    )
    return trace.model_copy(update={"diagnostics": (*trace.diagnostics, note)})


def _documents(source: Source) -> Iterator[tuple[Any, int | None]]:
    """The documents of a file, in whatever encoding."""
    head = source.head()
    if head.data.startswith(parquet.MAGIC):
        return ((row, None) for row in parquet.read_rows(source))
    if protobuf.looks_like_otlp(head):
        return ((group, None) for group in protobuf.read_messages(source))
    if _is_table(head):
        source.report(
            "is a table of spans as CSV, in which what was nested is the text of Python objects; "
            'export as JSONL or Parquet: df.to_json(FILE, orient="records", lines=True) or '
            "df.to_parquet(FILE)",
            code="TL100",
            line=1,
        )
        return iter(())
    return iter(source.documents())


def _is_table(head: Head) -> bool:
    """Whether a file is Phoenix' dataframe written as CSV."""
    if head.text[:1] in ("{", "["):
        return False
    columns = head.text[:_HEADER].partition("\n")[0].split(",")
    return {"context.span_id", "context.trace_id"} <= {name.strip('" \r') for name in columns}


def _score(record: dict[str, Any]) -> float:
    if record.keys() & _ROOTS:
        return 1.0
    if isinstance(record.get("trace"), dict) and record["trace"].keys() & _ROOTS:
        return 0.95
    if "context.span_id" in record and "context.trace_id" in record:
        return 0.97
    if _is_span(record):
        return 0.92
    for key in ("spans", "data", "batches", "traces", "result"):
        inner = record.get(key)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            first = inner[0]
            if first.keys() & _ROOTS or isinstance(first.get("batches"), list):
                return 0.95
            if "span_attributes" in first or "child_spans" in first or _is_span(first):
                return 0.94
            if "traceID" in first and "spans" in first:
                return 0.9
            if is_trace(first):
                return 0.94
    if is_trace(record):
        return 0.94
    if isinstance(record.get("spans"), list) and "traceID" in record:
        return 0.9
    return 0.0


def _is_span(record: dict[str, Any]) -> bool:
    context = record.get("context")
    if isinstance(context, dict) and {"trace_id", "span_id"} <= context.keys():
        return bool({"attributes", "start_time", "span_kind", "name"} & record.keys())
    named = {"trace_id", "span_id"} <= record.keys() or {"traceId", "spanId"} <= record.keys()
    return named and bool(
        {"attributes", "scope", "span_events", "span_attributes", "body"} & record.keys()
    )
