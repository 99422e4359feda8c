"""What ``label``, ``confirm`` and ``reject`` share: find the step, write it down, say so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from traceloc.cli import console

if TYPE_CHECKING:
    from traceloc.labels.events import Kind

Note = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Whatever else there is to say; kept as it is.")
]
Category = Annotated[
    str | None, typer.Option(metavar="NAME", help="Kind of failure, in your own words or MAST's.")
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
    recorded = record_answer(
        find_label_store(),
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
    console.warn_of_broken_plugins(registry, "loaders", "signals")
