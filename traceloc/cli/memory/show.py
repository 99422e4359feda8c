"""``traceloc memory show``: one schema."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, SchemaId, open_for_reading
from traceloc.cli.options import Debug


def show_command(
    id: SchemaId,
    json: Annotated[bool, typer.Option("--json", help="As a JSON document.")] = False,
    memory: Memory = None,
    debug: Debug = False,
) -> None:
    """Show a schema: its step, what stood around it, questions that detect it, fix, sightings."""
    from traceloc.errors import StoreError
    from traceloc.reporting.memory import describe_schema

    found = open_for_reading(memory)
    if found is None:
        raise StoreError(f"there is no schema {id!r}", code="TL540")
    schema = found.get(id)
    pieces = [schema.model_dump_json(indent=1) + "\n"] if json else describe_schema(schema)
    console.write_pieces(pieces, sys.stdout)
