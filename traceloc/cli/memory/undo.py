"""``traceloc memory undo``: take a change back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_store
from traceloc.cli.options import Debug


def undo_command(
    change: Annotated[
        int | None,
        typer.Argument(
            metavar="CHANGE",
            help="Number in 'memory log'; the newest if left out.",
            show_default=False,
        ),
    ] = None,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Take back a change of the memory. The log keeps both."""
    from traceloc.labels.recording import name_user
    from traceloc.reporting.memory import list_changes

    made = open_store(memory).undo(change, who=name_user())
    console.write_pieces(list_changes([made]), sys.stdout)
