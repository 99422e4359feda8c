"""``traceloc memory log``: what happened to the memory."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_store
from traceloc.cli.options import Debug


def log_command(
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="N", help="The newest so many.")
    ] = 30,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """List the changes in order: number, time, what was done, rows put and removed, why and who."""
    from traceloc.reporting.memory import list_changes

    store = open_store(memory)
    changes = store.log(after=max(0, store.version() - limit))
    console.write_pieces(list_changes(changes), sys.stdout)
    if not changes:
        console.say("nothing happened yet")
