"""Rows and vectors as bytes: small, checked when they are read, never executed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from traceloc.memory.store import Row

MAX_ROW = 1 << 20
"""Bytes of a row as JSON; what claims to be larger is damage."""
_STORED = np.dtype("<f2")


class Damage(ValueError):
    """Bytes that a memory cannot hold."""


def pack_row(row: Row) -> bytes:
    """A row as compressed JSON.

    Raises:
        ValueError: If it is larger than ``MAX_ROW``.
    """
    content = row.model_dump_json(exclude_defaults=True).encode("utf-8", "replace")
    if len(content) > MAX_ROW:
        raise ValueError(f"row {row.id!r} has {len(content):,} bytes; at most {MAX_ROW:,} are kept")
    return zlib.compress(content, 6)


def unpack_row(packed: bytes) -> Row:
    """The row of :func:`pack_row`.

    Raises:
        Damage: If it is none.
    """
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(packed, MAX_ROW)
    except zlib.error as error:
        raise Damage(f"a row cannot be decompressed: {error}") from error
    if not reader.eof:
        raise Damage("a row breaks off or is too large")
    try:
        return Row.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Damage(f"a row has no valid {place or 'shape'}: {first['msg']}") from error


def pack_vectors(vectors: NDArray[np.float32], *, rows: int) -> list[bytes]:
    """Vectors in half precision, one after the other.

    The error this brings into a cosine is about 2e-5, far below what an embedding means.

    Raises:
        ValueError: If there are not ``rows`` of them, or one is not finite or longer than 1.
    """
    matrix = np.asarray(vectors, dtype=np.float32)
    if matrix.ndim != 2 or len(matrix) != rows:
        raise ValueError(f"vectors have shape {matrix.shape}, expected ({rows}, dimension)")
    if not np.isfinite(matrix).all() or (np.abs(matrix) > 2.0).any():
        raise ValueError("a vector is not finite, or not of unit length")
    return [row.tobytes() for row in np.ascontiguousarray(matrix, dtype=_STORED)]


def unpack_vectors(packed: Sequence[bytes], *, dimension: int) -> NDArray[np.float32]:
    """The vectors of :func:`pack_vectors`, shape ``(len(packed), dimension)``.

    Raises:
        Damage: If one has another dimension.
    """
    width = dimension * _STORED.itemsize
    wrong = next((len(each) for each in packed if len(each) != width), None)
    if wrong is not None:
        raise Damage(f"a vector has {wrong} bytes, expected {width}")
    flat = np.frombuffer(b"".join(packed), dtype=_STORED)
    return flat.reshape(len(packed), dimension).astype(np.float32)
