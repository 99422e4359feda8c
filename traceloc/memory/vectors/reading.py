"""Vectors of a database, with what a search asks of their rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from traceloc.memory.ledger import Database
from traceloc.memory.packing import unpack_vectors
from traceloc.memory.vectors.table import Loaded, mark

_READ = 20_000


def read_rows(db: Database, *, after: int, dimension: int) -> Iterator[Loaded]:
    """Rows with a number above ``after``, in batches, by number.

    Raises:
        Damage: If a vector has another dimension.
    """
    cursor = db.execute(
        "SELECT n, shelf, system, trace, vector FROM rows WHERE n > ? ORDER BY n", (after,)
    )
    marks: dict[str | None, int] = {}
    while batch := cursor.fetchmany(_READ):
        numbers, shelves, systems, traces, vectors = zip(*batch, strict=True)
        for system in set(systems) - marks.keys():
            marks[system] = mark(system)
        yield Loaded(
            np.array(numbers, np.int64),
            np.array(shelves, np.int8),
            np.array([marks[system] for system in systems], np.int64),
            np.array([mark(trace) for trace in traces], np.int64),
            unpack_vectors(vectors, dimension=dimension),
        )


def read_chain(db: Database, version: int) -> str | None:
    """Hash of the log up to a change; ``None`` if there is no such change."""
    row = db.execute("SELECT chain FROM changes WHERE id = ?", (version,)).fetchone()
    return bytes(row[0]).hex() if row else None


def read_dead(db: Database, *, after: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of rows that were replaced or removed since a change."""
    found = db.execute("SELECT dead FROM images WHERE change > ? AND dead IS NOT NULL", (after,))
    return np.array([row[0] for row in found.fetchall()], np.int64)
