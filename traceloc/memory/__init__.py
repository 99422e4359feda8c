"""Failure memory: past failures as error schemata, recalled by the step that failed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from traceloc.memory.memory import FailureMemory
    from traceloc.memory.schema import ErrorSchema
    from traceloc.memory.settings import MemorySettings

_HOMES = {
    "ErrorSchema": "traceloc.memory.schema",
    "FailureMemory": "traceloc.memory.memory",
    "MemorySettings": "traceloc.memory.settings",
}

__all__ = ["ErrorSchema", "FailureMemory", "MemorySettings"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'traceloc.memory' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
