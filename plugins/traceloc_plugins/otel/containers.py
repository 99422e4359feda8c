"""Finds spans in whatever they were shipped in.

OTLP/JSON (camel case, snake case, several spellings of ids), the Python SDK's console, flat lists,
Phoenix (REST and dataframe), nested spans (TRAIL), Tempo and Jaeger. Content that was exported as
log records comes out as :class:`ContentRecord`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from traceloc_plugins.otel.spans import ContentRecord, RawSpan, SpanEvent
from traceloc_plugins.otel.values import (
    any_value,
    attributes,
    decoded,
    duration,
    identifier,
    nanoseconds,
)

Found = RawSpan | ContentRecord

_RESOURCES = ("resourceSpans", "resource_spans", "batches")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_LOGS = ("resourceLogs", "resource_logs")
_LISTS = ("data", "spans", "traces", "trace", "result", "results")
_OUTSIDE = "attributes."
"""Prefix of the columns of Phoenix' dataframe."""


def read_spans(document: Any, line: int | None) -> Iterator[Found]:
    """Spans and content records of one JSON document, in file order."""
    for item in document if isinstance(document, list) else (document,):
        if isinstance(item, list):
            yield from read_spans(item, line)
        elif isinstance(item, dict):
            yield from _read_object(item, line)


def _read_object(item: dict[str, Any], line: int | None) -> Iterator[Found]:
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
        return
    if any(isinstance(item.get(key), list) for key in _SCOPES):
        yield from _resource(item, line)
    elif "span_attributes" in item or "child_spans" in item:
        yield from _nested(item, line)
    elif isinstance(item.get("traceID"), str) and isinstance(item.get("spans"), list):
        yield from _jaeger(item, line)
    elif (span := _flat(item, line)) is not None:
        yield span
    elif (record := _content(item)) is not None:
        yield record
    else:
        for key in _LISTS:
            if isinstance(inner := item.get(key), list | dict):
                yield from read_spans(inner, line)


def _resource(group: Any, line: int | None) -> Iterator[Found]:
    if not isinstance(group, dict):
        return
    resource = group.get("resource")
    about = attributes(resource.get("attributes")) if isinstance(resource, dict) else {}
    for key in _SCOPES:
        for scoped in _dicts(group.get(key)):
            scope = _scope(scoped.get("scope") or scoped.get("instrumentationLibrary"))
            for raw in _dicts(scoped.get("spans")):
                if (span := _otlp(raw, line)) is not None:
                    span.scope, span.resource = scope, about
                    yield span


def _otlp(raw: dict[str, Any], line: int | None) -> RawSpan | None:
    trace_id = identifier(raw.get("traceId") or raw.get("trace_id"))
    span_id = identifier(raw.get("spanId") or raw.get("span_id"))
    if trace_id is None or span_id is None:
        return None
    status, message = _status(raw.get("status"))
    return RawSpan(
        trace_id=trace_id,
        id=span_id,
        parent=identifier(raw.get("parentSpanId") or raw.get("parent_span_id")),
        name=_string(raw.get("name")),
        start=_time(raw, "start"),
        end=_time(raw, "end"),
        attributes=attributes(raw.get("attributes")),
        status=status,
        message=message,
        events=_events(raw.get("events")),
        links=_dicts(raw.get("links")),
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
    status, message = _status(raw.get("status", raw.get("status_code")))
    resource = raw.get("resource")
    if isinstance(resource, dict):
        resource = attributes(resource.get("attributes", resource))
    return RawSpan(
        trace_id=trace_id,
        id=span_id,
        parent=identifier(
            raw.get("parent_id") or raw.get("parent_span_id") or raw.get("parentSpanId")
        ),
        name=_string(raw.get("name")),
        start=_time(raw, "start"),
        end=_time(raw, "end"),
        attributes=about,
        status=status,
        message=message or _string(raw.get("status_message")),
        events=_events(raw.get("events")) + _events(raw.get("span_events")),
        links=_dicts(raw.get("links")),
        scope=_scope(raw.get("scope") or raw.get("instrumentation_scope")),
        resource=resource if isinstance(resource, dict) else {},
        line=line,
    )


def _nested(raw: dict[str, Any], line: int | None) -> Iterator[RawSpan]:
    """Spans that hold their children, parents first (TRAIL)."""
    waiting: list[tuple[dict[str, Any], str | None]] = [(raw, None)]
    while waiting:
        node, above = waiting.pop()
        trace_id, span_id = identifier(node.get("trace_id")), identifier(node.get("span_id"))
        waiting.extend((child, span_id) for child in reversed(_dicts(node.get("child_spans"))))
        if trace_id is None or span_id is None:
            continue
        start = nanoseconds(node.get("timestamp") or node.get("start_time"))
        took = duration(node.get("duration"))
        status, _ = _status(node.get("status_code"))
        yield RawSpan(
            trace_id=trace_id,
            id=span_id,
            parent=identifier(node.get("parent_span_id")) or above,
            name=_string(node.get("span_name") or node.get("name")),
            start=start,
            end=start + took if start is not None and took is not None else None,
            attributes=attributes(node.get("span_attributes")),
            status=status,
            message=_string(node.get("status_message")),
            events=_events(node.get("events")),
            scope=_string(node.get("scope_name")),
            resource=attributes(node.get("resource_attributes")),
            line=line,
        )


def _jaeger(trace: dict[str, Any], line: int | None) -> Iterator[RawSpan]:
    processes = trace.get("processes")
    processes = processes if isinstance(processes, dict) else {}
    for raw in _dicts(trace["spans"]):
        trace_id = identifier(raw.get("traceID") or trace["traceID"])
        span_id = identifier(raw.get("spanID"))
        if trace_id is None or span_id is None:
            continue
        references = _dicts(raw.get("references"))
        tags = {
            tag["key"]: tag.get("value")
            for tag in _dicts(raw.get("tags"))
            if isinstance(tag.get("key"), str)
        }
        start, took = nanoseconds(raw.get("startTime")), raw.get("duration")
        process = processes.get(raw.get("processID"))
        service = process.get("serviceName") if isinstance(process, dict) else None
        failed = tags.get("error") is True or tags.get("otel.status_code") == "ERROR"
        yield RawSpan(
            trace_id=trace_id,
            id=span_id,
            parent=next((identifier(r.get("spanID")) for r in references), None),
            name=_string(raw.get("operationName")),
            start=start,
            end=start + took * 1000 if start is not None and isinstance(took, int) else None,
            attributes=tags,
            status="error" if failed else "unset",
            message=_string(tags.get("otel.status_description")),
            scope=_string(tags.get("otel.scope.name") or tags.get("otel.library.name")),
            resource={"service.name": service} if service else {},
            line=line,
        )


def _resource_logs(group: Any) -> Iterator[ContentRecord]:
    if not isinstance(group, dict):
        return
    for scoped in _dicts(group.get("scopeLogs") or group.get("scope_logs")):
        for record in _dicts(scoped.get("logRecords") or scoped.get("log_records")):
            if (found := _content(record)) is not None:
                yield found


def _content(record: dict[str, Any]) -> ContentRecord | None:
    trace_id = identifier(record.get("traceId") or record.get("trace_id"))
    span_id = identifier(record.get("spanId") or record.get("span_id"))
    if trace_id is None or span_id is None or not ({"body", "attributes"} & record.keys()):
        return None
    return ContentRecord(trace_id, span_id, _event(record))


def _events(raw: Any) -> list[SpanEvent]:
    found = decoded(raw)
    if not isinstance(found, list):
        return []
    return [_event(event) for event in found if isinstance(event, dict)]


def _time(raw: dict[str, Any], side: str) -> int | None:
    for key in (f"{side}TimeUnixNano", f"{side}_time_unix_nano", f"{side}_time", f"{side}Time"):
        if raw.get(key) is not None:
            return nanoseconds(raw[key])
    return None


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def _event(raw: dict[str, Any]) -> SpanEvent:
    about = attributes(raw.get("attributes"))
    name = raw.get("name") or raw.get("event_name") or raw.get("eventName")
    time = raw.get("timeUnixNano") or raw.get("time_unix_nano") or raw.get("timestamp")
    return SpanEvent(
        _string(name or about.get("event.name")),
        nanoseconds(time),
        about,
        any_value(raw.get("body")),
    )


def _status(raw: Any) -> tuple[Literal["ok", "error", "unset"], str]:
    message = ""
    if isinstance(raw, dict):
        message = _string(raw.get("message") or raw.get("description"))
        raw = raw.get("code", raw.get("status_code"))
    word = str(raw).upper()
    if word in ("2", "ERROR", "STATUS_CODE_ERROR"):
        return "error", message
    if word in ("1", "OK", "STATUS_CODE_OK"):
        return "ok", message
    return "unset", message


def _scope(raw: Any) -> str:
    return _string(raw.get("name")) if isinstance(raw, dict) else _string(raw)


def _string(raw: Any) -> str:
    return raw if isinstance(raw, str) else ""
