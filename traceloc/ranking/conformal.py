"""Contiguous prediction sets: a window of steps that holds the decisive error as often as asked.

Around the most likely candidate an interval grows to the side where the next stretch of candidates
holds most for its length, so that it also reaches a second peak behind a valley. How much
probability it holds just before it takes in the labelled step is the trace's nonconformity score.
With scores ``s_1 ≤ … ≤ s_n`` of held-out traces, growing while the mass is at most ``s_k``,
``k = ⌈(n + 1) · coverage⌉``, covers the label of a further trace with at least that probability,
provided that trace and calibration traces are exchangeable: drawn from one system for a system's
own threshold, from the same mix of systems for the pooled one. Nothing is promised for a run
unlike them.

Vovk, Gammerman and Shafer (2005), "Algorithmic learning in a random world"; Vovk (2015),
"Cross-conformal predictors" (scores come from folds whose fit has not seen the trace, so the
promise is approximate); arXiv 2605.06788 for contiguous sets over trajectories.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.trace import Document

Floats = NDArray[np.float64]

OWN_LABELS = 30
"""Labelled traces from which a system has a threshold of its own."""
UNREACHABLE = 2.0
"""Score of a trace whose label is no candidate: no window of any mass holds it."""
_DIGITS = 6


class Coverage(Document):
    """Held-out nonconformity scores of labelled traces, from which any threshold follows."""

    system: str | None = None
    """Whose traces they are; ``None`` for all systems together."""
    scores: tuple[float, ...]
    """In rising order; 0 where the most likely candidate is right, 2 where no window is."""

    @property
    def n(self) -> int:
        """How many traces it rests on."""
        return len(self.scores)

    def threshold(self, coverage: float) -> float:
        """Mass up to which a window grows; infinite where that many traces cannot promise it.

        Args:
            coverage: Probability asked for, above 0 and below 1.
        """
        place = ceil((self.n + 1) * coverage - 1e-9)
        if place > self.n:
            return inf
        found = self.scores[max(place, 1) - 1]
        return found if found < UNREACHABLE else inf


class Growth(NamedTuple):
    """One state of a growing interval."""

    first: int
    last: int
    added: int
    """The candidate that came in last."""
    before: float
    """Mass just before it did."""


def grow(probabilities: Floats) -> Iterator[Growth]:
    """Intervals around the mode, each one candidate wider; of equal sides the earlier comes first.

    Args:
        probabilities: One per candidate, in step order.
    """
    n = len(probabilities)
    if not n:
        return
    # By the largest first: numbers next to zero lose their digits in a sum.
    scaled = probabilities / (float(probabilities.max()) or 1.0)
    p = (scaled / (float(scaled.sum()) or 1.0)).tolist()
    mode = int(np.argmax(probabilities))
    earlier, later = _stretches(p[:mode][::-1]), _stretches(p[mode + 1 :])
    first = last = mode
    yield Growth(first, last, mode, 0.0)
    mass, left, right = p[mode], 0, 0
    while left < len(earlier) or right < len(later):
        back = right == len(later) or (
            left < len(earlier) and earlier[left].mean >= later[right].mean
        )
        size = earlier[left].size if back else later[right].size
        left, right = left + back, right + (not back)
        for _ in range(size):
            added = first - 1 if back else last + 1
            first, last = min(first, added), max(last, added)
            yield Growth(first, last, added, mass)
            mass += p[added]


class _Stretch(NamedTuple):
    mean: float
    size: int


def _stretches(outward: Sequence[float]) -> list[_Stretch]:
    """One side of the mode cut so that each stretch has the highest mean of all that begin there.

    These are the pieces of the least concave majorant of the running sum, found by pooling adjacent
    violators in linear time.
    """
    found: list[_Stretch] = []
    for value in outward:
        new = _Stretch(value, 1)
        while found and found[-1].mean < new.mean:
            old = found.pop()
            size = old.size + new.size
            new = _Stretch((old.mean * old.size + new.mean * new.size) / size, size)
        found.append(new)
    return found


def score_window(probabilities: Floats, target: Floats) -> float:
    """Nonconformity of a labelled trace: mass of the window just before it holds a labelled step.

    Args:
        probabilities: One per candidate, in step order.
        target: Above 0 for labelled candidates.
    """
    labelled = (state.before for state in grow(probabilities) if target[state.added] > 0)
    return round(next(labelled, UNREACHABLE), _DIGITS)


def find_window(probabilities: Floats, threshold: float) -> tuple[int, int]:
    """Positions of the first and last candidate of the window for a threshold.

    Raises:
        ValueError: If there is no candidate.
    """
    found: tuple[int, int] | None = None
    for state in grow(probabilities):
        # Rounded as the scores are, or a trace could fail to hold what it was calibrated on.
        if found is not None and round(state.before, _DIGITS) > threshold:
            break
        found = state.first, state.last
    if found is None:
        raise ValueError("a trace without candidates has no window")
    return found


def collect_coverage(
    systems: Sequence[str], probabilities: Sequence[Floats], targets: Sequence[Floats]
) -> tuple[Coverage, ...]:
    """Scores of labelled traces: pooled, then of each system with enough labels, by name.

    Args:
        systems: System of each labelled trace.
        probabilities: Of its candidates, by a fit that has not seen it.
        targets: Share of each candidate in the labels.
    """
    scores = [score_window(p, t) for p, t in zip(probabilities, targets, strict=True)]
    if not scores:
        return ()
    found = [Coverage(scores=tuple(sorted(scores)))]
    for system in sorted(set(systems)):
        own = sorted(s for s, name in zip(scores, systems, strict=True) if name == system)
        if len(own) >= OWN_LABELS:
            found.append(Coverage(system=system, scores=tuple(own)))
    return tuple(found)


def choose_coverage(known: Sequence[Coverage], system: str | None) -> Coverage | None:
    """The scores that speak for a system: its own, else the pooled ones, else nothing."""
    by_system = {each.system: each for each in known}
    return by_system.get(system) or by_system.get(None)
