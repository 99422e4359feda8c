"""Rows, changes and before-images in a SQL database, SQLite's or a server's.

A row that is replaced gets a new number ``n``, never used before: an index need only ask for
numbers above the last it has seen, and for those that died since. Where only counts or prose
changed, the number stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.packing import Damage, pack_row, pack_vectors, unpack_row, unpack_vectors
from traceloc.memory.store import Change, ChangeKind, Row, Shelf

UNDO_DEPTH = 1000
"""Changes that can be undone; of older ones the before-images are dropped."""
BATCH = 500
_MOST = 2**62
_GAPS = 20

SHELVES: tuple[Shelf, ...] = get_args(Shelf)


_EMBEDDED = (("rows", "n"), ("images", "key"))
_IMAGE = (
    "INSERT INTO images (change, id, removed, before_n, dead, body, vector) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class Database(Protocol):
    """What is used of a connection inside a transaction; places of values are question marks."""

    def execute(self, query: str, values: Sequence[Any] = (), /) -> Any:
        """Run one statement; gives a cursor."""
        ...

    def executemany(self, query: str, rows: Sequence[Sequence[Any]], /) -> Any:
        """Run one statement for each of many rows."""
        ...


class Meta(NamedTuple):
    """What a memory says of its vectors."""

    stamp: str | None = None
    """Fingerprint of the embedder."""
    dimension: int = 0
    state: bytes = b""
    epoch: int = 0
    """Rises whenever all vectors are replaced."""


class Entry(NamedTuple):
    """A row on its way into the tables."""

    id: str
    shelf: int
    system: str | None
    trace: str | None
    body: bytes
    vector: bytes | None
    """``None`` keeps the vector that is there."""


class Missing(ValueError):
    """A row without a vector that is new, or whose text changed."""


def to_entries(rows: Sequence[Row], vectors: Sequence[bytes] | None) -> list[Entry]:
    """Rows with their vectors, ready to be written.

    Raises:
        ValueError: If an id comes twice, or a row is too large.
    """
    if len({row.id for row in rows}) < len(rows):
        raise ValueError("an id comes twice in one change")
    return [
        Entry(
            row.id,
            SHELVES.index(row.shelf),
            row.system,
            row.trace,
            pack_row(row),
            None if vectors is None else vectors[place],
        )
        for place, row in enumerate(rows)
    ]


def write_change(
    db: Database,
    kind: ChangeKind,
    *,
    put: Sequence[Entry],
    remove: Iterable[str],
    note: str,
    who: str,
    at: datetime | None,
    undoes: int | None = None,
) -> Change:
    """Write a change with its before-images.

    Raises:
        Missing: If a row without a vector needs one.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    (number,) = db.execute(
        "INSERT INTO changes (at, who, kind, note, undoes) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (moment.isoformat(), who, kind, note, undoes),
    ).fetchone()
    (last,) = db.execute(
        "SELECT chain FROM changes WHERE id < ? ORDER BY id DESC LIMIT 1", (number,)
    ).fetchone() or (b"",)
    chain = hashlib.blake2b(last, digest_size=16)
    chain.update(json.dumps([number, moment.isoformat(), who, kind, note, undoes]).encode())
    for batch in _batches(put):
        _put(db, number, batch, chain)
    removed: list[str] = []
    for ids in _batches(list(dict.fromkeys(remove))):
        found = _current(db, ids)
        gone = [each for each in ids if each in found]
        for each in gone:
            chain.update(f"-{each}".encode("utf-8", "replace"))
        images = [(number, each, 1, *[found[each][0]] * 2, *found[each][4:]) for each in gone]
        db.executemany(_IMAGE, images)
        db.executemany("DELETE FROM rows WHERE n = ?", [(found[each][0],) for each in gone])
        removed += gone
    db.execute("UPDATE changes SET chain = ? WHERE id = ?", (chain.digest(), number))
    _forget_images(db, number - UNDO_DEPTH)
    return Change(
        id=number,
        at=moment,
        who=who,
        kind=kind,
        note=note,
        put=tuple(entry.id for entry in put),
        removed=tuple(removed),
        undoes=undoes,
    )


def _put(db: Database, number: int, batch: Sequence[Entry], chain: Any) -> None:
    found = _current(db, [entry.id for entry in batch])
    images: list[tuple[object, ...]] = []
    inserts: list[tuple[object, ...]] = []
    updates: list[tuple[object, ...]] = []
    deletes: list[tuple[int]] = []
    for entry in batch:
        before = found.get(entry.id)
        same_text = before is not None and unpack_row(before[4]).text == unpack_row(entry.body).text
        vector = entry.vector
        if vector is None:
            if before is None or not same_text:
                raise Missing(f"row {entry.id!r} is new or has another text, and has no vector")
            vector = before[5]
        chain.update(entry.body + vector)
        columns = (entry.shelf, entry.system, entry.trace)
        filed = before is not None and tuple(map(_plain, before[1:4])) == tuple(
            map(_plain, columns)
        )
        if before is not None and same_text and filed and before[5] == vector:
            n = before[0]
            updates.append((entry.body, n))
            images.append((number, entry.id, 0, n, None, before[4], None))
        else:
            inserts.append((entry.id, *columns, entry.body, vector))
            if before is None:
                images.append((number, entry.id, 0, None, None, None, None))
            else:
                n = before[0]
                deletes.append((n,))
                images.append((number, entry.id, 0, n, n, before[4], before[5]))
    db.executemany("UPDATE rows SET body = ? WHERE n = ?", updates)
    db.executemany("DELETE FROM rows WHERE n = ?", deletes)
    db.executemany(
        "INSERT INTO rows (id, shelf, system, trace, body, vector) VALUES (?, ?, ?, ?, ?, ?)",
        inserts,
    )
    db.executemany(_IMAGE, images)


def before_images(db: Database, change: int) -> tuple[list[Entry], list[str]]:
    """What to put and what to remove, to have the rows as they were before a change."""
    put, remove = [], []
    for row_id, before_n, body, vector in db.execute(
        "SELECT id, before_n, body, vector FROM images WHERE change = ? ORDER BY key", (change,)
    ):
        if before_n is None:
            remove.append(row_id)
            continue
        row = unpack_row(body)
        shelf = SHELVES.index(row.shelf)
        put.append(Entry(row_id, shelf, row.system, row.trace, body, vector))
    return put, remove


def blockers(db: Database, change: int) -> list[int]:
    """Later changes of the same rows that stand, and so rest on ``change``.

    A later change that was itself undone later is none; counted hits are none either.
    """
    found = db.execute(
        "SELECT DISTINCT later.change FROM images AS mine JOIN images AS later "
        "ON later.id = mine.id AND later.change > mine.change "
        "JOIN changes AS c ON c.id = later.change "
        "WHERE mine.change = ? AND c.kind != 'hit' "
        "AND NOT (c.kind = 'undo' AND c.undoes > ?) "
        "AND NOT EXISTS (SELECT 1 FROM changes AS u WHERE u.undoes = c.id) "
        "ORDER BY later.change",
        (change, change),
    )
    return [row[0] for row in found]


def read_changes(db: Database, *, after: int = 0, limit: int | None = None) -> list[Change]:
    """The log."""
    rows = db.execute(
        "SELECT c.id, c.at, c.who, c.kind, c.note, c.undoes, u.id FROM changes AS c "
        "LEFT JOIN changes AS u ON u.undoes = c.id WHERE c.id > ? ORDER BY c.id LIMIT ?",
        (after, _MOST if limit is None else limit),
    ).fetchall()
    changes = []
    for number, at, who, kind, note, undoes, undone in rows:
        touched = db.execute(
            "SELECT id, removed FROM images WHERE change = ? ORDER BY key", (number,)
        ).fetchall()
        changes.append(
            Change(
                id=number,
                at=datetime.fromisoformat(at),
                who=who,
                kind=kind,
                note=note,
                put=tuple(each for each, removed in touched if not removed),
                removed=tuple(each for each, removed in touched if removed),
                undoes=undoes,
                undone=undone is not None,
            )
        )
    return changes


def replace_vectors(
    db: Database,
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    *,
    batch: int,
    told: Callable[[int, int], None] | None,
) -> int:
    """Embed every row anew, and every before-image, which may come back.

    Returns:
        Dimension of the vectors; 0 if there are no rows.
    """
    total = sum(
        db.execute(f"SELECT COUNT(*) FROM {table} WHERE vector IS NOT NULL").fetchone()[0]  # noqa: S608
        for table, _ in _EMBEDDED
    )
    done, dimension = 0, 0
    for table, key in _EMBEDDED:
        last = -1
        while found := db.execute(
            f"SELECT {key}, body FROM {table} WHERE {key} > ? AND vector IS NOT NULL "  # noqa: S608
            f"ORDER BY {key} LIMIT ?",
            (last, batch),
        ).fetchall():
            vectors = embed([unpack_row(body).text for _, body in found])
            dimension = vectors.shape[1]
            packed = pack_vectors(vectors, rows=len(found))
            db.executemany(
                f"UPDATE {table} SET vector = ? WHERE {key} = ?",  # noqa: S608
                [(vector, each[0]) for vector, each in zip(packed, found, strict=True)],
            )
            last = found[-1][0]
            done += len(found)
            if told is not None:
                told(done, total)
    return dimension


def find_faults(db: Database) -> Iterator[str]:
    """What a database holds that it cannot hold, in sentences."""
    meta = read_meta(db)
    (count,) = db.execute("SELECT COUNT(*) FROM rows").fetchone()
    if count and not (meta.stamp and meta.dimension and meta.epoch):
        yield "there are vectors, but no embedder is named"
        return
    last = 0
    while batch := db.execute(
        "SELECT n, id, shelf, system, trace, body, vector FROM rows WHERE n > ? ORDER BY n LIMIT ?",
        (last, BATCH),
    ).fetchall():
        for _, row_id, shelf, system, trace, body, vector in batch:
            try:
                row = unpack_row(body)
                numbers = unpack_vectors([vector], dimension=meta.dimension)
            except ValueError as error:
                yield f"row {row_id!r}: {error}"
                continue
            names = [_plain(each) for each in (row.id, row.system, row.trace)]
            filed = [_plain(each) for each in (row_id, system, trace)]
            if names != filed or SHELVES.index(row.shelf) != shelf:
                yield f"row {row_id!r} is filed as another than it is"
            length = float(np.linalg.norm(numbers))
            if not (abs(length - 1) < 0.01 or length == 0):
                yield f"row {row_id!r} has a vector of length {length:.3f}, expected 1 or 0"
        last = batch[-1][0]


def read_meta(db: Database) -> Meta:
    """What the memory says of its vectors.

    Raises:
        Damage: If that is no valid record.
    """
    found = dict(
        db.execute(
            "SELECT key, value FROM meta WHERE key IN ('stamp', 'dimension', 'state', 'epoch')"
        ).fetchall()
    )
    try:
        stamp = bytes(found["stamp"]).decode() if "stamp" in found else None
        dimension, epoch = (int(bytes(found.get(key, b"0"))) for key in ("dimension", "epoch"))
    except ValueError as error:
        raise Damage(f"what it says of its vectors cannot be read: {error}") from error
    return Meta(stamp, dimension, bytes(found.get("state", b"")), epoch)


def write_meta(db: Database, meta: Meta) -> None:
    """Replace :func:`read_meta`."""
    stamp = (meta.stamp or "").encode()
    numbers = {"dimension": b"%d" % meta.dimension, "epoch": b"%d" % meta.epoch}
    for key, value in ({"stamp": stamp, "state": meta.state} | numbers).items():
        _write_value(db, key, value)


def read_cursor(db: Database, source: str) -> int:
    """Newest event of a label store that was taken in."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (f"cursor:{source}",)).fetchone()
    return int(bytes(row[0])) if row else 0


def write_cursor(db: Database, source: str, event: int) -> None:
    """Move :func:`read_cursor`."""
    _write_value(db, f"cursor:{source}", b"%d" % event)


def read_version(db: Database) -> int:
    """Number of the newest change."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM changes").fetchone()[0])


def _write_value(db: Database, key: str, value: bytes) -> None:
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _plain(value: Any) -> Any:
    """A name as every database can keep it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def select(db: Database, columns: str, ids: Sequence[str]) -> Iterator[Any]:
    """Columns of the rows with these ids, in no order."""
    for batch in _batches(ids):
        marks = ", ".join("?" * len(batch))
        yield from db.execute(f"SELECT {columns} FROM rows WHERE id IN ({marks})", batch)  # noqa: S608


def _current(db: Database, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    found = select(db, "id, n, shelf, system, trace, body, vector", ids)
    return {row[0]: row[1:] for row in found}


def _forget_images(db: Database, change: int) -> None:
    """Who and what stays in the log; the contents go."""
    if change < 1:
        return
    # A server does not give the number of a failed change to the next: there may be gaps.
    old = (change - _GAPS, change)
    db.execute("UPDATE images SET body = NULL, vector = NULL WHERE change BETWEEN ? AND ?", old)
    db.execute("UPDATE changes SET too_old = 1 WHERE id BETWEEN ? AND ?", old)


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), BATCH):
        yield items[begin : begin + BATCH]
