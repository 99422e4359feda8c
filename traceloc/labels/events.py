"""What people said of steps, as records of a log that is only ever appended to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from traceloc.trace import Document

Kind = Literal["label", "confirm", "reject"]
Action = Literal["label", "confirm", "reject", "undo"]


class Subject(Document):
    """Which step of which trace an answer is about."""

    system: str
    trace_id: str
    content_hash: str
    """Of the steps: a copy of the file elsewhere is the same trace."""
    group: str
    """The question; traces of one group are never split between learning and checking."""
    locator: str
    """The path in it is absolute where it is that of a file."""
    native_index: int
    step: int
    agent: str


class Event(Document):
    """Something somebody said, and when."""

    id: int
    """Rises with time; never used twice."""
    at: datetime
    who: str
    action: Action
    undoes: int | None = None
    """The event that an ``undo`` takes back."""
    system: str
    trace_id: str
    content_hash: str
    locator: str
    native_index: int
    step: int
    agent: str
    category: str | None = None
    note: str | None = None


def from_here(locator: str) -> str:
    """A locator as it is typed in this folder, where the file lies below it.

    What leaves the machine is made of this: the path above a project names people.
    """
    return locator.removeprefix(f"{Path.cwd()}/")


def settle_events(events: Sequence[Event]) -> list[Event]:
    """What stands of a log: the newest label of each trace, and rejections it did not take back."""
    undone = {event.undoes for event in events}
    blamed: dict[tuple[str, str], Event] = {}
    rejected: dict[tuple[str, str], dict[int, Event]] = {}
    for event in events:
        if event.action == "undo" or event.id in undone:
            continue
        trace = (event.system, event.content_hash)
        against = rejected.setdefault(trace, {})
        if event.action == "reject":
            against[event.native_index] = event
            if trace in blamed and blamed[trace].native_index == event.native_index:
                del blamed[trace]
        else:
            blamed[trace] = event
            against.pop(event.native_index, None)
    standing = [*blamed.values(), *(e for each in rejected.values() for e in each.values())]
    return sorted(standing, key=lambda event: event.id)
