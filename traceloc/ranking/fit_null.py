"""Learning when nothing is wrong, from runs known to have passed and runs known to have failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.ranking.null import NullModel, SummaryWeight, SystemLevel, summarize
from traceloc.ranking.rounding import tidy
from traceloc.ranking.summaries import SUMMARIES

if TYPE_CHECKING:
    from traceloc.ranking.fit import Example

Floats = NDArray[np.float64]

NULL_L2_GRID = (100.0, 300.0, 1000.0)
"""Strong throughout: a run is told by many weak signs, and weaker precisions did no better on any
system held out whole."""
TERMS: tuple[tuple[str, int], ...] = (
    *((spec.name, spec.sign) for spec in SUMMARIES),
    ("score.max", -1),
    ("score.lead", -1),
    ("score.spread", -1),
)
"""What innocence is read from, and which way each may count: a step that stands out is no sign of
a run that passed."""
OWN_RUNS = 15
"""Passed and failed runs, of each as many, from which a system has a level of its own."""
_FOLDS = 5


class Innocence(NamedTuple):
    """What is learned of runs that passed."""

    null: NullModel = NullModel()
    abstain_above: float = 0.5


def fit_null(examples: Sequence[Example], scores: Sequence[Floats], *, missed: float) -> Innocence:
    """Fit the logistic model of innocence.

    Slopes come only from the contrast of passed and failed runs within one system: a system of
    which only failures are known must not teach that its habits are guilty. The bias is then set on
    all runs, passed and failed counting the same, and for systems of which enough of both are known
    on theirs alone.

    Args:
        examples: Traces; those with labels have failed.
        scores: Held-out scores of their candidates, in log-odds.
        missed: Share of the failed runs of any system on which the model may stay silent.
    """
    known = [
        (each, s)
        for each, s in zip(examples, scores, strict=True)
        if each.passed is not None or each.labelled
    ]
    passed = np.array([bool(each.passed) for each, _ in known])
    if not passed.any() or passed.all():
        return Innocence()
    rows = np.array([list(_terms(each, s).values()) for each, s in known], dtype=np.float64)
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
    folds = _make_folds([each.group for each, _ in known], systems, mixed)
    l2 = _choose(centred[inside], y[inside], weight[inside], folds[inside])
    slopes = _logistic(centred[inside], y[inside], weight[inside], l2, signs=_SIGNS)[1:]
    slopes[~usable] = 0.0
    mean = np.average(rows, axis=0, weights=weight)
    offset = ((rows - mean) / scale) @ slopes
    everything = _both_equal(weight, passed)
    bias = _bias(y, everything, offset)
    p = _sigmoid(bias + offset)
    limits = {s: _limit(p[(systems == s) & ~passed], missed) for s in sorted(set(systems[~passed]))}
    levels = []
    for system in mixed:
        at = systems == system
        if min(passed[at].sum(), (~passed[at]).sum()) >= OWN_RUNS:
            own = _bias(y[at], _both_equal(weight[at], passed[at]), offset[at])
            silent = _limit(_sigmoid(own + offset[at & ~passed]), missed)
            levels.append(
                SystemLevel(
                    system=system,
                    bias=tidy(own),
                    abstain_above=tidy(max(0.5, silent)),
                    passed=int(passed[at].sum()),
                    failed=int((~passed[at]).sum()),
                )
            )
    null = NullModel(
        bias=tidy(bias),
        terms=tuple(
            SummaryWeight(name=n, weight=tidy(w), mean=tidy(m), scale=tidy(s))
            for (n, _), w, m, s in zip(TERMS, slopes, mean, scale, strict=True)
            if abs(w) > 1e-4
        ),
        levels=tuple(levels),
    )
    return Innocence(null, tidy(max(0.5, *limits.values())))


def _terms(example: Example, scores: Floats) -> dict[str, float]:
    names = [name for name, _ in TERMS]
    found = summarize(
        names,
        scores=scores,
        names=(),
        mean=lambda: np.zeros(0),
        highest=lambda: np.zeros(0),
        run=example.run,
    )
    return {name: found.get(name, 0.0) for name in names}


def _make_folds(
    groups: Sequence[str], systems: NDArray[np.str_], mixed: Sequence[str]
) -> NDArray[np.int64]:
    """Number of the fold of each run: its system where there are three, else its group's."""
    if len(mixed) >= 3:
        return np.array([mixed.index(s) if s in mixed else -1 for s in systems], dtype=np.int64)
    names = sorted(set(groups))
    return np.array([names.index(group) % _FOLDS for group in groups], dtype=np.int64)


def _limit(p: Floats, missed: float) -> float:
    """Smallest limit above which at most the given share lies."""
    return float(np.quantile(p, 1.0 - missed, method="higher"))


def _bias(y: Floats, weight: Floats, offset: Floats) -> float:
    return float(_logistic(np.zeros((len(y), 0)), y, weight, 1.0, offset=offset)[0])


def _sigmoid(logit: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))), dtype=np.float64)


def _balance(systems: NDArray[np.str_], passed: NDArray[np.bool_]) -> Floats:
    """Within a system passed and failed runs count the same.

    A system counts by the root of the harmonic mean of their numbers, so that neither a large one
    drowns the others nor a dozen runs weigh as much as hundreds.
    """
    weight = np.zeros(len(systems))
    for system in sorted(set(systems)):
        counts = [int(((systems == system) & (passed == value)).sum()) for value in (False, True)]
        smooth = [max(count, 1) for count in counts]
        share = np.sqrt(2.0 * smooth[0] * smooth[1] / sum(smooth))
        for value, count in zip((False, True), counts, strict=True):
            if count:
                weight[(systems == system) & (passed == value)] = share / count
    return np.asarray(weight * (len(weight) / weight.sum()), dtype=np.float64)


def _both_equal(weight: Floats, passed: NDArray[np.bool_]) -> Floats:
    share = np.where(passed, weight / weight[passed].sum(), weight / weight[~passed].sum())
    return np.asarray(share * (len(weight) / 2), dtype=np.float64)


def _choose(x: Floats, y: Floats, weight: Floats, fold: NDArray[np.int64]) -> float:
    """The precision with the lowest held-out loss; of equals the strongest."""
    best, best_loss = NULL_L2_GRID[-1], np.inf
    for l2 in sorted(NULL_L2_GRID, reverse=True):
        loss = 0.0
        for number in sorted(set(fold.tolist())):
            out = fold == number
            if out.all():
                continue
            theta = _logistic(x[~out], y[~out], weight[~out], l2, signs=_SIGNS)
            z = theta[0] + x[out] @ theta[1:]
            loss += float(weight[out] @ (np.logaddexp(0.0, z) - y[out] * z))
        if loss < best_loss - 1e-9:
            best, best_loss = l2, loss
    return best


def _logistic(
    x: Floats,
    y: Floats,
    weight: Floats,
    l2: float,
    *,
    offset: Floats | None = None,
    signs: NDArray[np.int64] | None = None,
) -> Floats:
    """Ridge logistic regression by projected Newton steps: the bias, then the slopes."""
    design = np.hstack([np.ones((len(x), 1)), x])
    # The bias is all but free; its small precision keeps it finite when one class is missing.
    precision = np.concatenate([[1e-3], np.full(x.shape[1], l2)])
    low, high = np.full(design.shape[1], -np.inf), np.full(design.shape[1], np.inf)
    if signs is not None:
        low[1:][signs > 0] = 0.0
        high[1:][signs < 0] = 0.0
    theta = np.zeros(design.shape[1])
    base = np.zeros(len(x)) if offset is None else offset

    def loss(at: Floats) -> float:
        z = base + design @ at
        return float(weight @ (np.logaddexp(0.0, z) - y * z) + 0.5 * precision @ at**2)

    value = loss(theta)
    for _ in range(50):
        p = _sigmoid(base + design @ theta)
        gradient = design.T @ (weight * (p - y)) + precision * theta
        held = ((theta <= low) & (gradient > 0)) | ((theta >= high) & (gradient < 0))
        free = np.flatnonzero(~held)
        part = design[:, free]
        hessian = part.T @ (part * (weight * p * (1 - p))[:, None]) + np.diag(precision[free])
        step = np.zeros(len(theta))
        step[free] = np.linalg.solve(hessian, gradient[free])
        scale = 1.0
        while scale > 1e-6 and loss(np.clip(theta - scale * step, low, high)) > value:
            scale /= 2
        theta = np.clip(theta - scale * step, low, high)
        before, value = value, loss(theta)
        if before - value < 1e-10 * (1.0 + abs(value)):
            break
    return theta


_SIGNS = np.array([sign for _, sign in TERMS], dtype=np.int64)
