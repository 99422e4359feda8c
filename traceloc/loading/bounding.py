"""Limits on values that a source gives: how deep they are nested, how much of them is kept."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

MAX_DEPTH = 64
"""Fields nested deeper are kept as a note that they were there."""
_NESTED = (dict, list)


def bounded(value: Any, *, depth: int = MAX_DEPTH) -> Any:
    """The same JSON value, with what is nested absurdly deep cut off."""
    if isinstance(value, dict):
        if depth == 0:
            return "[nested too deeply]"
        return {
            key: bounded(inner, depth=depth - 1) if isinstance(inner, _NESTED) else inner
            for key, inner in value.items()
        }
    if isinstance(value, list):
        if depth == 0:
            return "[nested too deeply]"
        return [bounded(inner, depth=depth - 1) for inner in value]
    return value


def is_deep(value: dict[str, Any] | list[Any], depth: int = MAX_DEPTH) -> bool:
    """Whether a JSON value is nested so deeply that it has to be bounded."""
    if depth == 0:
        return True
    for inner in value.values() if isinstance(value, dict) else value:
        if inner and isinstance(inner, _NESTED) and is_deep(inner, depth - 1):
            return True
    return False


def as_json(value: Any) -> str:
    """A JSON value as text, whatever it holds."""
    try:
        return to_json(value, inf_nan_mode="constants").decode()
    except ValueError:
        return to_json(bounded(value), inf_nan_mode="constants").decode()


def is_small(value: Any, *, size: int) -> bool:
    """Whether a JSON value has at most so many characters and items; stops looking beyond."""
    waiting = [value]
    while waiting and size >= 0:
        item = waiting.pop()
        if isinstance(item, str):
            size -= len(item)
        elif isinstance(item, dict):
            size -= len(item)
            waiting.extend(item.values())
            if size >= 0:
                size -= sum(map(len, item))
        elif isinstance(item, list):
            size -= len(item)
            waiting.extend(item)
    return size >= 0
