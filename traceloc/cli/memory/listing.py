"""``traceloc memory list``: what is remembered."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, OfSystem, list_of
from traceloc.cli.options import Debug


def list_command(
    system: OfSystem = None,
    category: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only of this category, MAST's or your own.")
    ] = None,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """List the schemata, those seen most often first: id, sightings, system, title."""
    from traceloc.reporting.memory import list_schemata

    found = list_of(memory, system)
    if category is not None and found:
        wanted = category.casefold()
        found = [s for s in found if wanted in _names(s.category, s.mast, s.agentrx)]
        if not found:
            console.say("no schemata of this category")
    found.sort(key=lambda s: (-s.counts.seen, s.id))
    width = console.report_options(sys.stdout, color=False).width
    console.write_pieces(list_schemata(found, width=width), sys.stdout)


def _names(*names: str | None) -> set[str]:
    return {name.casefold() for name in names if name}
