"""``traceloc memory list``: what is remembered."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, OfSystem, open_store
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

    rows = open_store(memory).rows("schema", system=system)
    found = [row.schema_ for row in rows if row.schema_ is not None]
    if category is not None:
        wanted = category.casefold()
        found = [s for s in found if wanted in _names(s.category, s.mast, s.agentrx)]
    found.sort(key=lambda s: (-s.counts.seen, s.id))
    width = console.report_options(sys.stdout, color=False).width
    console.write_pieces(list_schemata(found, width=width), sys.stdout)
    if not found:
        console.say("no schemata")


def _names(*names: str | None) -> set[str]:
    return {name.casefold() for name in names if name}
