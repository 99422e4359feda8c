"""Half-precision vectors on their way to a server, in pgvector's own binary form."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from traceloc.memory.packing import Damage

if TYPE_CHECKING:
    import psycopg


class Half(NamedTuple):
    """A vector as the ledger packs it."""

    packed: bytes


def use_halves(connection: psycopg.Connection[Any]) -> Callable[[bytes], Half]:
    """Teach a connection to send :class:`Half`, and give what makes one.

    Raises:
        Damage: If the server has no such type.
    """
    adapters = connection.adapters
    if adapters.types.get("halfvec") is not None:
        return Half
    from psycopg.adapt import Dumper
    from psycopg.pq import Format
    from psycopg.types import TypeInfo

    info = TypeInfo.fetch(connection, "halfvec")
    if info is None:
        raise Damage("its database has no type 'halfvec'")
    number = info.oid

    class HalfDumper(Dumper):
        format = Format.BINARY
        oid = number

        def dump(self, obj: Half) -> bytes:
            values = np.frombuffer(obj.packed, "<f2")
            return struct.pack(">HH", len(values), 0) + values.astype(">f2").tobytes()

    info.register(connection)
    adapters.register_dumper(Half, HalfDumper)
    return Half
