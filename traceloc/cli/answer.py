"""What ``label``, ``confirm`` and ``reject`` share: find the step, write it down, say so."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traceloc.cli import console

if TYPE_CHECKING:
    from traceloc.judging.panel import Panel
    from traceloc.labels.events import Event, Kind
    from traceloc.labels.store import LabelStore
    from traceloc.localizer import Localizer
    from traceloc.settings import Settings
    from traceloc.trace import Trace

Note = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Whatever else there is to say; kept as it is.")
]
Category = Annotated[
    str | None, typer.Option(metavar="NAME", help="Kind of failure, in your own words or MAST's.")
]
Fix = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="What mended it; said when the failure is seen again."),
]
DONE = {"label": "labelled", "confirm": "confirmed", "reject": "rejected"}


def write_down(
    kind: Kind,
    locator: str,
    *,
    loader: str | None,
    system: str | None,
    model: str | None = None,
    agent: str | None = None,
    category: str | None = None,
    note: str | None = None,
    fix: str | None = None,
    judge: Mapping[str, Any] | None = None,
) -> None:
    """Write down what the user says of a step.

    Args:
        kind: What is said.
        locator: Of the step.
        loader: What reads the trace.
        system: Where it comes from.
        model: What finds the step, where none is named.
        agent: Who is to blame.
        category: Kind of failure.
        note: Whatever else there is to say.
        fix: What mended it.
        judge: Options of the judge that is asked for a lesson, if it names one.

    Raises:
        UsageError: If the locator fits no step, there is no step to confirm, or the judge cannot
            be meant.
        StoreError: If the store cannot be written.
    """
    from traceloc.errors import UsageError
    from traceloc.labels.home import find_label_store
    from traceloc.labels.recording import record_answer
    from traceloc.locators import find_trace
    from traceloc.registry import Registry
    from traceloc.reporting.labels import describe_recorded
    from traceloc.settings import resolve_settings

    given = {"from": loader, "system": system, "model": model, **(judge or {})}
    settings = resolve_settings(given).settings
    registry = Registry()
    teacher = None
    if judge is not None and judge.get("judge") is not None:
        from traceloc.cli.lessons import find_teacher

        # Before anything is written: who names a judge that cannot be meant wants to try again.
        teacher = find_teacher(settings, registry)
    trace, step = find_trace(
        locator,
        loader=settings.from_,
        system=settings.system,
        systems=settings.systems,
        registry=registry,
    )
    if step is None and kind == "confirm":
        from traceloc import scanning

        options = scanning.ScanOptions.of(settings)
        step = scanning.confirmed_step(trace, options=options, registry=registry)
    elif step is None:
        raise UsageError(
            f"{locator!r} names no step",
            code="TL508",
            hint=f"say which: {trace.locator()}#STEP; 'traceloc show' lists them",
        )
    store = find_label_store()
    localizer = None
    if settings.memory != "none" and registry.names("memories"):
        from traceloc.localizer import Localizer

        # Made before the answer is there: what the ranker said without it is what counts.
        localizer = Localizer(settings.model, registry=registry, labels=store)
    recorded = record_answer(
        store,
        kind,
        trace,
        step,
        signals=registry.all("signals"),
        agent=agent,
        category=category,
        note=note,
    )
    console.write_pieces(describe_recorded(recorded.event, done=DONE[kind]), sys.stdout)
    if not recorded.learnable:
        console.warn("TL509", f"step #{step} cannot be blamed, so nothing is learned from it")
    answered = True
    if localizer is not None:
        answered = _remember(
            settings, store, recorded.event, trace, localizer=localizer, fix=fix, teacher=teacher
        )
    console.warn_of_broken_plugins(registry, "loaders", "signals")
    if not answered:
        console.fail(3)


def _remember(
    settings: Settings,
    store: LabelStore,
    event: Event,
    trace: Trace,
    *,
    localizer: Localizer,
    fix: str | None,
    teacher: Panel | None,
) -> bool:
    """Let the failure memory follow; the answer stands, whatever becomes of it there.

    Returns:
        Whether the judge that was to write a lesson came to one.
    """
    from traceloc.errors import TracelocError
    from traceloc.memory.opening import open_memory
    from traceloc.quoting import say_count
    from traceloc.teaching import teach_answer

    try:
        memory = open_memory(settings.memory, embedder=settings.memory_embedder)
        followed = teach_answer(memory, store, event, trace, localizer=localizer, fix=fix)
    except TracelocError as error:
        console.warn(error.code, f"the failure memory was not changed: {error}")
        return teacher is None
    for one in followed.learned:
        seen = say_count(one.schema.counts.seen, "time")
        word = "new schema" if one.new else f"seen {seen}: schema"
        console.say(f"remembered as {word} {one.schema.id}")
    if teacher is None:
        return True
    from traceloc.cli.lessons import ask_lessons
    from traceloc.judging.lessons import LessonCase

    cases = [LessonCase(one.row, one.step, lambda: trace) for one in followed.learned]
    return ask_lessons(memory, cases, teacher)
