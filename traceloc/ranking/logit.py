"""The conditional logit as an optimisation problem, solved by Newton's method in numpy.

McFadden (1974), "Conditional logit analysis of qualitative choice behavior". Each trace is one
choice among its candidates. The objective is convex, so that there is one answer and no seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MAX_ITERATIONS = 60
_GRADIENT_TOLERANCE = 1e-7
_DECREASE_TOLERANCE = 1e-11


@dataclass(frozen=True)
class Choices:
    """Choices of one system, stacked: every trace has a run of rows."""

    features: Floats
    """Standardised, shape ``(n_rows, n_features)``."""
    starts: NDArray[np.int64]
    """First row of each trace."""
    target: Floats
    """Share of each row in its trace's labels; sums to 1 in a trace."""
    weight: Floats
    """How much each trace counts."""

    @classmethod
    def stack(
        cls,
        features: Sequence[Floats],
        targets: Sequence[Floats],
        weights: Sequence[float] | Floats,
    ) -> Choices:
        """Put the candidates of several traces under each other."""
        lengths = np.array([len(each) for each in features], dtype=np.int64)
        return cls(
            np.concatenate([np.asarray(each, dtype=np.float64) for each in features]),
            np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
            np.concatenate(targets).astype(np.float64),
            np.asarray(weights, dtype=np.float64),
        )

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of candidates of each trace."""
        return np.diff(np.append(self.starts, len(self.target)))

    def probabilities(self, slopes: Floats) -> tuple[Floats, Floats]:
        """Softmax within each trace, and the log-likelihood of each trace's labels."""
        lengths = self.lengths
        scores = self.features @ slopes
        scores -= np.repeat(np.maximum.reduceat(scores, self.starts), lengths)
        exp = np.exp(scores)
        total = np.add.reduceat(exp, self.starts)
        likelihood = np.add.reduceat(self.target * scores, self.starts) - np.log(total)
        return exp / np.repeat(total, lengths), likelihood

    def derivatives(self, slopes: Floats) -> tuple[float, Floats, Floats]:
        """Weighted negative log-likelihood, its gradient and its Hessian."""
        p, likelihood = self.probabilities(slopes)
        lengths = self.lengths
        weight = np.repeat(self.weight, lengths)
        gradient = self.features.T @ (weight * (p - self.target))
        # A matrix times its own transpose costs numpy half of what any other product does.
        spread = self.features * np.sqrt(weight * p)[:, None]
        means = np.add.reduceat(self.features * p[:, None], self.starts)
        means *= np.sqrt(self.weight)[:, None]
        hessian = spread.T @ spread - means.T @ means
        return -float(self.weight @ likelihood), gradient, hessian


class Solution(NamedTuple):
    """Where the objective is lowest."""

    slopes: Floats
    """Shape ``(n_features,)``."""
    value: float
    iterations: int


@dataclass(frozen=True)
class Problem:
    """Negative log posterior of the slopes that all systems share."""

    choices: tuple[Choices, ...]
    """One per system."""
    prior: Floats
    """Mean of the Gaussian prior, shape ``(n_features,)``."""
    precision: Floats
    """Of the prior, positive, shape ``(n_features,)``."""
    signs: NDArray[np.int64] | None = None
    """+1: the slope is not negative, -1: not positive, 0: free."""

    def derivatives(self, slopes: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian at some slopes."""
        away = slopes - self.prior
        gradient = self.precision * away
        value, hessian = 0.5 * float(gradient @ away), np.diag(self.precision)
        for choices in self.choices:
            part, g, h = choices.derivatives(slopes)
            value, gradient, hessian = value + part, gradient + g, hessian + h
        return value, gradient, hessian

    def solve(
        self, start: Floats | None = None, *, tolerance: float = _DECREASE_TOLERANCE
    ) -> Solution:
        """Minimise by projected Newton steps (Bertsekas 1982) with backtracking.

        Args:
            start: Slopes to begin at, such as the solution for a near prior.
            tolerance: Relative decrease of the value at which to stop.
        """
        size = len(self.prior)
        low, high = np.full(size, -np.inf), np.full(size, np.inf)
        if self.signs is not None:
            low[self.signs > 0] = 0.0
            high[self.signs < 0] = 0.0
        slopes = np.clip(self.prior if start is None else start, low, high)
        value, gradient, hessian = self.derivatives(slopes)
        iterations = 0
        while iterations < _MAX_ITERATIONS:
            iterations += 1
            held = ((slopes <= low) & (gradient > 0)) | ((slopes >= high) & (gradient < 0))
            free = ~held
            if not free.any() or np.abs(gradient[free]).max() < _GRADIENT_TOLERANCE:
                break
            step = np.zeros(size)
            step[free] = -np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
            scale, decrease = 1.0, 0.0
            while scale > 1e-8:
                trial = np.clip(slopes + scale * step, low, high)
                trial_value, trial_gradient, trial_hessian = self.derivatives(trial)
                decrease = value - trial_value
                if decrease >= -1e-4 * float(gradient @ (trial - slopes)):
                    break
                scale /= 2
            if decrease <= 0:
                break
            slopes, value, gradient, hessian = trial, trial_value, trial_gradient, trial_hessian
            if decrease < tolerance * (1.0 + abs(value)):
                break
        return Solution(slopes, value, iterations)
