"""A memory in a SQL database: everything but how to connect and how to search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory import ledger
from traceloc.memory.ledger import Database
from traceloc.memory.packing import pack_vectors, unpack_row, unpack_vectors
from traceloc.memory.store import Change, ChangeKind, Neighbour, Row, Shelf
from traceloc.memory.vectors.table import Part

_EMBEDDED = 256


class SqlStore(ABC):
    """What all databases share; see :class:`traceloc.memory.store.SchemaStore`."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Database | None]:
        """A snapshot that no writer disturbs; ``None`` while there is no memory.

        A :class:`~traceloc.memory.packing.Damage` inside is raised as a ``StoreError``.
        """

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Database]:
        """A transaction, alone with the memory, committed at the end or never seen."""

    @abstractmethod
    def _search(
        self, db: Database, queries: NDArray[np.float32], *, k: int, part: Part
    ) -> list[list[Neighbour]]:
        """Neighbours in a snapshot; queries have the right dimension."""

    @abstractmethod
    def _find_faults(self, db: Database) -> Iterator[str]:
        """What this kind of database can have wrong with it, in sentences."""

    @abstractmethod
    def _error(self, code: str, message: str, hint: str | None = None) -> StoreError:
        """An error about this memory."""

    def apply(
        self,
        kind: ChangeKind,
        *,
        put: Sequence[Row] = (),
        vectors: NDArray[np.float32] | None = None,
        stamp: str | None = None,
        remove: Sequence[str] = (),
        note: str = "",
        who: str = "unknown",
        at: datetime | None = None,
        cursor: int | None = None,
        source: str = "",
        after: int | None = None,
    ) -> Change:
        """See :meth:`traceloc.memory.store.SchemaStore.apply`."""
        if vectors is not None and stamp is None:
            raise ValueError("vectors need the stamp of their embedder")
        packed = None if vectors is None else pack_vectors(vectors, rows=len(put))
        entries = ledger.to_entries(put, packed)
        with self._writing() as db:
            if after is not None and (newest := ledger.read_version(db)) != after:
                message = f"was changed meanwhile: the newest change is {newest}, not {after}"
                raise self._error("TL534", message, "try again")
            if vectors is not None and stamp is not None and len(put):
                self._settle_stamp(db, stamp, vectors.shape[1])
            if cursor is not None:
                ledger.write_cursor(db, source, cursor)
            try:
                return ledger.write_change(
                    db, kind, put=entries, remove=remove, note=note, who=who, at=at
                )
            except ledger.Missing as error:
                raise self._error("TL531", str(error)) from error

    def undo(self, change: int | None = None, *, who: str = "unknown") -> Change:
        """See :meth:`traceloc.memory.store.SchemaStore.undo`."""
        with self._writing() as db:
            taken = self._find_undoable(db, change)
            if resting := ledger.blockers(db, taken.id):
                listed = ", ".join(str(each) for each in resting[:10])
                raise self._error(
                    "TL527",
                    f"change {taken.id} cannot be undone: later changes rest on it ({listed})",
                    "undo those first, the newest before the others",
                )
            put, remove = ledger.before_images(db, taken.id)
            note = f"undo {taken.id} ({taken.kind})"
            return ledger.write_change(
                db, "undo", put=put, remove=remove, note=note, who=who, at=None, undoes=taken.id
            )

    def log(self, *, after: int = 0, limit: int | None = None) -> list[Change]:
        """See :meth:`traceloc.memory.store.SchemaStore.log`."""
        with self._reading() as db:
            return [] if db is None else ledger.read_changes(db, after=after, limit=limit)

    def cursor(self, source: str = "") -> int:
        """See :meth:`traceloc.memory.store.SchemaStore.cursor`."""
        with self._reading() as db:
            return 0 if db is None else ledger.read_cursor(db, source)

    def get(self, ids: Sequence[str]) -> list[Row]:
        """See :meth:`traceloc.memory.store.SchemaStore.get`."""
        with self._reading() as db:
            if db is None:
                return []
            found = dict(ledger.select(db, "id, body", list(dict.fromkeys(ids))))
            return [unpack_row(found[each]) for each in ids if each in found]

    def rows(self, shelf: Shelf, *, system: str | None = None) -> Iterator[Row]:
        """See :meth:`traceloc.memory.store.SchemaStore.rows`."""
        query = (
            "SELECT id, body FROM rows WHERE shelf = ? AND (CAST(? AS TEXT) IS NULL OR system = ?) "
            "AND id > ? ORDER BY id LIMIT ?"
        )
        last = ""
        # In pieces, so that a slow reader keeps no snapshot open and writers can tidy up.
        while True:
            with self._reading() as db:
                if db is None:
                    return
                place = ledger.SHELVES.index(shelf)
                batch = db.execute(query, (place, system, system, last, ledger.BATCH)).fetchall()
                found = [unpack_row(body) for _, body in batch]
            yield from found
            if len(batch) < ledger.BATCH:
                return
            last = batch[-1][0]

    def count(self, shelf: Shelf, *, system: str | None = None) -> int:
        """See :meth:`traceloc.memory.store.SchemaStore.count`."""
        query = (
            "SELECT COUNT(*) FROM rows WHERE shelf = ? AND (CAST(? AS TEXT) IS NULL OR system = ?)"
        )
        with self._reading() as db:
            if db is None:
                return 0
            place = ledger.SHELVES.index(shelf)
            return int(db.execute(query, (place, system, system)).fetchone()[0])

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """See :meth:`traceloc.memory.store.SchemaStore.vectors`."""
        with self._reading() as db:
            found: dict[str, bytes] = {}
            dimension = 0
            if db is not None:
                dimension = ledger.read_meta(db).dimension
                found = dict(ledger.select(db, "id, vector", list(dict.fromkeys(ids))))
            missing = next((each for each in ids if each not in found), None)
            if missing is not None:
                raise self._error("TL531", f"has no row {missing!r}")
            return unpack_vectors([found[each] for each in ids], dimension=dimension)

    def nearest(
        self,
        queries: NDArray[np.float32],
        *,
        k: int,
        shelf: Shelf = "schema",
        system: str | None = None,
        exclude_trace: str | None = None,
        stamp: str | None = None,
    ) -> list[list[Neighbour]]:
        """See :meth:`traceloc.memory.store.SchemaStore.nearest`."""
        with self._reading() as db:
            meta = ledger.Meta() if db is None else ledger.read_meta(db)
            if db is None or meta.stamp is None:
                return [[] for _ in queries]
            self._compare_stamp(meta, stamp, queries.shape[1])
            part = Part(ledger.SHELVES.index(shelf), system, exclude_trace)
            return self._search(db, queries, k=k, part=part)

    def stamp(self) -> str | None:
        """See :meth:`traceloc.memory.store.SchemaStore.stamp`."""
        with self._reading() as db:
            return None if db is None else ledger.read_meta(db).stamp

    def state(self) -> bytes:
        """See :meth:`traceloc.memory.store.SchemaStore.state`."""
        with self._reading() as db:
            return b"" if db is None else ledger.read_meta(db).state

    def restamp(
        self,
        fingerprint: str,
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        *,
        state: bytes = b"",
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """See :meth:`traceloc.memory.store.SchemaStore.restamp`."""
        with self._writing() as db:
            dimension = ledger.replace_vectors(db, embed, batch=_EMBEDDED, told=on_progress)
            epoch = ledger.read_meta(db).epoch + 1
            if not dimension:
                dimension = int(np.asarray(embed([""])).shape[1])
            ledger.write_meta(db, ledger.Meta(fingerprint, dimension, state, epoch))

    def version(self) -> int:
        """See :meth:`traceloc.memory.store.SchemaStore.version`."""
        with self._reading() as db:
            return 0 if db is None else ledger.read_version(db)

    def check(self) -> list[str]:
        """See :meth:`traceloc.memory.store.SchemaStore.check`."""
        try:
            with self._reading() as db:
                if db is None:
                    return []
                return [*self._find_faults(db), *ledger.find_faults(db)]
        except StoreError as error:
            return [str(error)]

    def _settle_stamp(self, db: Database, stamp: str, dimension: int) -> None:
        meta = ledger.read_meta(db)
        if meta.stamp is None:
            ledger.write_meta(db, ledger.Meta(stamp, dimension, b"", 1))
        else:
            self._compare_stamp(meta, stamp, dimension)

    def _compare_stamp(self, meta: ledger.Meta, stamp: str | None, dimension: int) -> None:
        if (stamp is None or stamp == meta.stamp) and dimension == meta.dimension:
            return
        theirs = f"{stamp or 'an unnamed embedder'} ({dimension} dimensions)"
        raise self._error(
            "TL525",
            f"holds vectors of {meta.stamp} ({meta.dimension} dimensions), not of {theirs}",
            "`traceloc memory rebuild` embeds it anew",
        )

    def _find_undoable(self, db: Database, change: int | None) -> Change:
        if change is None:
            row = db.execute(
                "SELECT id FROM changes WHERE kind NOT IN ('undo', 'hit') AND id NOT IN "
                "(SELECT undoes FROM changes WHERE undoes IS NOT NULL) ORDER BY id DESC LIMIT 1"
            ).fetchone()
            if row is None:
                raise self._error("TL526", "there is nothing to undo")
            change = int(row[0])
        found = ledger.read_changes(db, after=change - 1, limit=1)
        if not found or found[0].id != change:
            self._refuse(f"has no change {change}")
        (taken,) = found
        if taken.kind == "undo":
            self._refuse(f"change {change} is itself an undo; make the change again instead")
        if taken.undone:
            self._refuse(f"change {change} was undone already")
        (too_old,) = db.execute("SELECT too_old FROM changes WHERE id = ?", (change,)).fetchone()
        if too_old:
            message = f"change {change} is too old: the last {ledger.UNDO_DEPTH:,} can be undone"
            raise self._error("TL528", message)
        return taken

    def _refuse(self, message: str) -> NoReturn:
        raise self._error("TL526", message, "`traceloc memory log` lists what there is")
