"""From labelled traces, and from the label store, to a failure memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from traceloc.errors import TracelocError
from traceloc.judging.lessons import LessonCase
from traceloc.labels.events import Event, from_here, settle_events
from traceloc.labels.home import find_label_store
from traceloc.labels.recording import hash_content
from traceloc.localizer import Localizer
from traceloc.locators import find_trace
from traceloc.memory.following import Followed, catch_up, follow_event, name_source
from traceloc.memory.learning import make_lesson, row_id
from traceloc.registry import Registry
from traceloc.settings import Settings

if TYPE_CHECKING:
    from traceloc.labels.store import LabelStore
    from traceloc.memory import FailureMemory
    from traceloc.memory.memory import Learned
    from traceloc.memory.sketch import TraceSketch
    from traceloc.trace import Trace


@dataclass
class Taught:
    """What came of teaching a set of traces."""

    name: str = ""
    """Of the folder; empty for the label store."""
    labelled: int = 0
    """Traces with a label."""
    failures: int = 0
    """Failing steps that were new to the memory."""
    new: int = 0
    merged: int = 0
    known: int = 0
    distilled: int = 0
    missing: int = 0
    """Labelled traces that are not found any more, or are not what they were."""
    problems: list[str] = field(default_factory=list)
    cases: dict[str, LessonCase] = field(default_factory=dict)
    """By schema without a lesson, the first failure that a judge may be asked about."""

    def count(self, learned: list[Learned] | tuple[Learned, ...]) -> None:
        """Add what one trace came to."""
        for one in learned:
            self.known += one.known
            self.failures += not one.known
            self.new += one.new
            self.merged += not one.new and not one.known
            self.distilled += one.distilled is not None


def teach_answer(
    memory: FailureMemory,
    store: LabelStore,
    event: Event,
    trace: Trace,
    *,
    localizer: Localizer,
    fix: str | None = None,
) -> Followed:
    """Let the memory follow an answer that was just written down.

    Raises:
        StoreError: If the memory cannot be written.
    """
    log = [each for each in store.events(system=event.system) if each.id < event.id]
    sketch = localizer.sketch(trace, system=event.system)
    return follow_event(memory, event, sketch, log=log, fix=fix, source=name_source(store))


def teach_labels(
    memory: FailureMemory,
    *,
    store: LabelStore | None = None,
    settings: Settings | None = None,
    registry: Registry | None = None,
    lessons: bool = False,
) -> Taught:
    """Let the memory follow all answers it has not taken in yet.

    Args:
        memory: What learns.
        store: Whose answers; those of this project or user if left out.
        settings: How to read the traces.
        registry: Plugins to read with.
        lessons: Say also what a judge may be asked about.

    Raises:
        StoreError: If a store cannot be used.
    """
    store = store or find_label_store()
    registry = registry or Registry()
    told = Taught()
    localizer = Localizer(registry=registry)
    settings = settings or Settings()

    def find(event: Event) -> TraceSketch | None:
        trace = _load(event, settings, registry)
        return None if trace is None else localizer.sketch(trace, system=event.system)

    for followed in catch_up(memory, store, find):
        told.count(followed.learned)
        told.missing += followed.missing
        told.labelled += bool(followed.learned)
    # Not only of what is new: a judge that gave no answer the last time may be asked again.
    standing = {
        row_id("remembered", event.system, event.content_hash, event.native_index): event
        for event in settle_events(store.events())
        if lessons and event.action != "reject"
    }
    for remembered in memory.store.get(list(standing)):
        event = standing[remembered.id]
        load = partial(_load, event, settings, registry)
        schema = remembered.belongs_to or remembered.id
        told.cases.setdefault(schema, LessonCase(remembered.id, event.step, load))
    return told


def _load(event: Event, settings: Settings, registry: Registry) -> Trace | None:
    """The trace an event is about, if it is still found and what it was."""
    locator = from_here(event.locator).rpartition("#")[0]
    try:
        trace, _ = find_trace(
            locator,
            loader=settings.from_,
            system=settings.system,
            systems=settings.systems,
            registry=registry,
        )
    except (TracelocError, OSError):
        return None
    return trace if hash_content(trace) == event.content_hash else None


def teach_dataset(
    memory: FailureMemory,
    path: Path,
    *,
    system: str | None = None,
    who: str = "unknown",
    registry: Registry | None = None,
    lessons: bool = False,
) -> Taught:
    """Teach the labelled failures of a folder.

    Args:
        memory: What learns.
        path: As ``traceloc eval`` reads it.
        system: Where they come from; as a scan would call it if left out.
        who: Who says so.
        registry: Plugins to read with.
        lessons: Say also what a judge may be asked about; its traces stay in memory.

    Raises:
        UsageError: If there is no such path, or its labels cannot be read.
    """
    from traceloc.evaluation.datasets import read_datasets

    registry = registry or Registry()
    reading = read_datasets([path], registry=registry)
    localizer = Localizer(registry=registry)
    told = Taught(name=str(path))
    told.problems = [str(error) for error in reading.errors]
    for item in reading.items:
        if not item.labels:
            continue
        told.labelled += 1
        sketch = localizer.sketch(item.trace, group=item.group, system=system)
        first = item.labels[0]
        injected = first.source is not None and "inject" in first.source
        lesson = make_lesson("injected" if injected else "labelled", category=first.category)
        natives = [label.native_index for label in item.labels if label.native_index is not None]
        learned = memory.learn(sketch, natives, lesson, who=who)
        told.count(learned)
        for one in learned:
            if lessons and one.schema.judge is None:
                case = LessonCase(one.row, one.step, partial(_same, item.trace))
                told.cases.setdefault(one.schema.id, case)
    return told


def _same(trace: Trace) -> Trace:
    return trace
