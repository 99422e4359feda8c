"""The bulk of a large memory, mapped from files and searched through clusters.

faiss's inverted file with 8-bit scalar quantisation finds candidates; they are scored again from
the vectors themselves. A condition (shelf, system) is checked inside the search, which then looks
into as many more clusters as rows are left out; where few rows fit, they are searched exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.vectors.bulk_file import BulkHead, open_bulk
from traceloc.memory.vectors.exact import normalize, score
from traceloc.memory.vectors.table import Found, Part, mark, search_places

EXACT_ROWS = 20_000
"""Up to so many rows that fit a condition, each is looked at."""
PROBES = 6
"""Clusters a query looks into; see ``benchmarks/results/memory_search.md``."""
_MOST_CANDIDATES = 4096
_KEEP = 4


class Bulk:
    """Rows up to a number.

    Args:
        database: Path of the database whose files to map.

    Raises:
        LookupError: If there are no whole files.
    """

    def __init__(self, database: Path) -> None:
        mapped = open_bulk(database)
        if mapped is None:
            raise LookupError(database)
        self.head: BulkHead = mapped.head
        self.index = mapped.index
        self.rows = mapped.rows
        self.alive = mapped.alive
        self._masks: dict[tuple[int, str | None], NDArray[np.bool_]] = {}
        self._small: dict[
            tuple[int, str | None], tuple[NDArray[np.int64], NDArray[np.float32]]
        ] = {}

    @property
    def last(self) -> int:
        """Highest number."""
        return int(self.rows.numbers[-1])

    def bury(self, numbers: NDArray[np.int64]) -> None:
        """Leave out rows that are no more."""
        places = np.searchsorted(self.rows.numbers, numbers)
        places = places[places < len(self.alive)]
        places = places[np.isin(self.rows.numbers[places], numbers)]
        if len(places):
            self.alive[places] = False
            self._masks.clear()
            self._small.clear()

    def search(self, queries: NDArray[np.float32], k: int, part: Part) -> list[Found]:
        """About the ``k`` nearest of each query in a part; exactly those where few rows fit."""
        key = (part.shelf, part.system)
        mask = self._mask(*key)
        count = int(np.count_nonzero(mask))
        if count <= EXACT_ROWS:
            places, matrix = self._gather(key, mask)
            return search_places(self.rows, places, matrix, queries, k, part.without_trace)
        if part.without_trace is not None:
            mask = mask & (self.rows.traces != mark(part.without_trace))
        return self._probe(queries, k, mask, count)

    def _probe(
        self, queries: NDArray[np.float32], k: int, mask: NDArray[np.bool_], count: int
    ) -> list[Found]:
        import faiss

        total = len(mask)
        probes = min(self.index.nlist, -(-PROBES * total // count))
        bits = np.packbits(mask, bitorder="little")
        options: dict[str, Any] = {"nprobe": probes}
        # Not `count`, which is of the part before a trace is left out of it.
        if not mask.all():
            options["sel"] = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        parameters = faiss.SearchParametersIVF(**options)
        found: list[Found | None] = [None] * len(queries)
        open_places, wanted = np.arange(len(queries)), 2 * k + 8
        while len(open_places):
            # One thread: for the steps of one trace, starting more costs more than they save.
            threads = faiss.omp_get_max_threads()
            faiss.omp_set_num_threads(1)
            try:
                _, labels = self.index.search(queries[open_places], wanted, params=parameters)
            finally:
                faiss.omp_set_num_threads(threads)
            undecided = []
            # One gathering for all; what faiss pads with -1 is read as the last row, and dropped.
            gathered = normalize(np.take(self.rows.vectors, labels.ravel(), axis=0, mode="wrap"))
            gathered = gathered.reshape(*labels.shape, -1)
            for place, near, vectors in zip(open_places.tolist(), labels, gathered, strict=True):
                kept = near >= 0
                near = near[kept]
                scores = score(queries[place], vectors[kept])
                found[place] = Found(self.rows.numbers[near], scores)
                # Equals of the last may lie beyond what was asked for.
                if len(near) == wanted > k and scores.min() >= np.partition(scores, -k)[-k]:
                    undecided.append(place)
            wanted *= 8
            open_places = np.array(undecided if wanted <= _MOST_CANDIDATES else [], np.int64)
        return [each for each in found if each is not None]

    def _mask(self, shelf: int, system: str | None) -> NDArray[np.bool_]:
        key = (shelf, system)
        if key not in self._masks:
            mask = self.alive & (self.rows.shelves == shelf)
            if system is not None:
                mask &= self.rows.systems == mark(system)
            while len(self._masks) >= _KEEP:
                del self._masks[next(iter(self._masks))]
            self._masks[key] = mask
        return self._masks[key]

    def _gather(
        self, key: tuple[int, str | None], mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        if key not in self._small:
            places = np.flatnonzero(mask)
            while len(self._small) >= _KEEP:
                del self._small[next(iter(self._small))]
            self._small[key] = (places, normalize(self.rows.vectors[places]))
        return self._small[key]
