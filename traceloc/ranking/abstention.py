"""Reasons to say nothing: a run that looks fine, one like no other, and one where all look alike.

Chow (1970), "On optimum recognition error and reject tradeoff", for ambiguity; Dubuisson and Masson
(1993), "A statistical decision rule with incomplete knowledge about classes", for novelty as a
reason of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.ranking.rounding import tidy
from traceloc.trace import Document

Floats = NDArray[np.float64]

Silence = Literal["innocent", "novel", "ambiguous"]

FEWEST = 4
"""Candidates from which a flat distribution says anything: of three, each is a fair guess."""
KEPT = 0.98
"""Share of the failed runs a model learned from on which neither doubt may silence it."""
FLAT_AT_LEAST = 0.97
"""Evenness below which a distribution is never called flat."""
FAR_AT_LEAST = 1.0
"""Log-odds from outside the known range below which a run is never called novel."""

REASONS: dict[Silence, str] = {
    "innocent": "nothing found: the run looks like runs that passed",
    "novel": "could not tell: its measurements lie far outside what the model has learned from",
    "ambiguous": "could not tell: no step stands out from the others",
}
"""What to say of each."""


class DoubtLimits(Document):
    """Above which the model does not trust itself; ``None`` where nothing was learned."""

    flat: float | None = None
    """Of :func:`evenness`."""
    far: float | None = None
    """Of :func:`extrapolation`, in log-odds."""


class Bounds(NamedTuple):
    """Smallest and largest value of each feature that a model has learned from."""

    low: Floats
    high: Floats


def evenness(probabilities: Floats) -> float:
    """Entropy over that of equal probabilities, 0 to 1; 0 for less than four candidates."""
    n, total = len(probabilities), float(probabilities.sum())
    if n < FEWEST or total <= 0:
        return 0.0
    p = probabilities[probabilities > 0] / total
    return float(-(p * np.log(p)).sum() / log(n))


def extrapolation(rows: Floats, slopes: Floats, bounds: Bounds) -> float:
    """Most log-odds that one candidate gains or loses by values outside the bounds.

    Args:
        rows: Raw features of the candidates.
        slopes: Log-odds per unit of each.
        bounds: What was learned from.
    """
    if not len(rows):
        return 0.0
    beyond = np.maximum(rows - bounds.high, 0.0) + np.maximum(bounds.low - rows, 0.0)
    return float((beyond @ np.abs(slopes)).max())


def learn_limits(flat: Sequence[float], far: Sequence[float]) -> DoubtLimits:
    """Limits under which the given share of held-out failed runs stays.

    Args:
        flat: Evenness of held-out labelled traces.
        far: Extrapolation on them by bounds that have not seen them.
    """
    return DoubtLimits(
        flat=_limit(flat, FLAT_AT_LEAST) if len(flat) else None,
        far=_limit(far, FAR_AT_LEAST) if len(far) else None,
    )


def _limit(values: Sequence[float], least: float) -> float:
    found = max(least, float(np.quantile(np.asarray(values), KEPT, method="higher")))
    return tidy(found)
