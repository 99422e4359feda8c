"""Whether a system's memory may vote, and how much: it must have earned it on what it remembers.

Each remembered failure is asked of the memory without its question. The weight of the vote is
chosen on four fifths of the questions and judged on the last; it counts only where the held-out
gain in NLL over the ranker alone is above zero by a stated number of standard errors, and it is
shrunk by how unsure that gain is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.settings import DEFAULTS, MemorySettings

Floats = NDArray[np.float64]

_GRID = np.linspace(0.0, 1.0, 21)
"""Weights that are tried, as shares of the ceiling."""
_FOLDS = 5


@dataclass(frozen=True)
class Trial:
    """A remembered failure among the steps of its trace."""

    group: str
    scores: Floats
    """Of the ranker alone, as it stood when the failure was learned."""
    odds: Floats
    """What the memory says without this question."""
    failing: NDArray[np.bool_]


class Gate(NamedTuple):
    """What a system's memory may do to a ranking."""

    weight: float
    """Of the memory's log-odds in the score of a step; 0 keeps it silent."""
    trials: int
    """Remembered failures it was learned from."""
    gain: float
    """Held-out NLL saved a trace, in nats; NaN where there were too few to tell."""
    error: float
    """Its standard error over questions."""
    questions: int = 0
    """Questions with a failure that can be told from ordinary steps."""

    @property
    def open(self) -> bool:
        """Whether the memory votes."""
        return self.weight > 0


CLOSED = Gate(0.0, 0, float("nan"), float("nan"))


def learn_gate(trials: Sequence[Trial], settings: MemorySettings = DEFAULTS) -> Gate:
    """The gate of one system.

    Args:
        trials: Its remembered failures; the order does not matter.
        settings: Which caution to use.
    """
    telling = [t for t in trials if t.failing.any() and not t.failing.all()]
    groups = sorted({t.group for t in telling})
    if len(groups) < settings.gate_groups:
        return Gate(0.0, len(telling), float("nan"), float("nan"), len(groups))
    place = {group: i for i, group in enumerate(groups)}
    # Sums over a question: its traces are no independent witnesses.
    losses = np.zeros((len(groups), len(_GRID)))
    for trial in telling:
        losses[place[trial.group]] += _losses(trial, _GRID * settings.gate_ceiling)
    gains = losses[:, :1] - losses
    weights = _GRID * settings.gate_ceiling
    prior = -0.5 * (weights / settings.gate_prior) ** 2
    held_out = np.zeros(len(groups))
    for fold in range(_FOLDS):
        inside = np.arange(len(groups)) % _FOLDS == fold
        held_out[inside] = gains[inside, int(np.argmax(gains[~inside].sum(axis=0) + prior))]
    gain = float(held_out.mean())
    error = float(held_out.std(ddof=1) / np.sqrt(len(groups)))
    if gain <= max(settings.gate_caution * error, settings.gate_gain):
        return Gate(0.0, len(telling), gain, error, len(groups))
    best = float(weights[int(np.argmax(gains.sum(axis=0) + prior))])
    # James and Stein: what is known badly is believed less.
    return Gate(best / (1.0 + (error / gain) ** 2), len(telling), gain, error, len(groups))


def _losses(trial: Trial, weights: Floats) -> Floats:
    """NLL of the failing steps under each weight."""
    scores = trial.scores[:, None] + trial.odds[:, None] * weights
    scores = scores - scores.max(axis=0)
    p = np.exp(scores)
    inside = np.maximum(p[trial.failing].sum(axis=0), 1e-12)
    return np.asarray(np.log(p.sum(axis=0)) - np.log(inside))
