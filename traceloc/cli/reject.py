"""``traceloc reject``: say that a step is not the decisive error."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli.answer import Note, write_down
from traceloc.cli.options import Debug, From, System


def reject_command(
    locator: Annotated[
        str,
        typer.Argument(
            metavar="TRACE#STEP",
            help="A step that is not the decisive error.",
            show_default=False,
        ),
    ],
    note: Note = None,
    from_: From = None,
    system: System = None,
    debug: Debug = False,
) -> None:
    """Say that a step is not the decisive error; any other step of the trace may be."""
    write_down("reject", locator, loader=from_, system=system, note=note)
