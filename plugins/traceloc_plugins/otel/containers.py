"""Finds spans in whatever they were shipped in.

OTLP/JSON (camel case, snake case, several spellings of ids), the Python SDK's console, flat lists,
Phoenix (REST and dataframe), nested spans (TRAIL), Tempo and Jaeger. Content that was exported as
log records comes out as :class:`ContentRecord`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc_plugins.otel.jaeger import read_jaeger
from traceloc_plugins.otel.nested import read_nested
from traceloc_plugins.otel.parts import (
    objects,
    read_event,
    read_events,
    read_status,
    scope_name,
    text_or_empty,
)
from traceloc_plugins.spans.collecting import Envelope
from traceloc_plugins.spans.raw import ContentRecord, RawSpan
from traceloc_plugins.spans.values import attributes, decoded, identifier, nanoseconds

Found = RawSpan | ContentRecord

_RESOURCES = ("resourceSpans", "resource_spans", "batches")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_LOGS = ("resourceLogs", "resource_logs")
_LISTS = ("data", "spans", "traces", "trace", "result", "results")
_OF_A_SPAN = frozenset(
    """
    traceId trace_id spanId span_id parentSpanId parent_span_id parent_id context span_context
    context.trace_id context.span_id name kind span_kind attributes span_attributes
    startTimeUnixNano start_time_unix_nano startTime start_time
    endTimeUnixNano end_time_unix_nano endTime end_time
    events span_events links status status_code status_message resource scope instrumentation_scope
    traceState trace_state flags trace_flags
    droppedAttributesCount dropped_attributes_count droppedEventsCount dropped_events_count
    droppedLinksCount dropped_links_count
    """.split()
)
"""Fields of a span that are read, or that only the way of shipping it needs."""
_OF_A_DOCUMENT = frozenset((*_RESOURCES, *_SCOPES, *_LOGS, *_LISTS, "resource", "schemaUrl"))
_OUTSIDE = "attributes."
"""Prefix of the columns of Phoenix' dataframe."""


def read_spans(document: Any, line: int | None) -> Iterator[Found | Envelope]:
    """Spans and content records of one JSON document, in file order."""
    for item in document if isinstance(document, list) else (document,):
        if isinstance(item, list):
            yield from read_spans(item, line)
        elif isinstance(item, dict):
            yield from _read_object(item, line)


def _read_object(item: dict[str, Any], line: int | None) -> Iterator[Found | Envelope]:
    known = False
    for key in _RESOURCES:
        if isinstance(groups := item.get(key), list):
            known = True
            for group in groups:
                yield from _resource(group, line)
    for key in _LOGS:
        if isinstance(groups := item.get(key), list):
            known = True
            for group in groups:
                yield from _resource_logs(group)
    if known:
        yield from _envelope(item)
        return
    if any(isinstance(item.get(key), list) for key in _SCOPES):
        yield from _resource(item, line)
        yield from _envelope(item)
    elif "span_attributes" in item or "child_spans" in item:
        yield from read_nested(item, line)
    elif isinstance(item.get("traceID"), str) and isinstance(item.get("spans"), list):
        yield from read_jaeger(item, line)
    elif is_trace(item):
        for raw in objects(item["spans"]):
            about = {"trace_id": item["trace_id"], "span_id": raw.get("span_id")}
            if (span := _flat({**raw, "context": about}, line)) is not None:
                yield span
    elif (span := _flat(item, line)) is not None:
        yield span
    elif (record := _content(item)) is not None:
        yield record
    else:
        for key in _LISTS:
            if isinstance(inner := item.get(key), list | dict):
                yield from read_spans(inner, line)
        yield from _envelope(item)


def is_trace(item: dict[str, Any]) -> bool:
    """Whether an object is a trace as Phoenix lists it, around spans that do not repeat its id."""
    spans = item.get("spans")
    if not isinstance(item.get("trace_id"), str) or not isinstance(spans, list) or not spans:
        return False
    first = spans[0]
    return isinstance(first, dict) and "span_id" in first and "span_kind" in first


def _envelope(item: dict[str, Any]) -> Iterator[Envelope]:
    if not item.keys() <= _OF_A_DOCUMENT:
        yield Envelope({key: item[key] for key in item if key not in _OF_A_DOCUMENT})


def _is_something(value: Any) -> bool:
    if isinstance(value, float):
        return value == value  # an empty cell of a table is no number
    return not (value is None or (isinstance(value, str | list | dict) and not value))


def _others(raw: dict[str, Any]) -> dict[str, Any]:
    """What a span says beside the fields that every span has."""
    if raw.keys() <= _OF_A_SPAN:
        return {}
    return {
        key: value
        for key, value in raw.items()
        if key not in _OF_A_SPAN and not key.startswith(_OUTSIDE) and _is_something(value)
    }


def _resource(group: Any, line: int | None) -> Iterator[Found]:
    if not isinstance(group, dict):
        return
    resource = group.get("resource")
    about = attributes(resource.get("attributes")) if isinstance(resource, dict) else {}
    for key in _SCOPES:
        for scoped in objects(group.get(key)):
            scope = scope_name(scoped.get("scope") or scoped.get("instrumentationLibrary"))
            for raw in objects(scoped.get("spans")):
                if (span := _otlp(raw, line)) is not None:
                    span.scope, span.resource = scope, about
                    yield span


def _otlp(raw: dict[str, Any], line: int | None) -> RawSpan | None:
    trace_id = identifier(raw.get("traceId") or raw.get("trace_id"))
    span_id = identifier(raw.get("spanId") or raw.get("span_id"))
    if trace_id is None or span_id is None:
        return None
    status, message = read_status(raw.get("status"))
    return RawSpan(
        trace_id=trace_id,
        id=span_id,
        parent=identifier(raw.get("parentSpanId") or raw.get("parent_span_id")),
        name=text_or_empty(raw.get("name")),
        start=_time(raw, "start"),
        end=_time(raw, "end"),
        attributes={**_others(raw), **attributes(raw.get("attributes"))},
        status=status,
        message=message,
        events=read_events(raw.get("events")),
        links=objects(raw.get("links")),
        line=line,
    )


def _flat(raw: dict[str, Any], line: int | None) -> RawSpan | None:
    """One object per span: the SDK's console, Phoenix' rows, flat lists."""
    context = raw.get("context")
    if not isinstance(context, dict):
        context = raw.get("span_context")
    if not isinstance(context, dict):
        context = {}
    trace_id = identifier(
        context.get("trace_id")
        or raw.get("trace_id")
        or raw.get("traceId")
        or raw.get("context.trace_id")
    )
    span_id = identifier(
        context.get("span_id")
        or raw.get("span_id")
        or raw.get("spanId")
        or raw.get("context.span_id")
    )
    if trace_id is None or span_id is None:
        return None
    if isinstance(raw.get("attributes"), dict | list):
        about = attributes(raw["attributes"])
    elif "context.span_id" in raw or "span_kind" in raw:
        about = {
            key.removeprefix(_OUTSIDE): decoded(value) if key.endswith("_messages") else value
            for key, value in raw.items()
            if key.startswith(_OUTSIDE) and value is not None and value == value
        }
    elif _time(raw, "start") is not None:
        about = {}
    else:
        return None
    kind = raw.get("span_kind")
    if isinstance(kind, str) and kind and "openinference.span.kind" not in about and context:
        about["openinference.span.kind"] = kind
    status, message = read_status(raw.get("status", raw.get("status_code")))
    resource = raw.get("resource")
    if isinstance(resource, dict):
        resource = attributes(resource.get("attributes", resource))
    return RawSpan(
        trace_id=trace_id,
        id=span_id,
        parent=identifier(
            raw.get("parent_id") or raw.get("parent_span_id") or raw.get("parentSpanId")
        ),
        name=text_or_empty(raw.get("name")),
        start=_time(raw, "start"),
        end=_time(raw, "end"),
        attributes={**_others(raw), **about},
        status=status,
        message=message or text_or_empty(raw.get("status_message")),
        events=read_events(raw.get("events")) + read_events(raw.get("span_events")),
        links=objects(raw.get("links")),
        scope=scope_name(raw.get("scope") or raw.get("instrumentation_scope")),
        resource=resource if isinstance(resource, dict) else {},
        line=line,
    )


def _resource_logs(group: Any) -> Iterator[ContentRecord]:
    if not isinstance(group, dict):
        return
    for scoped in objects(group.get("scopeLogs") or group.get("scope_logs")):
        for record in objects(scoped.get("logRecords") or scoped.get("log_records")):
            if (found := _content(record)) is not None:
                yield found


def _content(record: dict[str, Any]) -> ContentRecord | None:
    trace_id = identifier(record.get("traceId") or record.get("trace_id"))
    span_id = identifier(record.get("spanId") or record.get("span_id"))
    if trace_id is None or span_id is None or not ({"body", "attributes"} & record.keys()):
        return None
    return ContentRecord(trace_id, span_id, read_event(record))


def _time(raw: dict[str, Any], side: str) -> int | None:
    for key in (f"{side}TimeUnixNano", f"{side}_time_unix_nano", f"{side}_time", f"{side}Time"):
        if raw.get(key) is not None:
            return nanoseconds(raw[key])
    return None
