"""Jaeger's JSON: tags for attributes, logs for events, processes for resources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc_plugins.otel.parts import objects, read_status, text_or_empty
from traceloc_plugins.spans.raw import RawSpan, SpanEvent
from traceloc_plugins.spans.values import identifier, nanoseconds


def read_jaeger(trace: dict[str, Any], line: int | None) -> Iterator[RawSpan]:
    """Spans of one trace, in file order."""
    processes = trace.get("processes")
    services = {
        name: process.get("serviceName")
        for name, process in (processes.items() if isinstance(processes, dict) else ())
        if isinstance(process, dict)
    }
    for raw in objects(trace.get("spans")):
        trace_id = identifier(raw.get("traceID") or trace.get("traceID"))
        span_id = identifier(raw.get("spanID"))
        if trace_id is None or span_id is None:
            continue
        tags = _pairs(raw.get("tags"))
        start, took = nanoseconds(raw.get("startTime")), raw.get("duration")
        status, _ = read_status(tags.get("otel.status_code"))
        service = services.get(text_or_empty(raw.get("processID")))
        yield RawSpan(
            trace_id=trace_id,
            id=span_id,
            parent=_parent(raw),
            name=text_or_empty(raw.get("operationName")),
            start=start,
            end=start + took * 1000 if start is not None and isinstance(took, int) else None,
            attributes=tags,
            status="error" if tags.get("error") is True else status,
            message=text_or_empty(tags.get("otel.status_description")),
            events=[_event(log) for log in objects(raw.get("logs"))],
            scope=text_or_empty(tags.get("otel.scope.name") or tags.get("otel.library.name")),
            resource={"service.name": service} if service else {},
            line=line,
        )


def _pairs(raw: Any) -> dict[str, Any]:
    return {
        pair["key"]: pair.get("value") for pair in objects(raw) if isinstance(pair.get("key"), str)
    }


def _parent(raw: dict[str, Any]) -> str | None:
    """The span this one is a child of; what it only follows from is no parent where there is one.

    References into other traces are links.
    """
    inside = [
        reference
        for reference in objects(raw.get("references"))
        if reference.get("traceID", raw.get("traceID")) == raw.get("traceID")
    ]
    inside.sort(key=lambda reference: reference.get("refType") != "CHILD_OF")
    return identifier(inside[0].get("spanID")) if inside else identifier(raw.get("parentSpanID"))


def _event(log: dict[str, Any]) -> SpanEvent:
    fields = _pairs(log.get("fields"))
    name = text_or_empty(fields.pop("event", None) or fields.pop("name", None))
    return SpanEvent(name, nanoseconds(log.get("timestamp")), fields)
