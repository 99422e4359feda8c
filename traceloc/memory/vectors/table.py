"""Vectors held in memory, searched exactly."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.vectors.exact import find_candidates, normalize, score

_T = TypeVar("_T", bound=np.generic)
_KEEP = 4
"""Parts (a shelf of one system, say) whose vectors are kept side by side."""
_FEW = 256


class Part(NamedTuple):
    """Which rows a search looks at."""

    shelf: int
    system: str | None
    """All if ``None``."""
    without_trace: str | None


class Found(NamedTuple):
    """Candidates of one query."""

    numbers: NDArray[np.int64]
    scores: NDArray[np.float64]


class Loaded(NamedTuple):
    """Rows as they come from the file."""

    numbers: NDArray[np.int64]
    shelves: NDArray[np.int8]
    systems: NDArray[np.int64]
    traces: NDArray[np.int64]
    vectors: NDArray[np.float32]


def mark(text: str | None) -> int:
    """A number that stands for a system or a trace; 0 for none."""
    if text is None:
        return 0
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


class VectorTable:
    """Rows in the order of their numbers; new ones come at the end.

    Args:
        dimension: Of the vectors.
    """

    def __init__(self, dimension: int) -> None:
        self.size = 0
        self.dead = 0
        self._rows = Loaded(
            np.zeros(0, np.int64),
            np.zeros(0, np.int8),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros((0, dimension), np.float32),
        )
        self._alive = np.zeros(0, np.bool_)
        self._parts: dict[
            tuple[int, str | None], tuple[NDArray[np.int64], NDArray[np.float32]]
        ] = {}

    @property
    def last(self) -> int:
        """Highest number; 0 if there is none."""
        return int(self._rows.numbers[self.size - 1]) if self.size else 0

    def add(self, rows: Loaded) -> None:
        """Append rows with higher numbers than any before."""
        count = len(rows.numbers)
        if not count:
            return
        vectors = normalize(rows.vectors)
        if self.size + count > len(self._alive):
            room = max(2 * len(self._alive), self.size + count)
            old = self._rows
            self._rows = Loaded(
                _grow(old.numbers, room),
                _grow(old.shelves, room),
                _grow(old.systems, room),
                _grow(old.traces, room),
                _grow(old.vectors, room),
            )
            self._alive = _grow(self._alive, room)
        new = slice(self.size, self.size + count)
        self._rows.numbers[new] = rows.numbers
        self._rows.shelves[new] = rows.shelves
        self._rows.systems[new] = rows.systems
        self._rows.traces[new] = rows.traces
        self._rows.vectors[new] = vectors
        # A step without content is like nothing.
        self._alive[new] = vectors.any(axis=1)
        self.size += count
        self._parts.clear()

    def bury(self, numbers: NDArray[np.int64]) -> None:
        """Leave out rows that are no more."""
        own = self._rows.numbers[: self.size]
        places = np.searchsorted(own, numbers)
        places = places[places < self.size]
        places = places[np.isin(own[places], numbers)]
        if len(places):
            self._alive[places] = False
            self.dead += len(places)
            self._parts.clear()

    def search(self, queries: NDArray[np.float32], k: int, part: Part) -> list[Found]:
        """The ``k`` nearest of each query in a part, and all that equal the last of them."""
        places, matrix = self._part(part.shelf, part.system)
        return search_places(self._rows, places, matrix, queries, k, part.without_trace)

    def _part(
        self, shelf: int, system: str | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        key = (shelf, system)
        if key not in self._parts:
            here = self._alive[: self.size] & (self._rows.shelves[: self.size] == shelf)
            if system is not None:
                here &= self._rows.systems[: self.size] == mark(system)
            places = np.flatnonzero(here)
            whole = len(places) == self.size
            matrix = self._rows.vectors[: self.size] if whole else self._rows.vectors[places]
            while len(self._parts) >= _KEEP:
                del self._parts[next(iter(self._parts))]
            self._parts[key] = (places, matrix)
        return self._parts[key]


def search_places(
    rows: Loaded,
    places: NDArray[np.int64],
    matrix: NDArray[np.float32],
    queries: NDArray[np.float32],
    k: int,
    without_trace: str | None,
) -> list[Found]:
    """The ``k`` nearest of each query among some rows, and all that equal the last of them.

    Args:
        rows: What is known of all rows; its vectors are not looked at.
        places: Which of them to search.
        matrix: Unit vectors of those.
        queries: Unit vectors.
        k: At least 1.
        without_trace: Leave out rows of this trace.
    """
    wanted = k
    if without_trace is not None:
        kept = rows.traces[places] != mark(without_trace)
        left_out = len(places) - int(kept.sum())
        if left_out > _FEW:
            places, matrix, without_trace = places[kept], matrix[kept], None
        else:
            wanted = k + left_out
    if not len(places):
        return [Found(np.zeros(0, np.int64), np.zeros(0))] * len(queries)
    found = []
    for query, near in zip(queries, find_candidates(queries, matrix, wanted), strict=True):
        if without_trace is not None:
            near = near[kept[near]]
        found.append(Found(rows.numbers[places[near]], score(query, matrix[near])))
    return found


def _grow(array: NDArray[_T], room: int) -> NDArray[_T]:
    larger = np.zeros((room, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
