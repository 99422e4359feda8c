"""The one store of what people said: an append-only log of events in SQLite.

Nothing is ever changed or deleted: a later answer outweighs an earlier one, and ``undo`` is an
event too. Whoever wants to listen reads on from the last event they know
(:meth:`LabelStore.events`). No text of a trace is kept, only its measurements.

Each operation opens its own connection, so that threads and forked processes may share a store;
each change is one transaction. The file is made aside and appears complete.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import Location, StoreError
from traceloc.labels.events import Action, Event, Kind, Subject, settle_events
from traceloc.labels.measurements import Measurements, unpack
from traceloc.ranking.adapt import Answer

SCHEMA_VERSION = 1
APPLICATION_ID = 0x74_6C_6C_62
"""``tllb``: tells this file from every other SQLite database."""
BUSY_SECONDS = 30.0

_MAGIC = b"SQLite format 3\x00"
_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('label', 'confirm', 'reject', 'undo')),
    undoes INTEGER REFERENCES events (id),
    system TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    locator TEXT NOT NULL,
    native_index INTEGER NOT NULL,
    step INTEGER NOT NULL,
    agent TEXT NOT NULL,
    category TEXT,
    note TEXT
) STRICT;
CREATE INDEX events_by_system ON events (system, id);
CREATE UNIQUE INDEX undone_once ON events (undoes) WHERE undoes IS NOT NULL;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TABLE measurements (
    system TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    task_group TEXT NOT NULL,
    signals_hash TEXT NOT NULL,
    n_rows INTEGER NOT NULL,
    n_columns INTEGER NOT NULL,
    names TEXT NOT NULL,
    features BLOB NOT NULL,
    native BLOB NOT NULL,
    PRIMARY KEY (system, content_hash)
) STRICT;
"""
_COLUMNS = (
    "id, at, who, action, undoes, system, trace_id, content_hash, locator, native_index, step, "
    "agent, category, note"
)


class Answers(NamedTuple):
    """What one system's labels say to a fit."""

    usable: tuple[Answer, ...]
    stale: int
    """Traces whose measurements come from other signals, or cannot be read."""
    outside: int
    """Traces whose labelled step may not be blamed at all."""


class LabelStore:
    """Labels, confirmations and rejections of one project or user.

    Args:
        path: The file; it need not exist until something is written.
        busy_seconds: How long to wait for other writers.
    """

    def __init__(self, path: str | Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = Path(path)
        self.busy_seconds = busy_seconds

    def add(
        self,
        kind: Kind,
        subject: Subject,
        *,
        measurements: Measurements | None = None,
        category: str | None = None,
        note: str | None = None,
        who: str = "unknown",
        at: datetime | None = None,
    ) -> Event:
        """Write down an answer.

        Raises:
            StoreError: If the store cannot be written; see ``docs/errors.md``, TL5xx.
        """
        with self._writing() as db:
            if measurements is not None:
                features, native = measurements.pack()
                shape = measurements.features.shape
                db.execute(
                    "INSERT OR REPLACE INTO measurements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        subject.system,
                        subject.content_hash,
                        subject.group,
                        measurements.signals_hash,
                        *shape,
                        "\n".join(measurements.names),
                        features,
                        native,
                    ),
                )
            values = {**subject.model_dump(exclude={"group"}), "category": category, "note": note}
            return _insert(db, kind, values, who=who, at=at)

    def undo(self, *, who: str = "unknown", at: datetime | None = None) -> Event:
        """Take back the newest answer that still stands; the log keeps both.

        Returns:
            The event that was taken back.

        Raises:
            StoreError: TL506 if nothing stands.
        """
        with self._writing() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM events WHERE action != 'undo' AND id NOT IN "  # noqa: S608
                "(SELECT undoes FROM events WHERE undoes IS NOT NULL) ORDER BY id DESC LIMIT 1"
            ).fetchall()
            if not rows:
                raise self._error("TL506", "there is nothing to undo")
            taken = _event(rows[0])
            values = taken.model_dump(exclude={"id", "at", "who", "action"})
            _insert(db, "undo", {**values, "undoes": taken.id}, who=who, at=at)
            return taken

    def events(self, *, after: int = 0, system: str | None = None) -> list[Event]:
        """The log in order, from the event after ``after`` on.

        Raises:
            StoreError: If the store cannot be read.
        """
        query = f"SELECT {_COLUMNS} FROM events WHERE id > ? AND (? IS NULL OR system = ?)"  # noqa: S608
        with self._reading() as db:
            if db is None:
                return []
            return [_event(r) for r in db.execute(query + " ORDER BY id", (after, system, system))]

    def standing(self, *, system: str | None = None) -> list[Event]:
        """Answers in force: of each trace the newest label, and the steps rejected since."""
        return settle_events(self.events(system=system))

    def versions(self) -> dict[str, int]:
        """Newest event of each system: equal numbers mean equal labels."""
        with self._reading() as db:
            if db is None:
                return {}
            return dict(db.execute("SELECT system, MAX(id) FROM events GROUP BY system"))

    def groups(self) -> dict[str, str]:
        """Group of each measured trace, by content hash."""
        with self._reading() as db:
            if db is None:
                return {}
            return dict(db.execute("SELECT content_hash, task_group FROM measurements"))

    def answers(self, system: str, *, signals_hash: str, upto: int | None = None) -> Answers:
        """What the labels of a system say to a fit with these signals.

        Args:
            system: Whose labels.
            signals_hash: Of the signals; measurements of others are left out and counted.
            upto: The last event that counts; all if left out.
        """
        query = (
            "SELECT content_hash, task_group, signals_hash, n_rows, n_columns, features, native "
            "FROM measurements WHERE system = ?"
        )
        with self._reading() as db:
            rows = db.execute(query, (system,)).fetchall() if db is not None else []
        kept = {row[0]: row[1:] for row in rows}
        by_trace: dict[str, list[Event]] = {}
        log = [e for e in self.events(system=system) if upto is None or e.id <= upto]
        for event in settle_events(log):
            by_trace.setdefault(event.content_hash, []).append(event)
        usable, stale, outside = [], 0, 0
        for content_hash, events in sorted(by_trace.items()):
            group, measured_with, n, d, features, native = kept.get(content_hash, (None,) * 6)
            if measured_with != signals_hash:
                stale += 1
                continue
            try:
                matrix, indices = unpack(features, native, rows=n, columns=d)
            except ValueError:
                stale += 1
                continue
            blamed = [e.native_index for e in events if e.action != "reject"]
            rejected = [e.native_index for e in events if e.action == "reject"]
            possible = _isin(indices, blamed) if blamed else ~_isin(indices, rejected)
            answer = Answer(matrix, possible, str(group))
            if answer.telling:
                usable.append(answer)
            else:
                outside += 1
        return Answers(tuple(usable), stale, outside)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        if not self._exists():
            yield None
            return
        self._check_header()
        with self._translating():
            db = self._connect(f"{self._uri()}?mode=rw")
            try:
                db.execute("SELECT 1 FROM events LIMIT 1")
            except sqlite3.OperationalError as error:
                db.close()
                if "readonly" not in str(error) and "unable to open" not in str(error):
                    raise
                # A log in WAL mode in a folder that may not be written: nobody writes there.
                db = self._connect(f"{self._uri()}?mode=ro&immutable=1")
            try:
                yield db
            finally:
                db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed at the end, or leaves no trace."""
        with self._translating():
            if not self._exists():
                self._create()
            self._check_header()
            db = self._connect(f"{self._uri()}?mode=rw")
            try:
                db.execute("PRAGMA synchronous = FULL")
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                except BaseException:
                    db.execute("ROLLBACK")
                    raise
                db.execute("COMMIT")
            finally:
                db.close()

    def _connect(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=self.busy_seconds, isolation_level=None)

    def _uri(self) -> str:
        return self.path.absolute().as_uri()

    def _exists(self) -> bool:
        try:
            return self.path.exists()
        except OSError as error:
            raise self._error("TL504", f"cannot be opened: {error.strerror or error}") from error

    def _create(self) -> None:
        """Make the file aside and link it into place; whoever comes second uses the first's."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, aside = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        os.close(handle)  # mkstemp makes it 0600, and SQLite gives its journals the same mode
        try:
            db = sqlite3.connect(aside, isolation_level=None)
            try:
                db.executescript(_SCHEMA)
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
            raise self._error("TL504", f"cannot be opened: {error.strerror or error}") from error
        version = int.from_bytes(head[60:64], "big")
        ours = head[:16] == _MAGIC and int.from_bytes(head[68:72], "big") == APPLICATION_ID
        if not ours or len(head) < 100:
            raise self._error(
                "TL501", "is not a label store", "move it away, or name another TRACELOC_HOME"
            )
        if version > SCHEMA_VERSION:
            message = f"has schema version {version}; this traceloc knows {SCHEMA_VERSION}"
            raise self._error("TL503", message, "update traceloc; the file was left as it is")

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if "locked" in text or "busy" in text:
                message = f"other writers kept it for {self.busy_seconds:g} s"
                raise self._error("TL505", message, "try again") from error
            if "malformed" in text or "disk I/O" in text:
                raise self._corrupt(error) from error
            raise self._error("TL504", f"cannot be written: {text}") from error
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error
        except OSError as error:
            raise self._error("TL504", f"cannot be opened: {error.strerror or error}") from error

    def _corrupt(self, error: Exception) -> StoreError:
        hint = "restore a copy, or move it away to begin anew; it was left as it is"
        return self._error("TL502", f"is damaged: {error}", hint)

    def _error(self, code: str, message: str, hint: str | None = None) -> StoreError:
        return StoreError(message, code=code, hint=hint, location=Location(str(self.path)))


def _isin(indices: NDArray[np.int64], wanted: Sequence[int]) -> NDArray[np.bool_]:
    return np.isin(indices, np.asarray(list(wanted), dtype=np.int64))


def _insert(
    db: sqlite3.Connection,
    action: Action,
    values: dict[str, Any],
    *,
    who: str,
    at: datetime | None,
) -> Event:
    """Append an event, with the number the store gives it."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    row = {"undoes": None, **values, "at": moment.isoformat(), "who": who, "action": action}
    names = [name.strip() for name in _COLUMNS.split(",")][1:]
    marks = ", ".join("?" * len(names))
    query = f"INSERT INTO events ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    cursor = db.execute(query, [row[name] for name in names])
    return Event.model_validate({**row, "id": cursor.lastrowid})


def _event(row: Sequence[Any]) -> Event:
    names = [name.strip() for name in _COLUMNS.split(",")]
    return Event.model_validate(dict(zip(names, row, strict=True)))
