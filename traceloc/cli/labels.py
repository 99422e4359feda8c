"""``traceloc labels``: what was labelled, confirmed and rejected."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug, Output


class LabelFormat(StrEnum):
    """How labels are written."""

    text = "text"
    jsonl = "jsonl"


def labels_command(
    format: Annotated[
        LabelFormat,
        typer.Option("--format", "-f", help="A list, or rows of a labels.jsonl for 'eval'."),
    ] = LabelFormat.text,
    system: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this system.")] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Everything that was ever said, not what stands.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the newest answer that stands.")
    ] = False,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """List what was labelled, confirmed and rejected, or export it.

    The log is never rewritten: what is taken back stays in it. Rejected steps are no labels and
    are left out of labels.jsonl.
    """
    from traceloc.labels.home import find_label_store
    from traceloc.labels.recording import name_user
    from traceloc.reporting.labels import describe_recorded, export_labels, list_events

    store = find_label_store()
    with console.open_output(output) as stream:
        if undo:
            taken = store.undo(who=name_user())
            console.write_pieces(describe_recorded(taken, done="took back"), stream)
            _forget()
            return
        events = store.events(system=system) if log else store.standing(system=system)
        if format is LabelFormat.jsonl:
            groups = store.groups()
            console.write_pieces(export_labels(store.standing(system=system), groups), stream)
        else:
            console.write_pieces(list_events(events), stream)
    if not events:
        console.say(f"no labels in {store.path}")


def _forget() -> None:
    """Let the failure memory, where there is one, take back what it learned from the answer."""
    from traceloc.memory.opening import find_filled_memory
    from traceloc.reporting.terminal import one_line
    from traceloc.settings import resolve_settings
    from traceloc.teaching import teach_labels

    settings = resolve_settings({}).settings
    memory = None
    if settings.memory != "none":
        memory = find_filled_memory(settings.memory, embedder=settings.memory_embedder)
    if memory is not None:
        for problem in teach_labels(memory, settings=settings).problems:
            console.say(one_line(problem))
