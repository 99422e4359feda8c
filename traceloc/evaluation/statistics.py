"""Intervals for small numbers of traces: no normal approximation anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000


class Interval(NamedTuple):
    """A central 95% interval, unless another level was asked for."""

    low: float
    high: float


class Difference(NamedTuple):
    """A paired difference with its bootstrap interval."""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def beta_interval(hits: float, n: int, *, level: float = 0.95) -> Interval:
    """Interval of a proportion: quantiles of the Jeffreys posterior, Beta(hits + ½, misses + ½).

    Brown, Cai and DasGupta (2001), "Interval estimation for a binomial proportion".

    Args:
        hits: How many were right; a mean over seeds may be fractional.
        n: How many there were.
        level: Probability inside, 0 to 1.
    """
    if n == 0:
        return Interval(0.0, 1.0)
    a, b, tail = hits + 0.5, n - hits + 0.5, (1 - level) / 2
    low = 0.0 if hits <= 0 else beta_quantile(tail, a, b)
    high = 1.0 if hits >= n else beta_quantile(1 - tail, a, b)
    return Interval(low, high)


def beta_quantile(p: float, a: float, b: float) -> float:
    """Inverse of :func:`beta_cdf` in its first argument, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function, by Lentz's continued fraction.

    Press et al., "Numerical Recipes", 6.4.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d or tiny)
            c = 1.0 + term / c or tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return value


def bootstrap_difference(
    left: Sequence[float],
    right: Sequence[float],
    groups: Sequence[str],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Difference:
    """Mean of ``left - right`` over traces, with an interval that resamples whole groups.

    Paired cluster bootstrap, percentile interval: traces of one question are not independent.

    Args:
        left: Metric of each trace under one method.
        right: The same under the other, in the same order.
        groups: Group of each trace.
        seed: Seed of the resampling.
        level: Probability inside.
        resamples: How many times groups are drawn.
    """
    difference = np.asarray(left, dtype=np.float64) - np.asarray(right, dtype=np.float64)
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    total = np.bincount(place, weights=difference, minlength=len(names))
    count = np.bincount(place, minlength=len(names)).astype(np.float64)
    draws = np.random.default_rng(seed).integers(0, len(names), size=(resamples, len(names)))
    means = total[draws].sum(axis=1) / count[draws].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(difference.mean()), float(low), float(high))


def bootstrap_auc(
    scores: Sequence[float],
    positive: Sequence[bool],
    groups: Sequence[str],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Interval of the area under the curve that resamples whole groups.

    Args:
        scores: Of each trace.
        positive: Whether it should score high.
        groups: Group of each trace.
        seed: Seed of the resampling.
        level: Probability inside.
        resamples: How many times groups are drawn; draws without both classes are left out.
    """
    values, truth = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
    if truth.all() or not truth.any():
        return Interval(0.0, 1.0)
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    above = values[truth][:, None] - values[~truth][None, :]
    wins = (above > 0) + 0.5 * (above == 0)
    rows, columns = place[truth], place[~truth]
    random, areas = np.random.default_rng(seed), []
    for _ in range(resamples):
        count = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
        left, right = count[rows].astype(np.float64), count[columns].astype(np.float64)
        if left.sum() and right.sum():
            areas.append(float(left @ wins @ right) / (left.sum() * right.sum()))
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def mean_without_nan(values: NDArray[np.float64]) -> float:
    """The mean, or NaN where any value is missing, without numpy's warning for no values."""
    return float(values.mean()) if len(values) else float("nan")
