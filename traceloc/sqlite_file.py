"""One SQLite file that is ours: made aside, checked before it is touched, changed as a whole.

Each operation opens its own connection, so that threads and forked processes may share a file;
each change is one transaction. A file appears complete, with mode 0600, which SQLite gives its
journals too.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from traceloc.errors import Location, StoreError

BUSY_SECONDS = 30.0

_MAGIC = b"SQLite format 3\x00"
_WAITED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_TOOBIG,
}


class Codes(NamedTuple):
    """Error codes of one kind of file."""

    foreign: str
    """Something else stands in its place."""
    damaged: str
    newer: str
    """A later traceloc wrote it."""
    unusable: str
    """The system does not let it be opened or written."""
    busy: str
    """Other writers kept it for longer than one waits."""


class FileKind(NamedTuple):
    """What tells one kind of file from every other."""

    noun: str
    """``failure memory``: how messages call it."""
    application_id: int
    """Four letters in the header, which SQLite keeps for this."""
    version: int
    """Of the schema; files of a later one are left alone."""
    schema: str
    """Statements that make the tables."""
    codes: Codes
    elsewhere: str
    """Hint for a user who has another file in that place."""


class SqliteFile:
    """A file of one kind.

    Args:
        path: It need not exist until something is written.
        kind: What it must be.
        busy_seconds: How long to wait for other writers.
    """

    def __init__(
        self, path: str | Path, kind: FileKind, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        self.path = Path(path)
        self.kind = kind
        self.busy_seconds = busy_seconds

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """A snapshot that no writer disturbs; ``None`` while there is no file.

        Raises:
            StoreError: If the file is none of ours, damaged, or cannot be read.
        """
        if not self.exists():
            yield None
            return
        self._check_header()
        with self.translating():
            db = self._connect("mode=rw")
            try:
                db.execute("BEGIN")
                db.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
            except sqlite3.OperationalError as error:
                db.close()
                if error.sqlite_errorcode & 0xFF not in {
                    sqlite3.SQLITE_READONLY,
                    sqlite3.SQLITE_CANTOPEN,
                }:
                    raise
                # A log in WAL mode in a folder that may not be written: nobody writes there.
                db = self._connect("mode=ro&immutable=1")
            try:
                yield db
            finally:
                db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed at the end, or leaves no trace.

        Raises:
            StoreError: If the file is none of ours, damaged, kept busy, or cannot be written.
        """
        with self.translating():
            if not self.exists():
                self._create()
            self._check_header()
            db = self._connect("mode=rw")
            try:
                db.execute("PRAGMA synchronous = FULL")
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    # A full disk ends the transaction by itself.
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
            finally:
                db.close()

    def exists(self) -> bool:
        """Whether there is a file."""
        try:
            return self.path.exists()
        except OSError as error:
            raise self._cannot_open(error) from error

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Turn what SQLite and the system raise into a :class:`StoreError`."""
        codes = self.kind.codes
        try:
            yield
        except sqlite3.DatabaseError as error:
            extended = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
            if extended & 0xFF in _WAITED:
                message = f"other writers kept it for {self.busy_seconds:g} s"
                raise self.error(codes.busy, message, "try again") from error
            cut_short = extended == sqlite3.SQLITE_IOERR_SHORT_READ
            if extended & 0xFF in _UNUSABLE and not cut_short:
                raise self.error(codes.unusable, f"cannot be written: {error}") from error
            raise self.damaged(error) from error
        except OSError as error:
            raise self._cannot_open(error) from error

    def damaged(self, found: object) -> StoreError:
        """The error for a file that holds something it cannot hold."""
        hint = "restore a copy, or move it away to begin anew; it was left as it is"
        return self.error(self.kind.codes.damaged, f"is damaged: {found}", hint)

    def error(self, code: str, message: str, hint: str | None = None) -> StoreError:
        """An error about this file."""
        return StoreError(message, code=code, hint=hint, location=Location(str(self.path)))

    def _cannot_open(self, error: OSError) -> StoreError:
        message = f"cannot be opened: {error.strerror or error}"
        return self.error(self.kind.codes.unusable, message)

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?{mode}"
        return sqlite3.connect(uri, uri=True, timeout=self.busy_seconds, isolation_level=None)

    def _create(self) -> None:
        """Make the file aside and link it into place; whoever comes second uses the first's."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, aside = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        os.close(handle)  # mkstemp makes it 0600
        try:
            db = sqlite3.connect(aside, isolation_level=None)
            try:
                db.execute("PRAGMA page_size = 8192")
                db.execute(f"PRAGMA application_id = {self.kind.application_id}")
                db.execute(f"PRAGMA user_version = {self.kind.version}")
                db.executescript(self.kind.schema)
                db.execute("PRAGMA journal_mode = WAL")
            finally:
                db.close()
            with suppress(FileExistsError):
                os.link(aside, self.path)
        finally:
            Path(aside).unlink(missing_ok=True)

    def _check_header(self) -> None:
        """Make sure that the file is ours before SQLite touches it.

        The header is written before the file switches to WAL, so that it stands in the file itself.
        """
        try:
            with self.path.open("rb") as stream:
                head = stream.read(100)
        except OSError as error:
            raise self._cannot_open(error) from error
        kind, version = self.kind, int.from_bytes(head[60:64], "big")
        ours = head[:16] == _MAGIC and int.from_bytes(head[68:72], "big") == kind.application_id
        if not ours or len(head) < 100:
            raise self.error(kind.codes.foreign, f"is not a {kind.noun}", kind.elsewhere)
        if version > kind.version:
            message = f"has schema version {version}; this traceloc knows {kind.version}"
            hint = "update traceloc; the file was left as it is"
            raise self.error(kind.codes.newer, message, hint)
