"""All that a memory keeps of one system, side by side as arrays: for the gate and for replay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.contrast import contrast_matrix
from traceloc.memory.gate import Gate, Trial, learn_gate
from traceloc.memory.settings import MemorySettings
from traceloc.memory.store import Row, SchemaStore

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class SystemView:
    """Remembered failures and ordinary steps of a system."""

    rows: tuple[Row, ...]
    vectors: Vectors
    failing: NDArray[np.bool_]

    @property
    def traces(self) -> dict[str, list[int]]:
        """Positions of the rows of each trace."""
        found: dict[str, list[int]] = {}
        for i, row in enumerate(self.rows):
            if row.trace is not None:
                found.setdefault(row.trace, []).append(i)
        return found


def view_system(store: SchemaStore, system: str) -> SystemView:
    """Read what is kept of a system."""
    remembered = list(store.rows("remembered", system=system))
    ordinary = list(store.rows("ordinary", system=system))
    rows = (*remembered, *ordinary)
    failing = np.zeros(len(rows), dtype=np.bool_)
    failing[: len(remembered)] = True
    return SystemView(rows, store.vectors([row.id for row in rows]), failing)


def gate_of(view: SystemView, settings: MemorySettings) -> Gate:
    """Whether the memory of this system may vote: see :mod:`traceloc.memory.gate`."""
    trials = []
    groups = np.array([row.group or row.trace or row.id for row in view.rows])
    for _, inside in sorted(view.traces.items())[: settings.gate_traces]:
        scores = [view.rows[i].score for i in inside]
        if any(score is None for score in scores) or not view.failing[inside].any():
            continue
        similar = view.vectors[inside] @ view.vectors.T
        odds = contrast_matrix(similar, view.failing, groups != groups[inside[0]], settings)
        trials.append(
            Trial(
                group=str(groups[inside[0]]),
                scores=np.array(scores, dtype=np.float64),
                odds=odds,
                failing=view.failing[inside],
            )
        )
    return learn_gate(trials, settings)


def replay(
    view: SystemView, schemata: Vectors, traces: list[str | None], settings: MemorySettings
) -> float:
    """How well schemata find the remembered failures among the steps of their own traces.

    Mean over failures of one over the rank of the failing step by its cosine with the nearest
    schema; 0 where nothing is similar. A schema known from that trace alone does not count.

    Args:
        view: What is remembered.
        schemata: Vectors of the schemata, one a row.
        traces: For each the one trace it is known from, ``None`` for several.
        settings: For the threshold and the number of failures.

    Returns:
        0 to 1; NaN where nothing is remembered.
    """
    if not len(schemata):
        return 0.0
    known_from = np.array([trace or "" for trace in traces])
    found = []
    members = sorted(view.traces.items())
    for trace, inside in members:
        failing = [i for i in inside if view.failing[i]]
        if not failing:
            continue
        similar = view.vectors[inside] @ schemata.T
        similar[:, known_from == trace] = -1.0
        best = similar.max(axis=1)
        for i in failing:
            mine = best[inside.index(i)]
            above = int((best >= mine - 1e-6).sum())
            found.append(1.0 / above if mine >= settings.similar_above else 0.0)
        if len(found) >= settings.replayed:
            break
    return float(np.mean(found)) if found else float("nan")
