"""Where the failure memory is: ``TRACELOC_MEMORY``, else a file beside the label store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from traceloc.contracts import MemoryBackend
from traceloc.errors import StoreError
from traceloc.labels.home import find_home
from traceloc.memory.store import SchemaStore
from traceloc.registry import Registry

MEMORY_FILE = "memory.db"


def find_address(
    *, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> str:
    """Path or address of the memory; nothing need be there.

    Args:
        environment: Variables; those of the process if left out.
        directory: Where the search for ``.traceloc/`` begins.
    """
    environment = os.environ if environment is None else environment
    if stated := environment.get("TRACELOC_MEMORY"):
        return stated if "://" in stated else str(Path(stated).expanduser())
    return str(find_home(environment=environment, directory=directory) / MEMORY_FILE)


def find_memory(
    address: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    registry: Registry | None = None,
) -> SchemaStore:
    """The memory of this project, user or team; it is created with the first thing learned.

    Args:
        address: A path or ``postgresql://…``; found like :func:`find_address` if left out.
        environment: Variables; those of the process if left out.
        directory: Where the search for ``.traceloc/`` begins.
        registry: Where backends are found.

    Raises:
        StoreError: TL530 if no backend knows such an address; else what the backend raises.
        PluginError: If two backends share a name.
    """
    if address is None:
        address = find_address(environment=environment, directory=directory)
    registry = registry or Registry()
    backends = cast(tuple[MemoryBackend, ...], registry.all("memories"))
    for backend in backends:
        if backend.handles(address):
            return backend.open(address)
    names = ", ".join(backend.name for backend in backends) or "none"
    broken = "".join(f"; {name}: {error}" for name, error in registry.broken("memories").items())
    scheme = address.partition("://")[0] + "://…" if "://" in address else repr(address)
    raise StoreError(
        f"no memory backend knows the address {scheme}",
        code="TL530",
        hint=f"there are: {names}{broken}",
    )
