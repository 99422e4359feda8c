"""The failure memory as the rest of traceloc meets it: recall, learn, answer, keep in shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory.distil import Distilled, distil_schema
from traceloc.memory.learning import (
    Lesson,
    amend,
    ordinary_rows,
    row_id,
    teach,
)
from traceloc.memory.reader import MemoryReader
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.settings import DEFAULTS, MemorySettings
from traceloc.memory.sketch import TraceSketch
from traceloc.memory.store import Change, ChangeKind, Row, schema_row

if TYPE_CHECKING:
    from traceloc.registry import Registry

Vectors = NDArray[np.float32]


class Learned(NamedTuple):
    """What came of teaching the memory one failure."""

    schema: ErrorSchema
    """As it stands now."""
    new: bool
    """Whether the failure founded it, because nothing similar was known."""
    known: bool
    """Whether this very step had been learned before; nothing was changed then."""
    distilled: Distilled | None = None
    step: int = -1
    """Index of the failing step in its trace."""
    row: str = ""
    """Id of the remembered failure."""


class FailureMemory(MemoryReader):
    """Remembers failures as error schemata and recognises them in other runs.

    Threads may share it. What it knows of a system is read anew when the store has changed.

    Args:
        store: Where rows and vectors are kept.
        embedder: Makes vectors; found by the store's stamp if left out.
        settings: Thresholds and weights.
        registry: Where embedders are found.
    """

    @classmethod
    def open(
        cls,
        address: str | None = None,
        *,
        settings: MemorySettings = DEFAULTS,
        registry: Registry | None = None,
    ) -> FailureMemory:
        """The memory at an address, or that of this project or user.

        Raises:
            StoreError: If what is there is no memory, or cannot be read.
        """
        from traceloc.memory.home import find_memory

        store = find_memory(address, registry=registry)
        return cls(store, settings=settings, registry=registry)

    def learn(
        self,
        sketch: TraceSketch,
        natives: Iterable[int],
        lesson: Lesson,
        *,
        who: str = "unknown",
        note: str = "",
        cursor: int | None = None,
        source: str = "",
        distil: bool = True,
    ) -> list[Learned]:
        """Remember the failing steps of a trace, and some of its ordinary ones.

        Args:
            sketch: The trace.
            natives: Native indices of its failing steps; one that is no candidate is passed over.
            lesson: What is known of the failure.
            who: Who says so.
            note: For the log.
            cursor: Event of the label store this comes from.
            source: Which label store.
            distil: Distil schemata that have become hot.

        Raises:
            StoreError: If the memory cannot be written.
        """
        wanted = sorted(set(natives))
        found = []
        with self.lock:
            for native in wanted:
                i = sketch.find(native)
                if i is None or not sketch.steps[i].text:
                    continue
                tell = note or sketch.locate(i)
                learn_one = partial(
                    self._learn_step, sketch, i, set(wanted), lesson, who, tell, cursor, source
                )
                one = self.repeat(learn_one)
                if distil and not one.known and self._is_hot(one.schema):
                    made = self._distil_if_quiet(one.schema, who)
                    if made is not None:
                        one = one._replace(schema=made.schema, distilled=made)
                row = row_id("remembered", sketch.system, sketch.trace, native)
                found.append(one._replace(step=sketch.steps[i].step, row=row))
            if any(not one.known for one in found):
                self._reweigh()
        return found

    def distil(self, schema: ErrorSchema, *, who: str = "unknown") -> Distilled | None:
        """Distil a schema, if replay allows."""
        with self.lock:
            return self.repeat(lambda: self._distil(schema, who))

    def _distil(self, schema: ErrorSchema, who: str) -> Distilled | None:
        version = self.store.version()
        made = distil_schema(self.store, schema, settings=self.settings)
        if made is None:
            return None
        n = len(made.remove) + 1
        self.change(
            "distil",
            put=made.put,
            vectors=made.vectors,
            remove=made.remove,
            note=f"{n} into {made.schema.id}; replay {made.before:.3f} to {made.after:.3f}",
            who=who,
            after=version,
        )
        return made

    def prune(
        self, max_size: int | None = None, *, who: str = "unknown", at: datetime | None = None
    ) -> list[ErrorSchema]:
        """Evict the least useful schemata until no more than ``max_size`` are left.

        Returns:
            What went, least useful first.
        """
        from traceloc.memory.eviction import choose_victims

        limit = self.settings.max_size if max_size is None else max_size
        with self.lock:
            rows = [row for row in self.store.rows("schema") if row.schema_ is not None]
            schemata = [row.schema_ for row in rows if row.schema_ is not None]
            moment = at or datetime.now(UTC)
            gone = choose_victims(schemata, limit, at=moment, settings=self.settings)
            if not gone:
                return []
            ids = {schema.id for schema in gone}
            members = self._index()
            remove = [*sorted(ids), *(m for id in sorted(ids) for m in members.get(id, ()))]
            note = f"{len(gone)} of {len(schemata)} schemata, the least useful"
            self.change("evict", remove=remove, note=note, who=who, at=at)
            return gone

    def distil_all(self, *, who: str = "unknown") -> int:
        """Distil every schema seen more than once, those seen most often first; how many it was."""
        made = 0
        for schema in sorted(self.schemata(), key=lambda s: (-s.counts.seen, s.id)):
            # An earlier one may have taken it in.
            still = self.store.get([schema.id])
            if schema.counts.seen > 1 and still and still[0].schema_ is not None:
                made += self.distil(still[0].schema_, who=who) is not None
        return made

    def undo(self, change: int | None = None, *, who: str = "unknown") -> Change:
        """Take back a change, the newest if none is named.

        Raises:
            StoreError: If there is none, or later ones rest on it.
        """
        with self.lock:
            made = self.store.undo(change, who=who)
            self._version = -1
            return made

    def put_schemata(
        self, schemata: Sequence[ErrorSchema], *, who: str = "unknown", note: str = ""
    ) -> Change | None:
        """Take in schemata from elsewhere; of one that is known the better known version stays."""
        with self.lock:
            change = self.repeat(partial(self._take_in, schemata, who, note))
            if change is not None:
                self._reweigh()
            return change

    def _take_in(self, schemata: Sequence[ErrorSchema], who: str, note: str) -> Change | None:
        version = self.store.version()
        known = {row.id: row.schema_ for row in self.store.get([s.id for s in schemata])}
        fresh: dict[str, ErrorSchema] = {}
        for schema in schemata:
            old = known.get(schema.id)
            if old is None or old.counts.seen < schema.counts.seen:
                fresh[schema.id] = schema
        if not fresh:
            return None
        rows = [schema_row(s) for s in fresh.values()]
        vectors = self.embed([row.text for row in rows])
        return self.change("import", put=rows, vectors=vectors, note=note, who=who, after=version)

    def _learn_step(
        self,
        sketch: TraceSketch,
        i: int,
        failing: set[int],
        lesson: Lesson,
        who: str,
        note: str,
        cursor: int | None,
        source: str,
    ) -> Learned:
        step = sketch.steps[i]
        version = self.store.version()
        known = self.store.get([row_id("remembered", sketch.system, sketch.trace, step.native)])
        if known and known[0].belongs_to is not None:
            rows = self.store.get([known[0].belongs_to])
            if rows and (old := rows[0].schema_) is not None:
                if (schema := amend(old, lesson)) != old:
                    put = [rows[0].model_copy(update={"schema_": schema})]
                    self.change("merge", put=put, note=note, who=who, at=lesson.at, after=version)
                return Learned(schema, new=False, known=True)
        vectors = self.embed([each.text for each in sketch.steps])
        taught = teach(
            self.store,
            sketch,
            i,
            vectors,
            lesson=lesson,
            members=self._index(),
            settings=self.settings,
            stamp=self.embedder.fingerprint(),
        )
        room = self.settings.ordinary_per_system
        room -= self.store.count("ordinary", system=sketch.system)
        others = ordinary_rows(sketch, failing, limit=self.settings.ordinary_per_trace, room=room)
        put = [*taught.put, *(row for row, _ in others)]
        made = np.concatenate([taught.vectors, vectors[[place for _, place in others]]])
        # The step may have been taken for an ordinary one before.
        stale = row_id("ordinary", sketch.system, sketch.trace, step.native)
        self.change(
            "learn" if taught.new else "merge",
            put=put,
            vectors=made,
            remove=[*taught.remove, *(row.id for row in self.store.get([stale]))],
            note=note,
            who=who,
            at=lesson.at,
            cursor=cursor,
            source=source,
            after=version,
        )
        return Learned(taught.schema, taught.new, known=False)

    def _distil_if_quiet(self, schema: ErrorSchema, who: str) -> Distilled | None:
        """Distil, unless other writers leave no time for it: the schema will be hot again."""
        try:
            return self._distil(schema, who)
        except StoreError as error:
            if error.code not in ("TL525", "TL534"):
                raise
            return None

    def _is_hot(self, schema: ErrorSchema) -> bool:
        seen, hot = schema.counts.seen, self.settings.hot_at
        # At θ, 2θ, 4θ …: each sighting is then looked at about twice, however many there are.
        return seen >= hot and seen % hot == 0 and (seen // hot) & (seen // hot - 1) == 0

    def members(self, schema: str) -> list[str]:
        """Ids of the remembered failures behind a schema."""
        with self.lock:
            return sorted(self._index().get(schema, ()))

    def _index(self) -> dict[str, list[str]]:
        """Ids of remembered failures by schema."""
        self._refresh()
        if self._members is None:
            self._members = {}
            for row in self.store.rows("remembered"):
                if row.belongs_to is not None:
                    self._members.setdefault(row.belongs_to, []).append(row.id)
        return self._members

    def change(
        self,
        kind: ChangeKind,
        *,
        put: Sequence[Row] = (),
        vectors: Vectors | None = None,
        remove: Sequence[str] = (),
        note: str = "",
        who: str,
        at: datetime | None = None,
        cursor: int | None = None,
        source: str = "",
        after: int | None = None,
    ) -> Change:
        """Write to the store: see :class:`~traceloc.memory.store.SchemaStore`.

        What was derived from its old state is forgotten.
        """
        before = self.store.version()
        change = self.store.apply(
            kind,
            put=put,
            vectors=vectors,
            stamp=None if vectors is None else self.embedder.fingerprint(),
            remove=remove,
            note=note,
            who=who,
            at=at,
            cursor=cursor,
            source=source,
            after=after,
        )
        members = self._members if self._version == before else None
        self._forget_derived()
        if members is not None and change.id == before + 1:
            self._members = _follow(members, put, remove)
            self._version = change.id
        return change

    def _reweigh(self) -> None:
        from traceloc.memory.embedding import reweigh_if_grown

        self.embedder = reweigh_if_grown(self.store, self.embedder)


def _follow(
    members: dict[str, list[str]], put: Sequence[Row], remove: Sequence[str]
) -> dict[str, list[str]]:
    """The index after a change, without reading the shelf again."""
    touched = {row.id for row in put if row.shelf == "remembered"} | set(remove)
    if any(row.shelf == "remembered" for row in put) or touched:
        for schema, ids in list(members.items()):
            if not touched.isdisjoint(ids):
                members[schema] = [id for id in ids if id not in touched]
        for row in put:
            if row.shelf == "remembered" and row.belongs_to is not None:
                members.setdefault(row.belongs_to, []).append(row.id)
    return members
