"""Spans that hold their children, as TRAIL keeps them: times as durations, names of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc_plugins.otel.parts import objects, read_events, read_status, text_or_empty
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.values import attributes, duration, identifier, nanoseconds


def read_nested(raw: dict[str, Any], line: int | None) -> Iterator[RawSpan]:
    """Spans that hold their children, parents first."""
    waiting: list[tuple[dict[str, Any], str | None]] = [(raw, None)]
    while waiting:
        node, above = waiting.pop()
        trace_id, span_id = identifier(node.get("trace_id")), identifier(node.get("span_id"))
        waiting.extend((child, span_id) for child in reversed(objects(node.get("child_spans"))))
        if trace_id is None or span_id is None:
            continue
        start = nanoseconds(node.get("timestamp") or node.get("start_time"))
        took = duration(node.get("duration"))
        status, _ = read_status(node.get("status_code"))
        yield RawSpan(
            trace_id=trace_id,
            id=span_id,
            parent=identifier(node.get("parent_span_id")) or above,
            name=text_or_empty(node.get("span_name") or node.get("name")),
            start=start,
            end=start + took if start is not None and took is not None else None,
            attributes=attributes(node.get("span_attributes")),
            status=status,
            message=text_or_empty(node.get("status_message")),
            events=read_events(node.get("events")),
            scope=text_or_empty(node.get("scope_name")),
            resource=attributes(node.get("resource_attributes")),
            line=line,
        )
