"""``traceloc memory prune``: keep what is useful."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_for_change
from traceloc.cli.options import Debug


def prune_command(
    max_size: Annotated[
        int | None,
        typer.Option("--max-size", min=0, metavar="N", help="Schemata to keep. [default: 10000]"),
    ] = None,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Evict the least useful schemata: seldom seen, seldom recalled, rejected, long not met.

    'memory undo' brings them back.
    """
    from traceloc.labels.recording import name_user
    from traceloc.quoting import say_count
    from traceloc.reporting.memory import list_schemata

    gone = open_for_change(memory).prune(max_size, who=name_user())
    width = console.report_options(sys.stdout, color=False).width
    console.write_pieces(list_schemata(gone, width=width), sys.stdout)
    console.say(f"{say_count(len(gone), 'schema', 'schemata')} evicted")
