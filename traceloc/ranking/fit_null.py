"""Learning when nothing is wrong, from runs known to have passed and runs known to have failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.ranking.null import SCORE_SUMMARIES, NullModel, SummaryWeight, summarize
from traceloc.ranking.table import FeatureSpec

if TYPE_CHECKING:
    from traceloc.ranking.fit import Example

Floats = NDArray[np.float64]

NULL_L2_GRID = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_FOLDS = 5


class Innocence(NamedTuple):
    """What is learned of runs that passed."""

    null: NullModel = NullModel()
    abstain_above: float = 0.5


def fit_null(
    examples: Sequence[Example],
    scores: Sequence[Floats],
    features: Sequence[FeatureSpec],
    *,
    missed: float,
) -> Innocence:
    """Fit the logistic model of innocence.

    Slopes come only from the contrast of passed and failed runs within one system: a system of
    which only failures are known must not teach that its habits are guilty. The bias is then set on
    all runs, passed and failed counting the same.

    Args:
        examples: Traces; those with labels have failed.
        scores: Held-out scores of their candidates, in log-odds.
        features: The columns of their measurements.
        missed: Share of the failed runs of any system on which the model may stay silent.
    """
    names = tuple(feature.name for feature in features)
    shared = [feature.name for feature in features if feature.part == "shared"]
    needs = (*SCORE_SUMMARIES, *(f"{how}:{n}" for how in ("max", "mean") for n in shared))
    known = [
        (each, s)
        for each, s in zip(examples, scores, strict=True)
        if each.passed is not None or each.labelled
    ]
    passed = np.array([bool(each.passed) for each, _ in known])
    if not passed.any() or passed.all():
        return Innocence()
    rows = np.array(
        [list(_summaries(needs, names, each, s).values()) for each, s in known], dtype=np.float64
    )
    systems = np.array([each.system for each, _ in known])
    mixed = [s for s in sorted(set(systems)) if 0 < passed[systems == s].mean() < 1]
    if not mixed:
        return Innocence()
    inside = np.isin(systems, mixed)
    weight = _balance(systems, passed)
    centred = rows.copy()
    for system in mixed:
        at = systems == system
        centred[at] -= np.average(rows[at], axis=0, weights=weight[at])
    scale = np.sqrt(np.average(centred[inside] ** 2, axis=0, weights=weight[inside]))
    usable = scale > 1e-6
    scale = np.where(usable, scale, 1.0)
    centred /= scale
    y = passed.astype(np.float64)
    groups = np.array([each.group for each, _ in known])
    l2 = _choose(centred[inside], y[inside], weight[inside], groups[inside])
    slopes = _logistic(centred[inside], y[inside], weight[inside], l2)[1:]
    slopes[~usable] = 0.0
    mean = np.average(rows, axis=0, weights=weight)
    offset = ((rows - mean) / scale) @ slopes
    everything = _both_equal(weight, passed)
    bias = _logistic(np.zeros((len(y), 0)), y, everything, 1.0, offset=offset)[0]
    p = 1.0 / (1.0 + np.exp(-(bias + offset)))
    silent = max(
        float(np.quantile(p[(systems == s) & ~passed], 1.0 - missed, method="higher"))
        for s in sorted(set(systems[~passed]))
    )
    null = NullModel(
        bias=_tidy(bias),
        terms=tuple(
            SummaryWeight(name=n, weight=_tidy(w), mean=_tidy(m), scale=_tidy(s))
            for n, w, m, s in zip(needs, slopes, mean, scale, strict=True)
            if abs(w) > 1e-4
        ),
    )
    return Innocence(null, _tidy(max(0.5, silent)))


def _summaries(
    needs: Sequence[str], names: Sequence[str], example: Example, scores: Floats
) -> dict[str, float]:
    values = example.features
    return summarize(
        needs,
        scores=scores,
        names=names,
        mean=lambda: values.mean(axis=0, dtype=np.float64),
        highest=lambda: values.max(axis=0).astype(np.float64),
    )


def _balance(systems: NDArray[np.str_], passed: NDArray[np.bool_]) -> Floats:
    """Within a system passed and failed runs count the same; systems count the same."""
    weight = np.zeros(len(systems))
    for system in sorted(set(systems)):
        for value in (False, True):
            at = (systems == system) & (passed == value)
            if at.any():
                weight[at] = 1.0 / at.sum()
    return np.asarray(weight * (len(weight) / weight.sum()), dtype=np.float64)


def _both_equal(weight: Floats, passed: NDArray[np.bool_]) -> Floats:
    share = np.where(passed, weight / weight[passed].sum(), weight / weight[~passed].sum())
    return np.asarray(share * (len(weight) / 2), dtype=np.float64)


def _choose(x: Floats, y: Floats, weight: Floats, groups: NDArray[np.str_]) -> float:
    """The precision with the lowest held-out loss; of equals the strongest."""
    names = sorted(set(groups))
    fold = np.array([names.index(group) % _FOLDS for group in groups])
    best, best_loss = NULL_L2_GRID[-1], np.inf
    for l2 in sorted(NULL_L2_GRID, reverse=True):
        loss = 0.0
        for number in range(_FOLDS):
            out = fold == number
            if not out.any() or out.all():
                continue
            theta = _logistic(x[~out], y[~out], weight[~out], l2)
            z = theta[0] + x[out] @ theta[1:]
            loss += float(weight[out] @ (np.logaddexp(0.0, z) - y[out] * z))
        if loss < best_loss - 1e-9:
            best, best_loss = l2, loss
    return best


def _logistic(
    x: Floats, y: Floats, weight: Floats, l2: float, *, offset: Floats | None = None
) -> Floats:
    """Ridge logistic regression by Newton's method: the bias, then the slopes."""
    design = np.hstack([np.ones((len(x), 1)), x])
    # The bias is all but free; its small precision keeps it finite when one class is missing.
    precision = np.concatenate([[1e-3], np.full(x.shape[1], l2)])
    theta = np.zeros(design.shape[1])
    base = np.zeros(len(x)) if offset is None else offset

    def loss(at: Floats) -> float:
        z = base + design @ at
        return float(weight @ (np.logaddexp(0.0, z) - y * z) + 0.5 * precision @ at**2)

    value = loss(theta)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(base + design @ theta, -30, 30)))
        gradient = design.T @ (weight * (p - y)) + precision * theta
        hessian = design.T @ (design * (weight * p * (1 - p))[:, None]) + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while scale > 1e-6 and loss(theta - scale * step) > value:
            scale /= 2
        theta = theta - scale * step
        before, value = value, loss(theta)
        if before - value < 1e-10 * (1.0 + abs(value)):
            break
    return theta


def _tidy(value: float) -> float:
    return float(f"{value:.6g}") + 0.0
