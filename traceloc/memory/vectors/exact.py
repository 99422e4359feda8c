"""Exact nearest neighbours by cosine, and the order in which neighbours are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.store import Neighbour

DIGITS = 6
"""Decimals of a similarity: what differs by less is the arithmetic of the machine."""
_BLOCK = 64
MARGIN = 2e-5
"""How far apart two ways of computing one cosine may lie."""


def normalize(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of unit length, as they are after being kept in half precision; zero rows stay."""
    kept = np.asarray(vectors, dtype="<f2").astype(np.float32)
    lengths = np.linalg.norm(kept, axis=1, keepdims=True)
    np.divide(kept, lengths, out=kept, where=lengths > 0)
    return kept


def find_candidates(
    queries: NDArray[np.float32], matrix: NDArray[np.float32], k: int
) -> list[NDArray[np.int64]]:
    """Positions in ``matrix`` of the ``k`` nearest of each query, of all equals, and of a few more.

    Args:
        queries: Unit rows.
        matrix: Unit rows.
        k: At least 1.
    """
    scores = queries @ matrix.T
    if len(matrix) <= k:
        return [np.arange(len(matrix))] * len(queries)
    last = _bound(scores, k)
    return [np.flatnonzero(row >= least - MARGIN) for row, least in zip(scores, last, strict=True)]


def _bound(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """What the ``k`` highest of each row reach at least.

    The k-th highest of the maxima of blocks is such a bound, and found five times as fast as the
    k-th highest of all. A block takes every so-manieth column, since neighbours arrive together.
    """
    blocks = scores.shape[1] // _BLOCK
    if blocks >= k:
        scores = scores[:, : blocks * _BLOCK].reshape(len(scores), _BLOCK, blocks).max(axis=1)
    edge = scores.shape[1] - k
    bound: NDArray[np.float32] = np.partition(scores, edge, axis=1)[:, edge]
    return bound


def score(query: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosines that depend on nothing but the two vectors, not on their place in a matrix."""
    products = vectors.astype(np.float64) * query.astype(np.float64)
    rounded: NDArray[np.float64] = np.round(products.sum(axis=1), DIGITS)
    return rounded


def order(ids: Sequence[str], scores: NDArray[np.float64], k: int) -> list[Neighbour]:
    """The ``k`` best: most similar first, equals by id."""
    ranked = sorted(zip((-scores).tolist(), ids, strict=True))
    # Adding zero makes -0.0 a plain zero.
    return [Neighbour(each, 0.0 - negative) for negative, each in ranked[:k]]
