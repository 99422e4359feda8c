"""``traceloc memory import``: another team's schemata, or the shipped ones."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_for_change
from traceloc.cli.options import Debug


def import_command(
    path: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="JSON, JSONL or YAML that 'memory export' wrote; 'seed' is the shipped library.",
            show_default=False,
        ),
    ],
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Merge schemata into the memory. Of one that is known the version seen more often stays."""
    from traceloc.labels.recording import name_user
    from traceloc.memory.documents import read_schemata
    from traceloc.memory.seed import load_seed
    from traceloc.quoting import say_count

    schemata = load_seed() if path == "seed" else read_schemata(path)
    found = open_for_change(memory)
    change = found.put_schemata(schemata, who=name_user(), note=path)
    new = 0 if change is None else len(change.put)
    console.say(f"{say_count(len(schemata), 'schema', 'schemata')} read, {new} taken in")
