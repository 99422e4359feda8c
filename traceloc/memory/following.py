"""The memory listens to the label store: each event there changes what is remembered here.

Events hold no text, so a failure can be learned only where the trace is still found. What takes
something back needs no text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from traceloc.labels.events import Event, from_here, settle_events
from traceloc.memory.answering import add_ordinary, count_answer, forget_failures
from traceloc.memory.learning import make_lesson

if TYPE_CHECKING:
    from traceloc.labels.store import LabelStore
    from traceloc.memory.memory import FailureMemory, Learned
    from traceloc.memory.schema import ErrorSchema, Origin
    from traceloc.memory.sketch import TraceSketch

FindSketch = Callable[[Event], "TraceSketch | None"]
"""Gives the trace an event is about, if it is still what it was."""


class Followed(NamedTuple):
    """What an event did to the memory."""

    learned: tuple[Learned, ...] = ()
    answered: tuple[ErrorSchema, ...] = ()
    """Schemata whose recall in that step was confirmed or rejected."""
    forgotten: int = 0
    """Remembered failures that were taken out."""
    missing: bool = False
    """Whether the trace would have been needed and was not found."""


def name_source(store: LabelStore) -> str:
    """How the memory calls a label store; several may feed one memory."""
    path = str(Path(store.path).absolute()).encode("utf-8", "replace")
    return hashlib.blake2b(path, digest_size=6).hexdigest()


def follow_event(
    memory: FailureMemory,
    event: Event,
    sketch: TraceSketch | None,
    *,
    log: Sequence[Event] = (),
    fix: str | None = None,
    source: str = "",
) -> Followed:
    """Do to the memory what an event of the label store says.

    Args:
        memory: What is changed.
        event: What somebody said.
        sketch: The trace it is about; ``None`` where it is not found.
        log: The events before it; an ``undo`` is understood with them.
        fix: What mended the failure, in the words of whoever says so.
        source: Name of the label store.
    """
    note = f"{event.action} {event.id}: {from_here(event.locator)}"
    common: dict[str, Any] = {"who": event.who, "note": note, "cursor": event.id, "source": source}
    trace, system = event.content_hash, event.system
    if event.action in ("reject", "undo"):
        answered = _count(memory, event, sketch, note=note) if event.action == "reject" else ()
        forgotten = forget_failures(memory, trace, system=system, only=event.native_index, **common)
        if sketch is None:
            return Followed(answered=answered, forgotten=forgotten)
        if event.action == "reject":
            add_ordinary(memory, sketch, event.native_index, who=event.who, note=note)
            return Followed(answered=answered, forgotten=forgotten)
        # What stood before may stand again.
        before = [e for e in settle_events([*log, event]) if e.content_hash == trace]
        back = [e for e in before if e.action != "reject"]
        learned = [one for e in back for one in _learn(memory, e, sketch, fix=None, common=common)]
        return Followed(tuple(learned), forgotten=forgotten)
    if sketch is None:
        # The newest label of a trace counts, also where the trace is not found any more.
        forgotten = forget_failures(
            memory, trace, system=system, keep=[event.native_index], **common
        )
        return Followed(forgotten=forgotten, missing=True)
    answered = _count(memory, event, sketch, note=note)
    forgotten = forget_failures(
        memory, trace, system=system, keep=[event.native_index], who=event.who, note=note
    )
    learned = _learn(memory, event, sketch, fix=fix, common=common)
    if memory.store.cursor(source) < event.id:
        memory.change("hit", **common)
    return Followed(tuple(learned), answered, forgotten)


def catch_up(memory: FailureMemory, store: LabelStore, find: FindSketch) -> list[Followed]:
    """Follow the events that the memory has not taken in yet; what each of them did."""
    source = name_source(store)
    known = memory.store.cursor(source)
    events = store.events()
    undone = {event.undoes for event in events if event.undoes is not None}
    found = []
    for position, event in enumerate(events):
        # What was taken back before the memory ever heard of it need not be learned first.
        if event.id <= known or event.id in undone:
            continue
        if event.action == "undo" and event.undoes is not None and event.undoes > known:
            continue
        found.append(follow_event(memory, event, find(event), log=events[:position], source=source))
    return found


def _learn(
    memory: FailureMemory,
    event: Event,
    sketch: TraceSketch,
    *,
    fix: str | None,
    common: dict[str, Any],
) -> list[Learned]:
    origin: Origin = "confirmed" if event.action == "confirm" else "labelled"
    lesson = make_lesson(origin, category=event.category, fix=fix, at=event.at, whole=True)
    return memory.learn(sketch, [event.native_index], lesson, **common)


def _count(
    memory: FailureMemory, event: Event, sketch: TraceSketch | None, *, note: str
) -> tuple[ErrorSchema, ...]:
    if sketch is None or memory.empty:
        return ()
    right = event.action != "reject"
    answered = count_answer(
        memory, sketch, event.native_index, right=right, who=event.who, at=event.at, note=note
    )
    return tuple(answered)
