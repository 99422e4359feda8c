"""What the commands of ``traceloc memory`` share: its options, and the memory they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from traceloc.memory import FailureMemory
    from traceloc.memory.schema import ErrorSchema
    from traceloc.memory.store import SchemaStore

ANY = "any"
"""How listings call what belongs to no system."""

Memory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="ADDRESS",
        help="Path or postgresql://… of the memory. [default: of this project or user]",
    ),
]
OfSystem = Annotated[str | None, typer.Option("--system", metavar="NAME", help="Only of this one.")]
SchemaId = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Id of a schema, or the beginning of it.", show_default=False
    ),
]


def open_for_change(address: str | None) -> FailureMemory:
    """The memory, its vectors made anew if another embedder made them."""
    from traceloc.cli.progress import ProgressBar
    from traceloc.memory.opening import open_memory
    from traceloc.settings import resolve_settings

    settings = resolve_settings({"memory": address}).settings
    bar = ProgressBar(doing="embedding", what="texts")
    try:
        return open_memory(
            settings.memory, embedder=settings.memory_embedder, on_progress=bar.update
        )
    finally:
        bar.clear()


def open_for_reading(address: str | None) -> FailureMemory | None:
    """The memory, or ``None`` and a word about it where it is empty."""
    from traceloc.memory.opening import find_filled_memory
    from traceloc.settings import resolve_settings

    settings = resolve_settings({"memory": address}).settings
    memory = find_filled_memory(settings.memory, embedder=settings.memory_embedder)
    if memory is None:
        say_empty(address)
    return memory


def open_store(address: str | None) -> SchemaStore:
    """The rows alone, whoever made the vectors."""
    from traceloc.errors import StoreError
    from traceloc.memory.home import find_memory
    from traceloc.settings import NO_MEMORY, resolve_settings

    settings = resolve_settings({"memory": address}).settings
    if settings.memory == NO_MEMORY:
        raise StoreError("the failure memory is switched off", code="TL541")
    return find_memory(settings.memory)


def list_of(address: str | None, system: str | None) -> list[ErrorSchema]:
    """The schemata of a system, or all; where there are none, a word about it.

    ``any`` are those of no system, as listings call them.
    """
    from traceloc.cli import console
    from traceloc.reporting.terminal import one_line

    store = open_store(address)
    rows = store.rows("schema", system=None if system == ANY else system)
    found = [row.schema_ for row in rows if row.schema_ is not None]
    if system == ANY:
        found = [schema for schema in found if schema.system is None]
    if not found and system is not None and store.count("schema"):
        names = sorted({row.system or ANY for row in store.rows("schema")})
        console.say(f"no schemata of {one_line(system)!r}; systems: {one_line(', '.join(names))}")
    elif not found:
        say_empty(address)
    return found


def say_empty(address: str | None) -> None:
    """Say that nothing is remembered, and what would change that."""
    from traceloc.cli import console

    console.say(f"nothing is remembered in {where(address)}")
    console.say("hint: 'traceloc label TRACE#STEP' or 'traceloc learn LABELLED' teaches it")


def where(address: str | None) -> str:
    """The address without a password, for a reader."""
    import re

    from traceloc.memory.home import find_address
    from traceloc.settings import resolve_settings

    named = resolve_settings({"memory": address}).settings.memory or find_address()
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", named)
