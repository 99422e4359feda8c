"""The measurements of a labelled trace as bytes: a later fit needs neither file nor text."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traceloc.contracts import Signal
from traceloc.ranking.table import FeatureTable, list_versions

MAX_ROWS = 256
"""Candidates kept of one trace. Of longer traces the named ones and an even sample of the others
stay, which leaves a conditional logit consistent (McFadden 1978, "Modelling the choice of
residential location")."""


@dataclass(frozen=True)
class Measurements:
    """Rows of the candidates of one trace, and what they were measured with."""

    features: NDArray[np.float32]
    """Shape ``(n_candidates, n_features)``."""
    native: NDArray[np.int64]
    """Native index of each candidate."""
    names: tuple[str, ...]
    """``family.feature`` of each column."""
    versions: Mapping[str, str]
    """Version of each signal."""

    @property
    def signals_hash(self) -> str:
        """Of names and versions: rows of another hash cannot be compared with these."""
        return hash_signals(self.names, self.versions)

    def pack(self) -> tuple[bytes, bytes]:
        """Features and native indices, compressed."""
        rows = np.ascontiguousarray(self.features, dtype="<f4").tobytes()
        return zlib.compress(rows, 6), zlib.compress(self.native.astype("<i8").tobytes(), 6)


def hash_signals(names: Sequence[str], versions: Mapping[str, str]) -> str:
    """Digest over the columns and the versions of their signals."""
    text = json.dumps([list(names), sorted(versions.items())])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def keep_measurements(
    table: FeatureTable, signals: Sequence[Signal], *, named: Sequence[int]
) -> Measurements:
    """The rows worth keeping of a measured trace.

    Args:
        table: What was measured.
        signals: With what.
        named: Native indices that somebody has named; their rows always stay.
    """
    n = len(table.candidates)
    places = np.arange(n)
    if n > MAX_ROWS:
        wanted = np.flatnonzero(np.isin(table.native, np.asarray(list(named), dtype=np.int64)))
        others = np.setdiff1d(places, wanted)
        room = max(MAX_ROWS - len(wanted), 1)
        even = others[np.linspace(0, len(others) - 1, room).round().astype(np.int64)]
        places = np.union1d(wanted, even)
    return Measurements(
        features=table.matrix[table.candidates[places]],
        native=table.native[places],
        names=table.names,
        versions=list_versions(signals),
    )


def unpack(
    features: bytes, native: bytes, *, rows: int, columns: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What :meth:`Measurements.pack` packed.

    Raises:
        ValueError: If the bytes are not what was packed.
    """
    matrix = np.frombuffer(_inflate(features, 4 * rows * columns), dtype="<f4")
    indices = np.frombuffer(_inflate(native, 8 * rows), dtype="<i8")
    found = matrix.reshape(rows, columns).astype(np.float32)
    if not np.isfinite(found).all():
        raise ValueError("measurements are not finite")
    return found, indices.astype(np.int64)


def _inflate(data: bytes, size: int) -> bytes:
    """Exactly ``size`` bytes; a row that claims less than it holds must not fill the memory."""
    try:
        found = zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"measurements are damaged: {error}") from error
    if len(found) != size:
        raise ValueError(f"measurements have {len(found)} bytes; expected {size}")
    return found
