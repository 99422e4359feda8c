"""The default memory: rows in one SQLite file, an index over them that can always be made anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory.ledger import Database
from traceloc.memory.packing import Damage
from traceloc.memory.sql_store import SqlStore
from traceloc.memory.store import Neighbour
from traceloc.memory.vectors.bulk_build import find_strangers
from traceloc.memory.vectors.index import MemoryIndex
from traceloc.memory.vectors.table import Part
from traceloc.sqlite_file import BUSY_SECONDS, Codes, FileKind, SqliteFile

KIND = FileKind(
    noun="failure memory",
    application_id=0x74_6C_6D_65,  # tlme
    version=1,
    schema="""
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE rows (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    shelf INTEGER NOT NULL,
    system TEXT,
    trace TEXT,
    body BLOB NOT NULL,
    vector BLOB NOT NULL
) STRICT;
CREATE INDEX rows_by_shelf ON rows (shelf, system, id);
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    undoes INTEGER UNIQUE REFERENCES changes (id),
    too_old INTEGER NOT NULL DEFAULT 0,
    chain BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE TABLE images (
    key INTEGER PRIMARY KEY,
    change INTEGER NOT NULL REFERENCES changes (id),
    id TEXT NOT NULL,
    removed INTEGER NOT NULL,
    before_n INTEGER,
    dead INTEGER,
    body BLOB,
    vector BLOB
) STRICT;
CREATE INDEX images_by_change ON images (change);
CREATE INDEX images_by_id ON images (id, change);
""",
    codes=Codes(foreign="TL520", damaged="TL521", newer="TL522", unusable="TL523", busy="TL524"),
    elsewhere="move it away, or name another file in TRACELOC_MEMORY",
)


class SqliteBackend:
    """Memories in files."""

    name = "sqlite"
    api_version = 1

    def handles(self, address: str) -> bool:
        """Any path is; an address of a server (``scheme://``) is not."""
        return "://" not in address

    def open(self, address: str) -> SqliteStore:
        """The memory in a file; it need not exist until something is written."""
        return SqliteStore(address)


class SqliteStore(SqlStore):
    """A memory in one file.

    Args:
        path: The file; it need not exist until something is written.
        busy_seconds: How long to wait for other writers.
    """

    def __init__(self, path: str | Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._file = SqliteFile(path, KIND, busy_seconds=busy_seconds)
        self._index = MemoryIndex(self._file.path)

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def close(self) -> None:
        """See :meth:`traceloc.memory.store.SchemaStore.close`."""
        self._index = MemoryIndex(self._file.path)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        with self._file.reading() as db:
            try:
                yield db
            except Damage as error:
                raise self._file.damaged(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._file.writing() as db:
            try:
                yield db
            except Damage as error:
                raise self._file.damaged(error) from error
        # The change is committed: what happens to an index cannot take that back.
        with suppress(StoreError), self._reading() as snapshot:
            if snapshot is not None:
                self._index.keep_up(snapshot)

    def _search(
        self, db: Database, queries: NDArray[np.float32], *, k: int, part: Part
    ) -> list[list[Neighbour]]:
        return self._index.nearest(cast(sqlite3.Connection, db), queries, k=k, part=part)

    def _find_faults(self, db: Database) -> Iterator[str]:
        for (line,) in db.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield f"SQLite: {line}"
        for table, _, parent, _ in db.execute("PRAGMA foreign_key_check"):
            yield f"a row of {table!r} refers to none of {parent!r}"
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
        for missing in sorted({"changes", "images", "meta", "rows"} - names):
            yield f"table {missing!r} is missing"
        yield from find_strangers(self.path, db)

    def _error(self, code: str, message: str, hint: str | None = None) -> StoreError:
        return self._file.error(code, message, hint)
