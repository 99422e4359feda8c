"""The SDK's own trace export, as spans.

A span of a model response says which response it was and not what it said. Which calls it made
shows in what ran next in the same turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded, id_field
from traceloc_plugins.spans.collecting import Envelope, Found, TraceFacts
from traceloc_plugins.spans.messages import Call
from traceloc_plugins.spans.raw import RawSpan, SpanEvent
from traceloc_plugins.spans.results import unwrap_arguments
from traceloc_plugins.spans.values import identifier, nanoseconds

_OBJECTS = ("trace", "trace.span")
_OF_A_SPAN = frozenset(
    ("object", "id", "trace_id", "parent_id", "started_at", "ended_at", "span_data", "error")
) | {"metadata"}
_MODELS = ("response", "generation")
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


def is_record(value: Any) -> bool:
    """Whether a JSON value is a trace or a span of one."""
    return isinstance(value, dict) and value.get("object") in _OBJECTS and "id" in value


def records_in(value: Any) -> list[dict[str, Any]]:
    """The records of a document: itself, a list, or the body of an upload."""
    if is_record(value):
        return [value]
    inner = value.get("data") if isinstance(value, dict) else value
    return [item for item in inner if is_record(item)] if isinstance(inner, list) else []


def read_document(value: Any, line: int | None) -> Iterator[Found | Envelope]:
    """The spans of a document, and what it says of whole traces."""
    for record in records_in(value):
        if record["object"] == "trace":
            if id := identifier(record["id"]):
                yield TraceFacts(id, bounded({**record, "object": None}))
        elif (span := _span(record, line)) is not None:
            yield span
    if isinstance(value, dict) and not is_record(value):
        yield Envelope({key: item for key, item in value.items() if key != "data"})


def _span(record: dict[str, Any], line: int | None) -> RawSpan | None:
    id, trace = identifier(record["id"]), identifier(record.get("trace_id"))
    if id is None or trace is None:
        return None
    about = record.get("span_data")
    about = bounded(about) if isinstance(about, dict) else {}
    span = RawSpan(
        trace_id=trace,
        id=id,
        parent=identifier(record.get("parent_id")),
        name=word(about.get("name")) or word(about.get("type")) or "span",
        start=nanoseconds(record.get("started_at")),
        end=nanoseconds(record.get("ended_at")),
        attributes={
            key: item for key, item in (*_others(record), *about.items()) if item is not None
        },
        status="ok" if record.get("ended_at") else "unset",
        line=line,
    )
    if metadata := record.get("metadata"):
        span.attributes["metadata"] = bounded(metadata)
    if about.get("type") == "guardrail":
        span.attributes["output.value"] = "triggered" if about.get("triggered") else "passed"
    error = record.get("error")
    if isinstance(error, dict):
        _add_error(span, bounded(error))
    return span


def _others(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a record says beside what the SDK writes in each."""
    return ((key, bounded(item)) for key, item in record.items() if key not in _OF_A_SPAN)


def _add_error(span: RawSpan, error: dict[str, Any]) -> None:
    span.status = "error"
    span.message = word(error.get("message")) or "the span failed"
    data = error.get("data")
    detail = word(data.get("error")) if isinstance(data, dict) else None
    about = {"exception.message": detail or span.message}
    span.events.append(SpanEvent("exception", None, about))
    span.attributes["error"] = error


def infer_calls(spans: list[RawSpan]) -> dict[str, list[Call]]:
    """The calls that responses without content made, by the id of their span."""
    turns: dict[str | None, list[RawSpan]] = {}
    for span in spans:
        turns.setdefault(span.parent, []).append(span)
    found: dict[str, list[Call]] = {}
    for turn in turns.values():
        asking: RawSpan | None = None
        for span in sorted(turn, key=lambda span: (span.start or 0, span.native)):
            kind = span.attributes.get("type")
            if kind in _MODELS:
                asking = None if has_content(span) else span
            elif asking is not None and (call := _call(span, kind)) is not None:
                found.setdefault(asking.id, []).append(call)
    return found


def has_content(span: RawSpan) -> bool:
    """Whether the span of a model response says what was answered."""
    return any(span.attributes.get(key) for key in ("output", "response"))


def _call(span: RawSpan, kind: Any) -> Call | None:
    if kind == "function":
        return Call(span.name, None, unwrap_arguments(span.attributes.get("input")))
    if kind == "handoff" and (target := span.text("to_agent")):
        # The name the SDK gives the tool unless the author gives another.
        return Call(f"transfer_to_{_NO_NAME.sub('_', target).lower()}", None, {})
    return None


def thread_of(facts: dict[str, Any]) -> str | None:
    """The conversation a trace belongs to."""
    return id_field(facts, "group_id")
