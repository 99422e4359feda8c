"""Nearest neighbours over the rows of a memory in SQLite, kept in step with it.

Small memories are read whole and searched exactly. Of large ones the bulk lies in files beside
the database (:mod:`~traceloc.memory.vectors.bulk_file`) that any process maps; what came since is
searched exactly and merged. Rows are the truth: files that are missing, stale or damaged are made
again.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.ledger import read_meta, read_version
from traceloc.memory.store import Neighbour
from traceloc.memory.vectors.bulk import Bulk
from traceloc.memory.vectors.bulk_build import build_bulk, fits
from traceloc.memory.vectors.bulk_file import building, read_head
from traceloc.memory.vectors.exact import normalize, order
from traceloc.memory.vectors.reading import read_dead, read_rows
from traceloc.memory.vectors.table import Found, Part, VectorTable

BULK_FROM = 20_000
"""Rows from which on an exact search would take longer than one through clusters."""
TAIL_ROWS = 8192
"""New rows that are searched exactly before they join the bulk."""
_COMPACT = 4096


class MemoryIndex:
    """The vectors of one database.

    Args:
        database: Path of its file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._bulk: Bulk | None = None
        self._table: VectorTable | None = None
        self._epoch = -1
        self._version = 0
        self._unwritable = False

    def nearest(
        self, db: sqlite3.Connection, queries: NDArray[np.float32], *, k: int, part: Part
    ) -> list[list[Neighbour]]:
        """Neighbours in the snapshot that ``db`` reads, or a newer one.

        Raises:
            Damage: If the rows hold what cannot be a vector.
        """
        unit = normalize(queries)
        asked = np.flatnonzero(unit.any(axis=1))
        result: list[list[Neighbour]] = [[] for _ in queries]
        if not len(asked) or k < 1:
            return result
        with self._lock:
            table = self._follow(db)
            found = table.search(unit[asked], k, part)
            if self._bulk is not None:
                older = self._bulk.search(unit[asked], k, part)
                found = [_join(*both) for both in zip(older, found, strict=True)]
        found = [_cut(each, k) for each in found]
        ids = _read_ids(db, found)
        for place, near in zip(asked.tolist(), found, strict=True):
            names = [ids[n] for n in near.numbers.tolist()]
            result[place] = order(names, near.scores, k)
        return result

    def keep_up(self, db: sqlite3.Connection) -> None:
        """Let new rows join the bulk if there are many, so that no reader has to wait for it."""
        head = read_head(self._database)
        last = head.last if head is not None and fits(head, db) else 0
        if _is_much(db, last):
            with self._lock:
                self._follow(db)

    def _follow(self, db: sqlite3.Connection) -> VectorTable:
        version, epoch = read_version(db), read_meta(db).epoch
        table = self._table
        # A number that falls means that a copy was put back in place.
        if table is None or epoch != self._epoch or version < self._version:
            table = self._begin(db)
        elif version > self._version:
            dead = read_dead(db, after=self._version)
            table.bury(dead)
            if self._bulk is not None:
                self._bulk.bury(dead)
            if table.dead > max(_COMPACT, table.size // 2):
                table = VectorTable(read_meta(db).dimension)
        else:
            return table
        last = self._bulk.last if self._bulk is not None else 0
        if not self._unwritable and _is_much(db, last):
            self._build(db)
            table = self._begin(db)
            last = self._bulk.last if self._bulk is not None else 0
        dimension = read_meta(db).dimension
        for rows in read_rows(db, after=max(table.last, last), dimension=dimension):
            table.add(rows)
        self._table, self._epoch = table, read_meta(db).epoch
        self._version = read_version(db)
        return table

    def _begin(self, db: sqlite3.Connection) -> VectorTable:
        """Map the bulk if it belongs to this memory; nothing else is known then."""
        self._bulk = None
        if (head := read_head(self._database)) is not None:
            if head.version > read_version(db) and db.in_transaction:
                # Somebody wrote and built since this snapshot was taken: take a newer one.
                db.execute("ROLLBACK")
                db.execute("BEGIN")
            with suppress(LookupError):
                bulk = Bulk(self._database)
                if fits(bulk.head, db):
                    bulk.bury(read_dead(db, after=bulk.head.version))
                    self._bulk = bulk
        return VectorTable(read_meta(db).dimension)

    def _build(self, db: sqlite3.Connection) -> None:
        try:
            with building(self._database):
                head = read_head(self._database)
                # Another process may just have done it.
                last = head.last if head is not None and fits(head, db) else 0
                if _is_much(db, last) or not _is_whole(self._database):
                    build_bulk(self._database, db)
        except OSError:
            # A folder that cannot be written: everything is kept in memory then.
            self._unwritable = True


def _is_whole(database: Path) -> bool:
    with suppress(LookupError):
        Bulk(database)
        return True
    return False


def _is_much(db: sqlite3.Connection, last: int) -> bool:
    """Whether so many rows have a number above ``last`` that they belong into the bulk."""
    limit = TAIL_ROWS if last else BULK_FROM
    (newest,) = db.execute("SELECT COALESCE(MAX(n), 0) FROM rows").fetchone()
    if newest - last <= limit:
        return False
    (count,) = db.execute("SELECT COUNT(*) FROM rows WHERE n > ?", (last,)).fetchone()
    return bool(count > limit)


def _join(older: Found, newer: Found) -> Found:
    return Found(
        np.concatenate([older.numbers, newer.numbers]), np.concatenate([older.scores, newer.scores])
    )


def _cut(found: Found, k: int) -> Found:
    """The ``k`` best, and all that equal the last."""
    if len(found.scores) <= k:
        return found
    last = np.partition(found.scores, len(found.scores) - k)[len(found.scores) - k]
    kept = found.scores >= last
    return Found(found.numbers[kept], found.scores[kept])


def _read_ids(db: sqlite3.Connection, found: list[Found]) -> dict[int, str]:
    numbers = sorted({n for each in found for n in each.numbers.tolist()})
    ids: dict[int, str] = {}
    for begin in range(0, len(numbers), 1000):
        some = numbers[begin : begin + 1000]
        marks = ", ".join("?" * len(some))
        ids.update(db.execute(f"SELECT n, id FROM rows WHERE n IN ({marks})", some))  # noqa: S608
    return ids
