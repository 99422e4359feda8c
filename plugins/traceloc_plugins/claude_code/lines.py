"""The lines of a session, brought into one shape whatever wrote them.

Three writers: the session files of the CLI, its ``stream-json`` output, and progress lines that
carry a sub-agent's messages inside the main file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from traceloc.loading import Source

AROUND = "around the lines"
"""Kind of what is no line: the fields of a document that holds lines."""
_WRAPPERS = ("messages", "loglines", "transcript")


@dataclass(slots=True)
class Line:
    """One line; ``raw`` keeps everything it said."""

    raw: dict[str, Any]
    kind: str
    native: int
    number: int | None
    uuid: str | None
    parent: str | None
    session: str | None
    message: dict[str, Any] | None
    side: bool
    """Whether a sub-agent wrote it."""
    agent_id: str | None
    call_id: str | None
    """The call that started the sub-agent, where the line says so."""
    own_file: bool = False
    """Whether the file holds nothing but one sub-agent."""
    copied: bool = False
    """Whether an earlier session holds the same line."""

    @property
    def time(self) -> datetime | None:
        """When it was written, in UTC."""
        text = self.raw.get("timestamp")
        if not isinstance(text, str):
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    @property
    def message_id(self) -> str | None:
        """Id of the model response this line is a piece of."""
        found = self.message.get("id") if self.message else None
        return found if isinstance(found, str) and self.kind == "assistant" else None

    def blocks(self) -> list[Any]:
        """Content of the message as a list."""
        content = self.message.get("content") if self.message else None
        if isinstance(content, list):
            return content
        return [{"type": "text", "text": content}] if isinstance(content, str) else []


def read_lines(source: Source, *, offset: int = 0) -> Iterator[Line]:
    """Lines of one file in order.

    Args:
        source: The file.
        offset: Added to positions, so that those of several files do not collide.
    """
    places: dict[int, int] = {}
    if source.is_json_lines():
        places = {number: place for place, (number, _) in enumerate(source.lines())}
    for count, (value, number) in enumerate(source.documents()):
        if places:
            place = places.get(number or 0, count)
            yield _line(value, offset + place, number)
            continue
        items = _unwrapped(value)
        for place, item in enumerate(items):
            yield _line(item, offset + count + place, None)
        if isinstance(value, dict) and items[:1] != [value]:
            around = {key: kept for key, kept in value.items() if key not in _WRAPPERS}
            last = offset + count + max(len(items) - 1, 0)
            yield replace(_line(around, last, None), kind=AROUND)


def _unwrapped(value: Any) -> list[Any]:
    if isinstance(value, dict):
        for key in _WRAPPERS:
            if isinstance(inner := value.get(key), list):
                return inner
    return value if isinstance(value, list) else [value]


def _line(value: Any, native: int, number: int | None) -> Line:
    raw = value if isinstance(value, dict) else {}
    kind = _text(raw.get("type")) or ""
    message = raw.get("message")
    side = raw.get("isSidechain") is True
    call_id = _text(raw.get("parent_tool_use_id"))
    agent_id = _text(raw.get("agentId"))
    uuid, parent = _text(raw.get("uuid")), _text(raw.get("parentUuid"))
    session = _text(raw.get("sessionId")) or _text(raw.get("session_id"))
    data = raw.get("data")
    if kind == "progress" and isinstance(data, dict) and data.get("type") == "agent_progress":
        inner = data.get("message")
        if isinstance(inner, dict):
            kind = _text(inner.get("type")) or kind
            message = inner.get("message")
            agent_id = _text(data.get("agentId"))
            call_id = _text(raw.get("parentToolUseID")) or call_id
            uuid, parent, side = _text(inner.get("uuid")), None, True
    elif parent is None and raw.get("subtype") == "compact_boundary":
        parent = _text(raw.get("logicalParentUuid"))
    return Line(
        raw=raw,
        kind=kind,
        native=native,
        number=number,
        uuid=uuid,
        parent=parent,
        session=session,
        message=message if isinstance(message, dict) else None,
        side=side or call_id is not None,
        agent_id=agent_id,
        call_id=call_id,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
