"""A span as it was recorded, whatever container it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from traceloc.trace import SpanKind


class SpanEvent(NamedTuple):
    """Something that happened during a span, or a log record written inside it."""

    name: str
    time: int | None
    attributes: dict[str, Any]
    body: Any = None


class ContentRecord(NamedTuple):
    """A log record that carries the content of a span exported elsewhere."""

    trace_id: str
    span_id: str
    event: SpanEvent


@dataclass(slots=True)
class RawSpan:
    """One span; ids are hex, times nanoseconds since 1970."""

    trace_id: str
    id: str
    parent: str | None
    name: str
    start: int | None
    end: int | None
    attributes: dict[str, Any]
    status: Literal["ok", "error", "unset"] = "unset"
    message: str = ""
    events: list[SpanEvent] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)
    scope: str = ""
    resource: dict[str, Any] = field(default_factory=dict)
    line: int | None = None
    kind: SpanKind | None = None
    """What it stands for, where more is known than its attributes say."""
    native: int = 0
    """0-based position among the spans of its trace, in file order."""

    def first(self, *keys: str) -> Any:
        """The first of several attributes that is there and not empty."""
        found = self.attributes
        for key in keys:
            value = found.get(key)
            if value is not None and value != "":
                return value
        return None

    def text(self, *keys: str) -> str | None:
        """Like :meth:`first`, as a non-blank string."""
        for key in keys:
            value = self.attributes.get(key)
            if isinstance(value, str) and (stripped := value.strip()):
                return stripped
        return None
