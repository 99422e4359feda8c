"""The candidate "no decisive error here": how innocent a whole trace looks.

A logistic model on a few measures of the trace, with a level of its own for systems of which passed
and failed runs are known. As an alternative of the softmax it has the score
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
    """``score.max``, a measure of the run such as ``run.words``, or ``max:family.feature`` and
    ``mean:family.feature`` over the candidates."""
    weight: float
    mean: float = 0.0
    scale: float = Field(default=1.0, gt=0)


class SystemLevel(Document):
    """Where one system stands: its runs may be long, or short, whether they pass or fail."""

    system: str
    bias: float
    """Log-odds of its average run, passed and failed runs counting the same."""
    abstain_above: float
    passed: int
    failed: int


class NullModel(Document):
    """Logistic model of "nothing went decisively wrong"."""

    bias: float | None = None
    """Log-odds of an average trace; ``None`` where nothing is known, so that it never abstains."""
    terms: tuple[SummaryWeight, ...] = ()
    levels: tuple[SystemLevel, ...] = ()
    """Of systems with enough passed and failed runs; for others ``bias`` counts."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the summaries it reads."""
        return tuple(term.name for term in self.terms)

    def level(self, system: str | None) -> SystemLevel | None:
        """The level of a system, where it has one."""
        return next((each for each in self.levels if each.system == system), None)

    def probability(self, summaries: Mapping[str, float], *, system: str | None = None) -> float:
        """Probability that nothing is decisively wrong, 0 to 1."""
        if self.bias is None:
            return 0.0
        level = self.level(system)
        logit = self.bias if level is None else level.bias
        for term in self.terms:
            if term.name not in summaries:  # of another version of traceloc: it says nothing
                continue
            logit += term.weight * (summaries[term.name] - term.mean) / term.scale
        return 1.0 / (1.0 + math.exp(-max(min(logit, 30.0), -30.0)))


def summarize(
    needs: Sequence[str],
    *,
    scores: Floats,
    names: Sequence[str],
    mean: Callable[[], Floats],
    highest: Callable[[], Floats],
    run: Mapping[str, float],
) -> dict[str, float]:
    """Summaries of one trace by name.

    Args:
        needs: Which summaries; a feature that is not measured counts as 0, a measure of the run
            that does not exist is left out.
        scores: One per candidate.
        names: Name of each feature.
        mean: Gives the mean of each feature over the candidates; asked only where it is needed.
        highest: Gives the maximum likewise.
        run: Measures of the run as a whole.
    """
    found = _of_scores(scores) | dict(run)
    if any(":" in need for need in needs):
        found |= {f"max:{name}": float(value) for name, value in zip(names, highest(), strict=True)}
        found |= {f"mean:{name}": float(value) for name, value in zip(names, mean(), strict=True)}
    return {need: found.get(need, 0.0) for need in needs if ":" in need or need in found}


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
