"""Rows of SQLite files that frameworks keep their sessions in, read without touching them.

A database is hostile input too: it is opened read-only and as it lies there, only plain tables are
read, values have a largest size, and a query has a longest run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from traceloc.loading import Source, TraceBuilder

MAGIC = b"SQLite format 3\x00"
MAX_VALUE = 64 * 1024 * 1024
"""Longest value of a column that is read."""
_PATIENCE = 20_000
"""How often a query may come by after another thousand operations of the database's machine."""
# The messages of sqlite3 quote the file, and are decoded without care: a UnicodeDecodeError.
_DAMAGED = (sqlite3.Error, ValueError, OverflowError, MemoryError)
_WRITE_AHEAD = b"\x02\x02"
_ROLLBACK = b"\x01\x01"


class Database:
    """The tables of one file.

    Args:
        source: The file, or its bytes.

    Raises:
        TraceFormatError: If it is no SQLite database.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        with ExitStack() as opened:
            try:
                self._connection = self._connect()
                opened.callback(self._connection.close)
                self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
                self._connection.text_factory = _text
                self.tables = self._list_tables()
            except _DAMAGED as error:
                raise source.error(f"cannot be read as SQLite: {error}", code="TL103") from error
            opened.pop_all()

    def _connect(self) -> sqlite3.Connection:
        path = Path(self._source.path)
        if self._source.content is None and path.is_file():
            with path.open("rb") as stream:
                plain = stream.read(len(MAGIC)) == MAGIC
            if plain:
                # Immutable: no lock is taken and no file is written beside it.
                uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
                return sqlite3.connect(uri, uri=True)
        data = self._source.read()
        if data[18:20] == _WRITE_AHEAD:  # a database in memory has no log beside it
            data = data[:18] + _ROLLBACK + data[20:]
        connection = sqlite3.connect(":memory:")
        connection.deserialize(data)
        return connection

    def note_unread_log(self, builder: TraceBuilder) -> None:
        """Say so where newer writes lie in a log beside the file, which is passed by."""
        log = Path(f"{self._source.path}-wal")
        if self._source.content is None and log.is_file() and log.stat().st_size > 0:
            builder.note(
                "missing",
                "newer rows are in the -wal file beside the database; "
                "run PRAGMA wal_checkpoint(TRUNCATE) on it first",
            )

    def rows(self, table: str, columns: tuple[str, ...], *, order: str) -> Iterator[dict[str, Any]]:
        """Rows of a table as objects; columns that it lacks are ``None``.

        What breaks off in the middle is a problem of the source, and the rows before it stand.

        Args:
            table: Its name.
            columns: The columns to read.
            order: The columns to sort by.
        """
        known = self.tables.get(table, ())
        wanted = [name for name in columns if name in known]
        if not wanted:
            return
        listed = ", ".join(f'"{name}"' for name in wanted)
        by = ", ".join(f'"{name}"' for name in order.split() if name in known) or "rowid"
        self._watch()
        try:
            # Only names that this class was called with get here.
            cursor = self._connection.execute(f'SELECT {listed} FROM "{table}" ORDER BY {by}')  # noqa: S608
            for row in cursor:
                yield dict.fromkeys(columns) | dict(zip(wanted, row, strict=True))
        except _DAMAGED as error:
            self._source.report(f"table {table!r} breaks off or is damaged: {error}", code="TL103")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _watch(self) -> None:
        left = [_PATIENCE]

        def step() -> int:
            left[0] -= 1
            return left[0] < 0

        self._connection.set_progress_handler(step, 1000)

    def _list_tables(self) -> dict[str, tuple[str, ...]]:
        """Columns by table; views and virtual tables could run anything and are left out."""
        self._connection.execute("PRAGMA trusted_schema = OFF")
        self._watch()
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        found: dict[str, tuple[str, ...]] = {}
        with closing(self._connection.execute(query)) as cursor:
            listed = cursor.fetchmany(1000)
        for name, sql in listed:
            if isinstance(name, str) and isinstance(sql, str) and '"' not in name:
                if sql.lstrip()[:12].upper() == "CREATE TABLE":
                    columns = self._connection.execute(f'PRAGMA table_info("{name}")')
                    found[name] = tuple(str(column[1]) for column in columns)
        return found


def is_database(data: bytes) -> bool:
    """Whether bytes are the start of an SQLite file."""
    return data.startswith(MAGIC)


def mentions(data: bytes, *names: bytes) -> bool:
    """Whether the schema at the start of a database speaks of all these tables and columns."""
    return is_database(data) and all(name in data for name in names)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
