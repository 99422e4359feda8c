"""``traceloc memory search``: schemata like a text."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, OfSystem, open_for_reading
from traceloc.cli.options import Debug


def search_command(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What a step said.", show_default=False)
    ],
    k: Annotated[int, typer.Option("--top-k", "-k", min=1, metavar="N", help="How many.")] = 10,
    system: OfSystem = None,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Find the schemata similar to a text: id, cosine, system, title."""
    from traceloc.reporting.memory import list_matches

    found = open_for_reading(memory)
    if found is None:
        return
    width = console.report_options(sys.stdout, color=False).width
    matches = found.search(text, k=k, system=system)
    console.write_pieces(list_matches(matches, width=width), sys.stdout)
    if not matches:
        console.say("nothing similar is remembered")
        return
    needed = found.settings.similar_above
    if not any(match.similarity >= needed for match in matches):
        console.say(f"none is so similar that a scan would recall it ({needed:.2f})")
