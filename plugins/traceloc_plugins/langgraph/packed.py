"""Values of LangGraph's checkpoints: msgpack with Python objects in it, read as plain JSON.

No class is looked up and none is made: of an object its fields are kept.
"""

from __future__ import annotations

import math
from typing import Any

from pydantic_core import from_json

from traceloc.loading import Source
from traceloc_plugins.records import bounded

_DEPTH = 24
"""Objects inside objects; each level is a copy of what is inside."""
_NAMED = (0, 1, 2, 3, 4, 5)
"""Codes whose data are a module, a name and what an object was made of."""
_ARRAY = 6
_SNAPSHOT = 7
_SECRETS = frozenset({"SecretStr", "SecretBytes"})


class Unpacker:
    """Decodes the typed values of one database.

    Args:
        source: The database, to locate errors.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.strange: dict[str, int] = {}
        """How many values of each type could not be read."""

    def read(self, kind: Any, data: Any) -> Any:
        """One value; ``None`` where its type cannot be read without running foreign code.

        Raises:
            TraceFormatError: If the package that reads msgpack is missing.
        """
        if kind in ("null", None) and not data:
            return None
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        try:
            if kind == "msgpack" and isinstance(data, bytes):
                return bounded(_plain(self._unpack(data, 0)))
            if kind == "json" and isinstance(data, bytes):
                return bounded(from_json(data))
        except (ValueError, RecursionError):
            kind = f"damaged {kind}"
        self.strange[str(kind)] = self.strange.get(str(kind), 0) + 1
        return None

    def _unpack(self, data: bytes, depth: int) -> Any:
        try:
            import ormsgpack
        except ImportError as error:
            raise self._source.error(
                "holds msgpack, which needs the 'ormsgpack' package",
                code="TL102",
                hint="pip install 'traceloc[msgpack]'",
            ) from error
        if depth > _DEPTH:
            return "[nested too deeply]"

        def open_object(code: int, inner: bytes) -> Any:
            if code == _SNAPSHOT:
                return self._unpack(inner, depth + 1)
            if code not in _NAMED:
                return "[array]" if code == _ARRAY else f"[extension {code}]"
            parts = self._unpack(inner, depth + 1)
            if not isinstance(parts, list | tuple) or len(parts) < 3:
                return parts
            return _object(str(parts[1]), parts[2])

        return ormsgpack.unpackb(data, ext_hook=open_object, option=ormsgpack.OPT_NON_STR_KEYS)


def _object(name: str, made_of: Any) -> Any:
    if name in _SECRETS:
        return "[secret]"
    if isinstance(made_of, dict):
        return made_of
    if name == "Send" and isinstance(made_of, list | tuple) and len(made_of) == 2:
        return {"node": made_of[0], "arg": made_of[1]}
    return made_of


def _plain(value: Any) -> Any:
    """The same value with nothing in it that JSON does not have."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    return str(value)
