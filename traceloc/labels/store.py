"""The one store of what people said: an append-only log of events in SQLite.

Nothing is ever changed or deleted: a later answer outweighs an earlier one, and ``undo`` is an
event too. Whoever wants to listen reads on from the last event they know
(:meth:`LabelStore.events`). No text of a trace is kept, only its measurements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.labels.events import Action, Event, Kind, Subject, settle_events
from traceloc.labels.measurements import Measurements, unpack
from traceloc.ranking.adapt import Answer
from traceloc.sqlite_file import BUSY_SECONDS, Codes, FileKind, SqliteFile

_KIND = FileKind(
    noun="label store",
    application_id=0x74_6C_6C_62,  # tllb
    version=1,
    schema="""
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
""",
    codes=Codes(foreign="TL501", damaged="TL502", newer="TL503", unusable="TL504", busy="TL505"),
    elsewhere="move it away, or name another TRACELOC_HOME",
)
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
        self._file = SqliteFile(path, _KIND, busy_seconds=busy_seconds)

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

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
        with self._file.writing() as db:
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
        with self._file.writing() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM events WHERE action != 'undo' AND id NOT IN "  # noqa: S608
                "(SELECT undoes FROM events WHERE undoes IS NOT NULL) ORDER BY id DESC LIMIT 1"
            ).fetchall()
            if not rows:
                raise self._file.error("TL506", "there is nothing to undo")
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
        with self._file.reading() as db:
            if db is None:
                return []
            return [_event(r) for r in db.execute(query + " ORDER BY id", (after, system, system))]

    def standing(self, *, system: str | None = None) -> list[Event]:
        """Answers in force: of each trace the newest label, and the steps rejected since."""
        return settle_events(self.events(system=system))

    def versions(self) -> dict[str, int]:
        """Newest event of each system: equal numbers mean equal labels."""
        with self._file.reading() as db:
            if db is None:
                return {}
            return dict(db.execute("SELECT system, MAX(id) FROM events GROUP BY system"))

    def groups(self) -> dict[str, str]:
        """Group of each measured trace, by content hash."""
        with self._file.reading() as db:
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
        with self._file.reading() as db:
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
