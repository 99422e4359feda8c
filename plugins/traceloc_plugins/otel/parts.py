"""Parts that spans have in every container: status, events, scope."""

from __future__ import annotations

from typing import Any, Literal

from traceloc_plugins.spans.raw import SpanEvent
from traceloc_plugins.spans.values import any_value, attributes, decoded, nanoseconds


def objects(raw: Any) -> list[dict[str, Any]]:
    """The objects of a list; of anything else none."""
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def read_events(raw: Any) -> list[SpanEvent]:
    """Events of a span, also where they are JSON in a text."""
    found = decoded(raw)
    if not isinstance(found, list):
        return []
    return [read_event(event) for event in found if isinstance(event, dict)]


def read_event(raw: dict[str, Any]) -> SpanEvent:
    """An event, or a log record."""
    about = attributes(raw.get("attributes"))
    name = raw.get("name") or raw.get("event_name") or raw.get("eventName")
    time = raw.get("timeUnixNano") or raw.get("time_unix_nano") or raw.get("timestamp")
    return SpanEvent(
        text_or_empty(name or about.get("event.name")),
        nanoseconds(time),
        about,
        any_value(raw.get("body")),
    )


def read_status(raw: Any) -> tuple[Literal["ok", "error", "unset"], str]:
    """A status as code, number or word, and its message."""
    message = ""
    if isinstance(raw, dict):
        message = text_or_empty(raw.get("message") or raw.get("description"))
        raw = raw.get("code", raw.get("status_code"))
    word = str(raw).upper()
    if word in ("2", "ERROR", "STATUS_CODE_ERROR"):
        return "error", message
    if word in ("1", "OK", "STATUS_CODE_OK"):
        return "ok", message
    return "unset", message


def scope_name(raw: Any) -> str:
    """Name of the instrumentation."""
    return text_or_empty(raw.get("name")) if isinstance(raw, dict) else text_or_empty(raw)


def text_or_empty(raw: Any) -> str:
    """The value if it is a text."""
    return raw if isinstance(raw, str) else ""
