"""The candidate "no decisive error here": how innocent a whole trace looks.

A logistic model on a few summaries of the trace. As an alternative of the softmax it has the score
``logsumexp(scores) + logit(p_no_error)``, which leaves the candidates their proportions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from traceloc.trace import Document

Floats = NDArray[np.float64]

SCORE_SUMMARIES = ("score.max", "score.mean", "score.lead", "score.spread", "trace.log_length")
"""Summaries that need nothing but the scores."""


class SummaryWeight(Document):
    """How much one summary of the trace speaks for innocence."""

    name: str
    """``score.max``, or ``max:family.feature`` and ``mean:family.feature`` over the candidates."""
    weight: float
    mean: float = 0.0
    scale: float = Field(default=1.0, gt=0)


class NullModel(Document):
    """Logistic model of "nothing went decisively wrong"."""

    bias: float | None = None
    """Log-odds of an average trace; ``None`` where nothing is known, so that it never abstains."""
    terms: tuple[SummaryWeight, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the summaries it reads."""
        return tuple(term.name for term in self.terms)

    def probability(self, summaries: Mapping[str, float]) -> float:
        """Probability that nothing is decisively wrong, 0 to 1."""
        if self.bias is None:
            return 0.0
        logit = self.bias
        for term in self.terms:
            logit += term.weight * (summaries[term.name] - term.mean) / term.scale
        return 1.0 / (1.0 + math.exp(-max(min(logit, 30.0), -30.0)))


def summarize(
    needs: Sequence[str],
    *,
    scores: Floats,
    names: Sequence[str],
    mean: Callable[[], Floats],
    highest: Callable[[], Floats],
) -> dict[str, float]:
    """Summaries of one trace by name.

    Args:
        needs: Which summaries; a feature that is not measured counts as 0.
        scores: One per candidate.
        names: Name of each feature.
        mean: Gives the mean of each feature over the candidates; asked only where it is needed.
        highest: Gives the maximum likewise.
    """
    found = _of_scores(scores)
    if any(":" in need for need in needs):
        found |= {f"max:{name}": float(value) for name, value in zip(names, highest(), strict=True)}
        found |= {f"mean:{name}": float(value) for name, value in zip(names, mean(), strict=True)}
    return {need: found.get(need, 0.0) for need in needs}


def _of_scores(scores: Floats) -> dict[str, float]:
    n = len(scores)
    if n == 0:
        return dict.fromkeys(SCORE_SUMMARIES, 0.0)
    ordered = np.sort(scores)
    return {
        "score.max": float(ordered[-1]),
        "score.mean": float(scores.mean()),
        "score.lead": float(ordered[-1] - ordered[-2]) if n > 1 else 0.0,
        "score.spread": float(scores.std()),
        "trace.log_length": math.log(n),
    }
