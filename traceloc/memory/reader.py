"""The reading half of the failure memory: recall of schemata, contrast, gate, search."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory.contrast import contrast
from traceloc.memory.gate import CLOSED, Gate
from traceloc.memory.learning import same_sort
from traceloc.memory.masking import mask_text
from traceloc.memory.recall import Match, Recollection
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.settings import DEFAULTS, MemorySettings
from traceloc.memory.sketch import TraceSketch
from traceloc.memory.store import Neighbour, SchemaStore, Shelf
from traceloc.memory.view import gate_of, view_system

if TYPE_CHECKING:
    from traceloc.contracts import Embedder
    from traceloc.registry import Registry

Vectors = NDArray[np.float32]
T = TypeVar("T")

_ATTEMPTS = 100
_PAUSE = 0.02
"""Seconds to wait at most before the next attempt."""

LISTED_ABOVE = 0.2
"""Cosine from which a search lists a schema. Words at random come to 0.2 with one of the 56 shipped
ones and the default embedder; what was meant came to 0.21 and more (measured)."""
_ASKED = 8
"""Schemata looked at for each step, before those of another sort are left out."""


class MemoryReader:
    """Recalls. What it derives from the store is made anew when the store has changed.

    Args:
        store: Where rows and vectors are kept.
        embedder: Makes vectors; found by the store's stamp if left out.
        settings: Thresholds and weights.
        registry: Where embedders are found.
    """

    def __init__(
        self,
        store: SchemaStore,
        *,
        embedder: Embedder | None = None,
        settings: MemorySettings = DEFAULTS,
        registry: Registry | None = None,
    ) -> None:
        from traceloc.memory.embedding import open_embedder

        self.store = store
        self.settings = settings
        self._registry = registry
        self.embedder = embedder or open_embedder(store, registry=registry)
        self.lock = threading.RLock()
        self._gates: dict[str, Gate] = {}
        self._counts: dict[tuple[Shelf, str | None], int] = {}
        self._members: dict[str, list[str]] | None = None
        self._signs: list[ErrorSchema] | None = None
        self._version = -1

    @property
    def empty(self) -> bool:
        """Whether there is nothing to recall."""
        self._refresh()
        return self._version == 0 or self._count("schema", None) == 0

    def repeat(self, action: Callable[[], T]) -> T:
        """Do something; again, if another process changed the memory or weighed words meanwhile."""
        from traceloc.memory.embedding import open_embedder

        for left in range(_ATTEMPTS - 1, -1, -1):
            try:
                return action()
            except StoreError as error:
                reweighed = error.code == "TL525" and hasattr(self.embedder, "with_state")
                if not left or not (reweighed or error.code == "TL534"):
                    raise
            self._forget_derived()
            if not reweighed:
                # Others are at it: whoever waits a little differently gets through.
                time.sleep(random.uniform(0, _PAUSE))  # noqa: S311
                continue
            self.embedder = open_embedder(
                self.store, self.embedder.name, change=False, registry=self._registry
            )
        raise AssertionError("unreachable")

    def recall(self, sketch: TraceSketch, *, n_candidates: int | None = None) -> Recollection:
        """What the memory says of the steps of a trace; the trace itself is never its neighbour.

        Args:
            sketch: The trace.
            n_candidates: Candidates it has, where the sketch holds only some of them.

        Raises:
            StoreError: If the memory cannot be read.
        """
        return self.repeat(lambda: self._recall(sketch, n_candidates))

    def _recall(self, sketch: TraceSketch, n_candidates: int | None) -> Recollection:
        n = len(sketch.steps) if n_candidates is None else n_candidates
        odds = np.zeros(n)
        if not sketch.steps or self.empty:
            return Recollection(odds)
        self._refresh()
        vectors = self.embed([step.text for step in sketch.steps])
        failing, ordinary = self._neighbours(sketch, vectors)
        odds[sketch.positions] = contrast(
            failing,
            ordinary,
            totals=(
                self._count("remembered", sketch.system),
                self._count("ordinary", sketch.system),
            ),
            settings=self.settings,
        )
        best = [max(each, default=-1.0) for each in ordinary]
        return Recollection(
            odds=odds,
            matches=self._match(sketch, vectors, ordinary=best),
            gate=self.gate(sketch.system),
        )

    def gate(self, system: str) -> Gate:
        """Whether the memory of a system may vote, and how much."""
        with self.lock:
            self._refresh()
            if system not in self._gates:
                few = self.store.count("remembered", system=system) < self.settings.gate_groups
                view = None if few else view_system(self.store, system)
                self._gates[system] = CLOSED if view is None else gate_of(view, self.settings)
            return self._gates[system]

    def questions(self, system: str) -> int:
        """Questions of a system with a remembered failure; several runs of a task count once."""
        rows = self.store.rows("remembered", system=system)
        return len({row.group or row.trace or row.id for row in rows})

    def search(
        self,
        text: str,
        *,
        k: int = 10,
        system: str | None = None,
        above: float = LISTED_ABOVE,
    ) -> list[Match]:
        """Schemata similar to a text, most similar first; none if nothing is.

        Args:
            text: What a step said; masked before it is compared.
            k: How many at most.
            system: Only of this system.
            above: Least cosine.
        """
        if self.empty:
            return []

        def near() -> list[Neighbour]:
            query = self.embed([mask_text(text)])
            stamp = self.embedder.fingerprint()
            return self.store.nearest(query, k=k, system=system, stamp=stamp)[0]

        found = self.repeat(near)
        by_id = {row.id: row.schema_ for row in self.store.get([each.id for each in found])}
        pairs = ((by_id.get(each.id), each.similarity) for each in found)
        return [
            Match(schema, similarity)
            for schema, similarity in pairs
            if schema is not None and similarity >= above
        ]

    def schemata(self, *, system: str | None = None) -> list[ErrorSchema]:
        """All schemata by id."""
        rows = self.store.rows("schema", system=system)
        return [row.schema_ for row in rows if row.schema_ is not None]

    def sizes(self) -> list[tuple[str, int, int, int]]:
        """Of each system: schemata, remembered failures, ordinary steps; ``any`` has no system."""
        names = {row.system for row in self.store.rows("schema")}
        names |= {row.system for row in self.store.rows("remembered")}
        found = []
        for name in sorted(name for name in names if name is not None):
            schemata, remembered, ordinary = (
                self.store.count(shelf, system=name)
                for shelf in ("schema", "remembered", "ordinary")
            )
            found.append((name, schemata, remembered, ordinary))
        if None in names:
            free = sum(row.system is None for row in self.store.rows("schema"))
            found.append(("any", free, 0, 0))
        return found

    def get(self, id: str) -> ErrorSchema:
        """A schema by its id or an unambiguous beginning of it.

        Raises:
            StoreError: TL540 if there is none, or several begin so.
        """
        exact = [row.schema_ for row in self.store.get([id]) if row.schema_ is not None]
        found = exact or [s for s in self.schemata() if id and s.id.startswith(id)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(s.id for s in found[:5]) + (", …" if len(found) > 5 else "")
            raise StoreError(f"{id!r} begins several schemata: {names}", code="TL540")
        raise StoreError(
            f"there is no schema {id!r}", code="TL540", hint="'traceloc memory list' names them"
        )

    def _neighbours(
        self, sketch: TraceSketch, vectors: Vectors
    ) -> tuple[list[list[float]], list[list[float]]]:
        found = []
        for shelf, k in (
            ("remembered", self.settings.failing_neighbours),
            ("ordinary", self.settings.ordinary_neighbours),
        ):
            near = self.store.nearest(
                vectors,
                k=k,
                shelf=shelf,  # type: ignore[arg-type]
                system=sketch.system,
                exclude_trace=sketch.trace,
                stamp=self.embedder.fingerprint(),
            )
            found.append([[each.similarity for each in row] for row in near])
        return found[0], found[1]

    def _match(
        self, sketch: TraceSketch, vectors: Vectors, *, ordinary: Sequence[float]
    ) -> dict[int, tuple[Match, ...]]:
        """Schemata of the system itself; where it has none that is near, of all systems."""
        found: dict[int, tuple[Match, ...]] = {}
        left = list(range(len(sketch.steps)))
        for system, above in (
            (sketch.system, self.settings.similar_above),
            (None, self.settings.elsewhere_above),
        ):
            if not left:
                break
            near = self.store.nearest(
                vectors[left],
                k=_ASKED,
                shelf="schema",
                system=system,
                exclude_trace=sketch.trace,
                stamp=self.embedder.fingerprint(),
            )
            wanted = {
                n.id
                for i, row in zip(left, near, strict=True)
                for n in row
                if n.similarity >= max(above, ordinary[i] + self.settings.stand_out)
            }
            known = {row.id: row.schema_ for row in self.store.get(sorted(wanted))}
            rest = []
            for i, row in zip(left, near, strict=True):
                mine = []
                for each in row:
                    schema = known.get(each.id)
                    # What ordinary steps of the system look like no less tells nothing.
                    if schema is None or each.similarity < max(
                        above, ordinary[i] + self.settings.stand_out
                    ):
                        continue
                    if same_sort(schema, environment=sketch.steps[i].environment):
                        mine.append(Match(schema, each.similarity))
                if mine:
                    position = int(sketch.positions[i])
                    found[position] = tuple(mine[: self.settings.matches])
                else:
                    rest.append(i)
            left = rest
        self._match_signs(sketch, left, found)
        return found

    def _match_signs(
        self, sketch: TraceSketch, left: Sequence[int], found: dict[int, tuple[Match, ...]]
    ) -> None:
        """Shipped schemata have no words of a system; all their signals must have fired."""
        if self._signs is None:
            self._signs = [
                s for s in self.schemata() if s.origin == "shipped" and s.signature.signals
            ]
        for i in left if sketch.fired else ():
            fired = set(sketch.fired[i])
            shown = (s for s in self._signs if fired.issuperset(s.signature.signals))
            mine = [Match(schema, 1.0, "rule") for schema in shown]
            mine.sort(key=lambda m: (-len(m.schema.signature.signals), m.schema.id))
            if mine:
                found[int(sketch.positions[i])] = tuple(mine[: self.settings.matches])

    def _count(self, shelf: Shelf, system: str | None) -> int:
        with self.lock:
            if (shelf, system) not in self._counts:
                self._counts[shelf, system] = self.store.count(shelf, system=system)
            return self._counts[shelf, system]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of masked texts."""
        return self.embedder.embed(texts)

    def _refresh(self) -> None:
        """Forget what was derived from an older state of the store."""
        with self.lock:
            version = self.store.version()
            if version != self._version:
                self._forget_derived()
                self._version = version

    def _forget_derived(self) -> None:
        self._gates.clear()
        self._counts.clear()
        self._members = None
        self._signs = None
        self._version = -1
