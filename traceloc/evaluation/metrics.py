"""What a ranking is worth, one number per trace and metric.

The tie rule, everywhere: of two candidates with equal scores the earlier step is ranked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import comb, inf, log, nan

import numpy as np
from numpy.typing import NDArray

from traceloc.ranking.calibration import calibration_error
from traceloc.ranking.model import rank

Floats = NDArray[np.float64]

__all__ = [
    "METRICS",
    "WINDOW_METRICS",
    "ItemScore",
    "area_under_curve",
    "calibration_error",
    "f1_of_silence",
    "most_suspected",
    "score_item",
    "score_uniform",
    "score_window",
]

SMALLEST_PROBABILITY = 1e-6
"""A label that is no candidate, or has less, counts as this much, so that NLL stays finite."""


@dataclass(frozen=True)
class ItemScore:
    """Metrics of one trace. Hits are 0 or 1, or a chance where the method is a random one."""

    exact: float
    """Rank 1 is a labelled step."""
    within_1: float
    """Rank 1 is at most this many source items away from a labelled one."""
    within_3: float
    within_5: float
    top_3: float
    top_5: float
    mrr: float
    """One over the best rank of a labelled step; 0 if it is no candidate."""
    exam: float
    """Share of the candidates read, in order of rank, until a labelled step is reached, 0 to 1."""
    agent: float
    """The agent with the largest sum of probability is the labelled one."""
    nll: float
    """-log of the probability of the labelled steps, in nats; NaN where there is none."""
    brier: float
    """Sum over candidates of the squared difference of probability and label, 0 to 2."""
    confidence: float
    """Probability of rank 1."""
    covered: float = nan
    """The window of the coverage asked for holds a labelled step; NaN where there is no window."""
    set_steps: float = nan
    """Candidates in that window."""
    set_share: float = nan
    """The same as a share of all candidates, 0 to 1."""


METRICS = tuple(field.name for field in fields(ItemScore) if field.name != "confidence")
WINDOW_METRICS = ("covered", "set_steps", "set_share")
"""Those of :data:`METRICS` that only a window gives."""


def score_item(
    scores: Floats,
    *,
    native: Sequence[int],
    labels: frozenset[int],
    agents: Sequence[str],
    blamed_agents: frozenset[str],
    probabilities: Floats | None = None,
) -> ItemScore:
    """Compare the ranking of one trace with its labels.

    Args:
        scores: One per candidate, in step order; higher is more suspicious.
        native: Native index of each candidate.
        labels: Labelled native indices; any of them is right.
        agents: Agent of each candidate.
        blamed_agents: Labelled agents; any of them is right.
        probabilities: One per candidate, summing to 1; without them the metrics that need them are
            NaN and the agent is that of rank 1.

    Raises:
        ValueError: If there is no candidate.
    """
    order = [int(i) for i in rank(scores)]
    places = [place for place, i in enumerate(order, start=1) if native[i] in labels]
    best = places[0] if places else inf
    n = len(order)
    if not n:
        raise ValueError("a trace without candidates cannot be scored")
    top = order[0]
    distance = min((abs(native[top] - each) for each in labels), default=inf)
    nll = brier = confidence = nan
    accused = agents[top]
    if probabilities is not None:
        inside = np.array([each in labels for each in native], dtype=np.float64)
        nll = -log(max(float(probabilities @ inside), SMALLEST_PROBABILITY))
        target = inside / max(inside.sum(), 1.0)
        brier = float(((probabilities - target) ** 2).sum())
        confidence = float(probabilities[top])
        accused = most_suspected(probabilities, agents)
    return ItemScore(
        exact=float(best == 1),
        within_1=float(distance <= 1),
        within_3=float(distance <= 3),
        within_5=float(distance <= 5),
        top_3=float(best <= 3),
        top_5=float(best <= 5),
        mrr=1.0 / best,
        exam=min(best / n, 1.0),
        agent=float(accused in blamed_agents),
        nll=nll,
        brier=brier,
        confidence=confidence,
    )


def most_suspected(probabilities: Floats, agents: Sequence[str]) -> str:
    """The agent whose candidates sum to the most; of equals the one that acts first."""
    total: dict[str, float] = {}
    for agent, p in zip(agents, probabilities, strict=True):
        total[agent] = total.get(agent, 0.0) + float(p)
    return max(total, key=lambda agent: round(total[agent], 12))


def score_uniform(
    *,
    native: Sequence[int],
    labels: frozenset[int],
    agents: Sequence[str],
    blamed_agents: frozenset[str],
) -> ItemScore:
    """What drawing candidates at random without return gives in expectation, exactly."""
    n = len(native)
    right = sum(each in labels for each in native)

    def within(distance: int) -> float:
        return sum(min(abs(i - each) for each in labels) <= distance for i in native) / n

    # Chance that the first labelled candidate stands at place r.
    first = [comb(n - r, right - 1) / comb(n, right) for r in range(1, n + 1)] if right else []
    nll = -log(max(right / n, SMALLEST_PROBABILITY))
    return ItemScore(
        exact=right / n,
        within_1=within(1),
        within_3=within(3),
        within_5=within(5),
        top_3=sum(first[:3]),
        top_5=sum(first[:5]),
        mrr=sum(p / r for r, p in enumerate(first, start=1)),
        exam=sum(p * r / n for r, p in enumerate(first, start=1)) if right else 1.0,
        agent=sum(agent in blamed_agents for agent in agents) / n,
        nll=nll,
        brier=(1 / n - 1 / right) ** 2 * right + (n - right) / n**2 if right else 1 / n,
        confidence=1 / n,
    )


def area_under_curve(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Chance that a positive scores above a negative, ties counting half; NaN without both."""
    above = scores[positive][:, None] - scores[~positive][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean()) if above.size else nan


def score_window(
    score: ItemScore, window: tuple[int, int], *, native: Sequence[int], labels: frozenset[int]
) -> ItemScore:
    """The metrics of a trace with those of its window.

    Args:
        score: The metrics without.
        window: Positions of the first and last candidate in it.
        native: Native index of each candidate.
        labels: Labelled native indices; holding any of them covers.
    """
    first, last = window
    size = last - first + 1
    return replace(
        score,
        covered=float(any(each in labels for each in native[first : last + 1])),
        set_steps=float(size),
        set_share=size / len(native),
    )


def f1_of_silence(hit: Floats, kept_silent: Floats) -> float:
    """Harmonic mean of accuracy on failed runs and of silence on passed ones; NaN without both.

    ProcessBench (Zheng et al. 2024, arXiv 2412.06559): earliest error, or "all correct".

    Args:
        hit: For each failed run whether a step was blamed, and the labelled one.
        kept_silent: For each passed run whether nothing was blamed.
    """
    if not len(hit) or not len(kept_silent):
        return nan
    accuracy, silence = float(hit.mean()), float(kept_silent.mean())
    return 2 * accuracy * silence / (accuracy + silence) if accuracy + silence else 0.0
