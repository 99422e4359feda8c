"""From an address in the settings to a failure memory that is ready."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from traceloc.errors import StoreError
from traceloc.memory.embedding import DEFAULT_EMBEDDER, open_embedder
from traceloc.memory.home import find_address, find_memory
from traceloc.memory.settings import DEFAULTS, MemorySettings
from traceloc.settings import NO_MEMORY

if TYPE_CHECKING:
    from traceloc.memory.memory import FailureMemory
    from traceloc.registry import Registry


def open_memory(
    address: str | None = None,
    *,
    embedder: str = DEFAULT_EMBEDDER,
    settings: MemorySettings = DEFAULTS,
    registry: Registry | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> FailureMemory:
    """The memory at an address, or that of this project or user, to be changed.

    Vectors of another embedder than the one named are made anew.

    Args:
        address: A path or ``postgresql://…``.
        embedder: Name of the embedder.
        settings: Parameters of the memory.
        registry: Where backends and embedders are found.
        on_progress: Told while vectors are made anew.

    Raises:
        StoreError: TL541 if the memory is switched off; else if it cannot be used.
    """
    from traceloc.memory.memory import FailureMemory

    if address == NO_MEMORY:
        raise StoreError(
            "the failure memory is switched off",
            code="TL541",
            hint="TRACELOC_MEMORY or memory in traceloc.toml says 'none'",
        )
    store = find_memory(address, registry=registry)
    made = open_embedder(store, embedder, on_progress=on_progress, registry=registry)
    return FailureMemory(store, embedder=made, settings=settings)


def find_filled_memory(
    address: str | None = None,
    *,
    embedder: str = DEFAULT_EMBEDDER,
    settings: MemorySettings = DEFAULTS,
    registry: Registry | None = None,
) -> FailureMemory | None:
    """The memory for reading, or ``None`` where there is none or nothing in it.

    Raises:
        StoreError: If there is something that cannot be read, or vectors of another embedder.
    """
    from traceloc.memory.memory import FailureMemory

    if address == NO_MEMORY:
        return None
    named = find_address() if address is None else address
    if "://" not in named and not Path(named).expanduser().exists():
        # The commonest case by far; no backend need be loaded to see it.
        return None
    store = find_memory(named, registry=registry)
    if store.version() == 0:
        return None
    made = open_embedder(store, embedder, change=False, registry=registry)
    return FailureMemory(store, embedder=made, settings=settings)
