"""What the commands of ``traceloc memory`` share: its options, and the memory they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from traceloc.memory import FailureMemory
    from traceloc.memory.store import SchemaStore

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
    from traceloc.cli import console
    from traceloc.memory.opening import find_filled_memory
    from traceloc.settings import resolve_settings

    settings = resolve_settings({"memory": address}).settings
    memory = find_filled_memory(settings.memory, embedder=settings.memory_embedder)
    if memory is None:
        console.say(f"nothing is remembered in {where(address)}")
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


def where(address: str | None) -> str:
    """The address without a password, for a reader."""
    import re

    from traceloc.memory.home import find_address
    from traceloc.settings import resolve_settings

    named = resolve_settings({"memory": address}).settings.memory or find_address()
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", named)
