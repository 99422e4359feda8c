"""Does a step look more like a failing step than like an ordinary one of the same system?

The log-odds of two densities in the space of the embedder, each a sum of kernels over the nearest
rows (Parzen windows). Only the nearest are known; the others count as unlike as can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.settings import DEFAULTS, MemorySettings

Floats = NDArray[np.float64]


def log_density(similarities: Sequence[float] | Floats, *, total: int, temperature: float) -> float:
    """Log of the mean kernel over ``total`` rows of which only the nearest are given."""
    near = np.exp(np.asarray(similarities, dtype=np.float64) / temperature).sum()
    return float(np.log((near + max(total - len(similarities), 0)) / max(total, 1)))


def contrast(
    failing: Sequence[Sequence[float]],
    ordinary: Sequence[Sequence[float]],
    *,
    totals: tuple[int, int],
    settings: MemorySettings = DEFAULTS,
) -> Floats:
    """Log-odds of each step, less their mean: what a memory says of the steps of one trace.

    Args:
        failing: Cosines of the nearest remembered failures of each step.
        ordinary: The same for ordinary steps.
        totals: How many rows of each kind there were to choose from.
        settings: For the width of the kernel.
    """
    if not failing or not totals[0] or not totals[1]:
        return np.zeros(len(failing))
    odds = np.array(
        [
            log_density(near, total=totals[0], temperature=settings.temperature)
            - log_density(other, total=totals[1], temperature=settings.temperature)
            for near, other in zip(failing, ordinary, strict=True)
        ]
    )
    return np.asarray(odds - odds.mean(), dtype=np.float64)


def contrast_matrix(
    similarities: Floats | NDArray[np.float32],
    failing: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    settings: MemorySettings = DEFAULTS,
) -> Floats:
    """The same from a matrix of cosines, one row a step and one column a remembered row.

    Args:
        similarities: Shape ``(n_steps, n_rows)``.
        failing: Which rows are failures; the others are ordinary.
        usable: Which rows may be looked at at all.
        settings: How many neighbours, and the width of the kernel.
    """
    parts = []
    for mask, k in (
        (failing & usable, settings.failing_neighbours),
        (~failing & usable, settings.ordinary_neighbours),
    ):
        columns: NDArray[Any] = similarities[:, mask]
        if columns.shape[1] == 0:
            return np.zeros(len(similarities))
        if columns.shape[1] > k:
            columns = np.partition(columns, columns.shape[1] - k, axis=1)[:, -k:]
        near = np.exp(np.asarray(columns, np.float64) / settings.temperature).sum(axis=1)
        total = int(mask.sum())
        parts.append(np.log((near + total - columns.shape[1]) / total))
    odds = parts[0] - parts[1]
    return np.asarray(odds - odds.mean(), dtype=np.float64)
