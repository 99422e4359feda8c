"""What ``label``, ``confirm`` and ``reject`` share: find the step, write it down, say so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from traceloc.cli import console

if TYPE_CHECKING:
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
) -> None:
    """Write down what the user says of a step.

    Raises:
        UsageError: If the locator fits no step, or there is no step to confirm.
        StoreError: If the store cannot be written.
    """
    from traceloc.errors import UsageError
    from traceloc.labels.home import find_label_store
    from traceloc.labels.recording import record_answer
    from traceloc.locators import find_trace
    from traceloc.registry import Registry
    from traceloc.reporting.labels import describe_recorded
    from traceloc.settings import resolve_settings

    settings = resolve_settings({"from": loader, "system": system, "model": model}).settings
    registry = Registry()
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
    if localizer is not None:
        _remember(settings, store, recorded.event, trace, localizer=localizer, fix=fix)
    console.warn_of_broken_plugins(registry, "loaders", "signals")


def _remember(
    settings: Settings,
    store: LabelStore,
    event: Event,
    trace: Trace,
    *,
    localizer: Localizer,
    fix: str | None,
) -> None:
    """Let the failure memory follow; the answer stands, whatever becomes of it there."""
    from traceloc.errors import TracelocError
    from traceloc.memory.opening import open_memory
    from traceloc.teaching import teach_answer

    try:
        memory = open_memory(settings.memory, embedder=settings.memory_embedder)
        followed = teach_answer(memory, store, event, trace, localizer=localizer, fix=fix)
    except TracelocError as error:
        console.warn(error.code, f"the failure memory was not changed: {error}")
        return
    for one in followed.learned:
        seen = one.schema.counts.seen
        word = "new schema" if one.new else f"seen {seen} times: schema"
        console.say(f"remembered as {word} {one.schema.id}")
