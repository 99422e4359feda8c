"""``traceloc memory export``: schemata for others."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, OfSystem, list_of
from traceloc.cli.options import Debug, Output


class SchemaFormat(StrEnum):
    """How schemata are written."""

    json = "json"
    jsonl = "jsonl"
    yaml = "yaml"


def export_command(
    format: Annotated[
        SchemaFormat, typer.Option("--format", "-f", help="One document, or a schema a line.")
    ] = SchemaFormat.json,
    system: OfSystem = None,
    output: Output = None,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Write the schemata out, for 'memory import' elsewhere. Texts in them are masked."""
    from traceloc.memory.documents import write_schemata
    from traceloc.quoting import say_count

    found = list_of(memory, system)
    with console.open_output(output) as stream:
        console.write_pieces(write_schemata(found, format.value), stream)
    console.say(say_count(len(found), "schema", "schemata"))
