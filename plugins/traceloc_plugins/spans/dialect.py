"""What a dialect tells about a span."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.spans.messages import Message
from traceloc_plugins.spans.raw import RawSpan

Attribution = Literal["explicit", "ancestor", "namespace", "role", "alternation", "guess"]


@dataclass(slots=True)
class Content:
    """What went into and came out of a model call, or of a whole agent."""

    inputs: list[Message] = field(default_factory=list)
    outputs: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class ToolUse:
    """One execution of a tool."""

    name: str
    call_id: str | None = None
    arguments: Any = None
    result: str | None = None
    """``None`` where it was not recorded."""
    failed: bool = False
    """The result itself says so, whatever the span's status is."""
    error_type: str | None = None


@dataclass(slots=True)
class Handoff:
    """Control that goes from one agent to another."""

    source: str | None = None
    target: str | None = None


class Dialect(Protocol):
    """Reads the attributes of one instrumentation's spans."""

    name: str
    capture_hint: str
    """How the content of messages and tools is switched on."""

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        ...

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names, never a placeholder."""
        ...

    def content(self, span: RawSpan) -> Content:
        """Messages of a model call or an agent."""
        ...

    def tool_use(self, span: RawSpan) -> ToolUse:
        """What a tool span executed."""
        ...

    def handoff(self, span: RawSpan) -> Handoff:
        """From whom to whom a hand-off span leads."""
        ...

    def model(self, span: RawSpan) -> str | None:
        """Name of the model that answered."""
        ...

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens and money of one model call."""
        ...

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        ...

    def tools(self, span: RawSpan) -> list[Any]:
        """Definitions of the tools that were offered."""
        ...
