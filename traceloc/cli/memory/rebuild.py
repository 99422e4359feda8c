"""``traceloc memory rebuild``: vectors anew, and schemata distilled anew."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_for_change
from traceloc.cli.options import Debug


def rebuild_command(
    distil: Annotated[
        bool, typer.Option("--distil", help="Distil every schema seen more than once, too.")
    ] = False,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Embed every text anew, weigh words anew, and make the index anew."""
    from traceloc.cli.progress import ProgressBar
    from traceloc.labels.recording import name_user
    from traceloc.memory.embedding import embed_anew
    from traceloc.quoting import say_count

    found = open_for_change(memory)
    if found.empty:
        console.say("nothing is remembered")
        return
    bar = ProgressBar(doing="embedding", what="texts")
    try:
        found.embedder = embed_anew(found.store, found.embedder, on_progress=bar.update)
    finally:
        bar.clear()
    made = found.distil_all(who=name_user()) if distil else 0
    schemata = say_count(found.store.count("schema"), "schema", "schemata")
    console.say(f"rebuilt {schemata}, distilled {made}")
