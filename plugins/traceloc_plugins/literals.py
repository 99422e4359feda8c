"""Python literals as JSON: what frameworks leave behind that call ``str()`` on objects."""

from __future__ import annotations

from typing import Any

_DEPTH = 64


def as_json(value: Any, *, depth: int = _DEPTH) -> Any:
    """The nearest JSON value: text keys, lists for tuples and sets, no lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, dict):
        return {as_json(str(key)): as_json(inner, depth=depth - 1) for key, inner in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [as_json(inner, depth=depth - 1) for inner in items]
    return as_json(repr(value)) if depth else "[nested too deeply]"
