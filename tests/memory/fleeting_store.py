"""A memory that lives as long as its process, with exact search in plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory.store import Change, ChangeKind, Neighbour, Row, Shelf

Vectors = NDArray[np.float32]
_Image = dict[str, tuple[Row, Vectors] | None]


class FleetingStore:
    """See :class:`~traceloc.memory.store.SchemaStore`; exact search, nothing on disk."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._vectors: dict[str, Vectors] = {}
        self._shelves: dict[str, Shelf] = {}
        self._log: list[Change] = []
        self._before: dict[int, _Image] = {}
        self._cursors: dict[str, int] = {}
        self._stamp: str | None = None
        self._state = b""
        self._matrices: dict[tuple[Shelf, str | None], tuple[list[str], Vectors]] = {}

    def apply(
        self,
        kind: ChangeKind,
        *,
        put: Sequence[Row] = (),
        vectors: Vectors | None = None,
        stamp: str | None = None,
        remove: Sequence[str] = (),
        note: str = "",
        who: str = "unknown",
        at: datetime | None = None,
        cursor: int | None = None,
        source: str = "",
        after: int | None = None,
    ) -> Change:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        if after is not None and after != self.version():
            raise StoreError("the memory was changed meanwhile", code="TL534")
        self._compare(stamp)
        if vectors is not None and len(vectors) != len(put):
            raise StoreError(f"{len(put)} rows have {len(vectors)} vectors", code="TL520")
        change = self._next(kind, note=note, who=who, at=at)
        gone = [id for id in remove if id in self._rows]
        change = change.model_copy(update={"put": tuple(r.id for r in put), "removed": tuple(gone)})
        self._before[change.id] = {
            id: (self._rows[id], self._vectors[id]) if id in self._rows else None
            for id in (*change.put, *gone)
        }
        for position, row in enumerate(put):
            if vectors is not None:
                self._vectors[row.id] = np.asarray(vectors[position], np.float16).astype(np.float32)
            elif row.id not in self._vectors:
                raise StoreError(f"row {row.id!r} has no vector", code="TL520")
            self._rows[row.id] = row
            self._shelves[row.id] = row.shelf
        for id in gone:
            self._rows.pop(id, None)
            self._vectors.pop(id, None)
        if vectors is not None:
            self._stamp = stamp
        if cursor is not None:
            self._cursors[source] = max(cursor, self._cursors.get(source, 0))
        return self._keep(change)

    def undo(self, change: int | None = None, *, who: str = "unknown") -> Change:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        standing = [c for c in self._log if not c.undone and c.kind not in ("undo", "hit")]
        if change is None:
            chosen = standing[-1] if standing else None
        else:
            chosen = next((c for c in standing if c.id == change), None)
        if chosen is None:
            raise StoreError("there is nothing to undo", code="TL526")
        image = self._before[chosen.id]
        for later in self._log:
            mine = set(later.put) | set(later.removed)
            if later.id > chosen.id and not later.undone and mine & set(image):
                raise StoreError(f"change {later.id} rests on {chosen.id}", code="TL527")
        made = self._next("undo", note=f"took back {chosen.id}", who=who, at=None)
        for id, known in image.items():
            if known is None:
                self._rows.pop(id, None)
                self._vectors.pop(id, None)
            else:
                self._rows[id], self._vectors[id] = known
        self._log[chosen.id - 1] = chosen.model_copy(update={"undone": True})
        made = made.model_copy(update={"undoes": chosen.id})
        return self._keep(made)

    def log(self, *, after: int = 0, limit: int | None = None) -> list[Change]:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return self._log[after:][:limit]

    def cursor(self, source: str = "") -> int:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return self._cursors.get(source, 0)

    def get(self, ids: Sequence[str]) -> list[Row]:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return [self._rows[id] for id in ids if id in self._rows]

    def rows(self, shelf: Shelf, *, system: str | None = None) -> Iterator[Row]:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        for id in self._matrix(shelf, system)[0]:
            yield self._rows[id]

    def count(self, shelf: Shelf, *, system: str | None = None) -> int:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return len(self._matrix(shelf, system)[0])

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        missing = [id for id in ids if id not in self._vectors]
        if missing:
            raise StoreError(f"there is no row {missing[0]!r}", code="TL531")
        if not ids:
            return np.zeros((0, 0), np.float32)
        return np.stack([self._vectors[id] for id in ids])

    def nearest(
        self,
        queries: Vectors,
        *,
        k: int,
        shelf: Shelf = "schema",
        system: str | None = None,
        exclude_trace: str | None = None,
        stamp: str | None = None,
    ) -> list[list[Neighbour]]:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        self._compare(stamp)
        ids, matrix = self._matrix(shelf, system)
        if not ids or not len(queries):
            return [[] for _ in range(len(queries))]
        similar = np.round(queries @ matrix.T, 6)
        if exclude_trace is not None:
            own = [i for i, id in enumerate(ids) if self._rows[id].trace == exclude_trace]
            similar[:, own] = -np.inf
        # Rows stand by id, and a stable sort leaves equals as they stand.
        order = np.argsort(-similar, axis=1, kind="stable")[:, :k]
        return [
            [
                Neighbour(ids[j], float(similar[i, j]))
                for j in order[i].tolist()
                if similar[i, j] > -np.inf
            ]
            if queries[i].any()
            else []
            for i in range(len(queries))
        ]

    def stamp(self) -> str | None:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return self._stamp

    def state(self) -> bytes:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return self._state

    def restamp(
        self,
        fingerprint: str,
        embed: Callable[[Sequence[str]], Vectors],
        *,
        state: bytes = b"",
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        ids = sorted(self._rows)
        made = embed([self._rows[id].text for id in ids]) if ids else np.zeros((0, 0), np.float32)
        self._vectors = {
            id: np.asarray(row, np.float16).astype(np.float32)
            for id, row in zip(ids, made, strict=True)
        }
        for image in self._before.values():
            for id, known in image.items():
                if known is not None:
                    image[id] = (known[0], embed([known[0].text])[0])
        self._stamp, self._state = fingerprint, state
        self._matrices.clear()
        if on_progress is not None:
            on_progress(len(ids), len(ids))

    def version(self) -> int:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return len(self._log)

    def check(self) -> list[str]:
        """See :class:`~traceloc.memory.store.SchemaStore`."""
        return [f"row {id!r} has no vector" for id in self._rows if id not in self._vectors]

    def close(self) -> None:
        """See :class:`~traceloc.memory.store.SchemaStore`."""

    def _next(self, kind: ChangeKind, *, note: str, who: str, at: datetime | None) -> Change:
        moment = (at or datetime.now(UTC)).astimezone(UTC)
        return Change(id=len(self._log) + 1, at=moment, who=who, kind=kind, note=note)

    def _keep(self, change: Change) -> Change:
        self._log.append(change)
        touched = {self._shelves.get(id) for id in (*change.put, *change.removed)}
        if change.kind == "undo":
            touched = set(self._shelves.values())
        self._matrices = {k: v for k, v in self._matrices.items() if k[0] not in touched}
        return change

    def _compare(self, stamp: str | None) -> None:
        if stamp is not None and self._stamp is not None and stamp != self._stamp:
            raise StoreError("the vectors come from another embedder", code="TL525")

    def _matrix(self, shelf: Shelf, system: str | None) -> tuple[list[str], Vectors]:
        key = (shelf, system)
        if key not in self._matrices:
            ids = sorted(
                row.id
                for row in self._rows.values()
                if row.shelf == shelf and (system is None or row.system == system)
            )
            self._matrices[key] = (ids, self.vectors(ids))
        return self._matrices[key]
