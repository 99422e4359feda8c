"""The lines of a rollout, brought into one shape whatever version wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from traceloc.loading import Source
from traceloc_plugins.facts import moment, word
from traceloc_plugins.records import bounded, split_truth

ITEMS = frozenset(
    {
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "local_shell_call",
        "web_search_call",
    }
)
"""Types that tell an item of the responses API, where no envelope does."""

_ENVELOPE = frozenset({"timestamp", "type", "payload"})
_KNOWN = frozenset(
    {
        "type",
        "role",
        "content",
        "summary",
        "encrypted_content",
        "name",
        "arguments",
        "input",
        "action",
        "call_id",
        "output",
        "message",
        "reason",
        "tools",
        "id",
        "timestamp",
    }
)


@dataclass(slots=True)
class Line:
    """One line: what kind of record, and what it holds."""

    kind: str
    """``session_meta``, ``turn_context``, ``response_item``, ``event_msg`` or ``compacted``."""
    payload: dict[str, Any]
    native: int
    number: int | None
    time: datetime | None
    beside: dict[str, Any] = field(default_factory=dict)
    """Fields of the envelope that are not known."""

    @property
    def type(self) -> str:
        """Type of the payload."""
        return word(self.payload.get("type")) or ""

    @property
    def others(self) -> dict[str, Any]:
        """What the line says and no step has a field for, without ground truth."""
        unknown = {key: value for key, value in self.payload.items() if key not in _KNOWN}
        return split_truth({**self.beside, **unknown}).attributes

    def mark(self) -> str:
        """What makes the line the same as another: resumed sessions repeat lines."""
        told = [self.kind, str(self.time), bounded(self.payload)]
        return json.dumps(told, sort_keys=True, default=str)


def read_lines(source: Source) -> Iterator[Line]:
    """Lines of a file in order."""
    by_line = source.is_json_lines()
    for place, (value, number) in enumerate(source.documents()):
        items = value if isinstance(value, list) else [value]
        for inner, item in enumerate(items):
            if isinstance(item, dict):
                native = number - 1 if by_line and number is not None else place + inner
                yield _line(item, native, number if by_line else None)


def _line(value: dict[str, Any], native: int, number: int | None) -> Line:
    kind, payload = word(value.get("type")) or "", value.get("payload")
    time = moment(value.get("timestamp"))
    if isinstance(payload, dict):
        beside = {key: item for key, item in value.items() if key not in _ENVELOPE}
        return Line(kind, payload, native, number, time, beside)
    if kind in ITEMS:
        return Line("response_item", value, native, number, time)
    if not kind and word(value.get("id")) and word(value.get("timestamp")):
        return Line("session_meta", value, native, number, time)
    return Line(kind or word(value.get("record_type")) or "unknown", value, native, number, time)
