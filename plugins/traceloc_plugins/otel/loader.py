"""Reads OpenTelemetry traces of agent runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.otel.assembly import assemble
from traceloc_plugins.otel.containers import read_spans
from traceloc_plugins.otel.spans import ContentRecord, RawSpan, SpanEvent
from traceloc_plugins.otel.values import identifier

_TRACE_ID = re.compile(rb'"(?:context\.)?trace_?[iI][dD]"\s*:\s*"([^"\\]{1,64})"')
_CHUNK = 1 << 20
_OVERLAP = 256
_ROOTS = frozenset(
    {"resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "scopeSpans"}
    | {"scope_spans", "instrumentationLibrarySpans"}
)


class OTelLoader:
    """OTLP/JSON, console, flat, Phoenix and TRAIL exports in all GenAI dialects."""

    name = "otel"
    api_version = 1

    def sniff(self, head: Head) -> float:
        """OTLP's own keys are unique; a flat span needs an id of span and trace and attributes."""
        records = head.records[:3]
        return max((_score(record) for record in records), default=0.0)

    def group_keys(self, source: Source) -> Iterable[str]:
        """Trace ids, found without parsing."""
        found: set[str] = set()
        with source.open() as stream:
            rest = b""
            while chunk := stream.read(_CHUNK):
                data = rest + chunk
                found.update(match.decode("ascii", "replace") for match in _TRACE_ID.findall(data))
                rest = data[-_OVERLAP:]
        return sorted(filter(None, map(identifier, found)))

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace per trace id, as soon as its last line was read."""
        last_seen = _last_lines(sources)
        collected: dict[str, _Collected] = {}
        done = _Done(sources[0].path if sources else "")
        for number, source in enumerate(sources):
            for document, line in source.documents():
                touched = {}
                for found in read_spans(document, line):
                    trace = collected.get(found.trace_id)
                    if trace is None:
                        trace = collected[found.trace_id] = _Collected(source.path)
                    trace.add(found)
                    touched[found.trace_id] = trace
                del document
                for trace_id in touched if line is not None else ():
                    if last_seen.get(trace_id, (len(sources), 0)) <= (number, line or 0):
                        yield from done.finish(trace_id, collected.pop(trace_id))
        for trace_id, trace in collected.items():
            yield from done.finish(trace_id, trace)


class _Collected:
    """Spans of one trace in file order, each once, with the content records that belong to them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.spans: dict[str, RawSpan] = {}
        self.records: dict[str, list[SpanEvent]] = {}
        self.repeated = 0

    def add(self, found: RawSpan | ContentRecord) -> None:
        if isinstance(found, ContentRecord):
            self.records.setdefault(found.span_id, []).append(found.event)
            return
        known = self.spans.get(found.id)
        if known is None:
            found.native = len(self.spans)
            self.spans[found.id] = found
            return
        self.repeated += 1
        more = len(found.attributes) + len(found.events) > len(known.attributes) + len(known.events)
        if (known.end is None and found.end is not None) or (more and found.end is not None):
            found.native = known.native  # a span that was exported early and again when it ended
            self.spans[found.id] = found


class _Done:
    """Finishes traces, and counts the ids under which no agent did anything."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.empty = 0

    def finish(self, trace_id: str, found: _Collected) -> Iterator[Trace]:
        for span_id, events in found.records.items():
            if (span := found.spans.get(span_id)) is not None:
                span.events.extend(events)
        trace = assemble(
            trace_id,
            list(found.spans.values()),
            path=found.path,
            repeated=found.repeated,
            unjoined=sum(
                len(events) for span, events in found.records.items() if span not in found.spans
            ),
        )
        if trace.steps:
            yield trace
        else:
            self.empty += 1


def _last_lines(sources: Sequence[Source]) -> dict[str, tuple[int, int]]:
    """Where each trace id occurs last, so that a long file need not be held whole.

    Only for files that are read line by line and too long for one look.
    """
    if all(source.head().complete for source in sources):
        return {}
    found: dict[str, tuple[int, int]] = {}
    for number, source in enumerate(sources):
        if not source.is_json_lines():
            return {}
        for line, data in source.lines():
            for match in set(_TRACE_ID.findall(data)):
                if trace_id := identifier(match.decode("ascii", "replace")):
                    found[trace_id] = (number, line)
    return found


def _score(record: dict[str, Any]) -> float:
    if record.keys() & _ROOTS:
        return 1.0
    if isinstance(record.get("trace"), dict) and record["trace"].keys() & _ROOTS:
        return 0.95
    if "context.span_id" in record and "context.trace_id" in record:
        return 0.97
    if _is_span(record):
        return 0.92
    for key in ("spans", "data", "batches"):
        inner = record.get(key)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            first = inner[0]
            if first.keys() & _ROOTS:
                return 0.95
            if "span_attributes" in first or "child_spans" in first or _is_span(first):
                return 0.94
            if "traceID" in first and "spans" in first:
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
