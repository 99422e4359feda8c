"""``traceloc schema``: JSON Schemas of the public documents."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug


def schema_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="attribution, error_schema, model, repeats, report or trace.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        str | None, typer.Option("--write", metavar="DIR", help="Write all of them there.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Print the JSON Schema of a public document, or the names of all."""
    import sys

    from traceloc.schemas import DOCUMENTS, render_schema, write_schemas

    if write is not None:
        for path in write_schemas(write):
            console.say(f"wrote {path}")
    elif name is None:
        console.write_pieces((f"{each}\n" for each in DOCUMENTS), sys.stdout)
    else:
        console.write_pieces([render_schema(name)], sys.stdout)
