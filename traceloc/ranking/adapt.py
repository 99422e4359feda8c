"""A few confirmed answers of one system move a finished model a little; they never wreck it.

The finished model's weights are the mean of a Gaussian prior (MAP, as in
:mod:`traceloc.ranking.fit`). How far ten answers may move it cannot be *chosen* from ten answers:
the held-out likelihood of single strengths is mostly noise (measured; see
``benchmarks/results/fewshot.md``). So several strengths are averaged, each weighted by its held-out
likelihood (pseudo-BMA; Geisser and Eisner 1979, Yao et al. 2018) and by a fixed opinion of what is
sensible, and the finished model itself is one of them. An average of additive models is again one
additive model. Nothing is random: the same answers give the same model, whatever their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.ranking.model import FeatureWeight, RankingModel
from traceloc.ranking.rounding import tidy
from traceloc.ranking.table import FeatureSpec

Floats = NDArray[np.float64]

STRENGTHS = (1000.0, 300.0, 100.0, 30.0)
"""Precisions of the prior that are averaged, per standardised feature, strong ones first."""
FEW = 8
"""Groups below which only the strongest of :data:`STRENGTHS` counts: too few to choose by, and the
others did harm on one dev system of seven (``who_and_when_ag``, NLL +0.02 from five labels)."""
SYSTEM_SHARES = (1.0, 0.2)
"""Precision of the system part (position, habits) as a multiple: it is there to be learned."""
SENSIBLE_STRENGTH, SENSIBLE_SHARE = 500.0, 0.4
"""Where the fixed opinion is centred: what served the dev systems best on average."""
OPINION = 2.0
"""How much the opinion counts, in nats per squared half decade of strength."""
PRIOR_OPINION = -2.0
"""Of the finished model as it is, in nats: answers are expected to help."""
FOLDS, FOLDS_OF_MANY, MANY = 10, 5, 20
"""Folds, and fewer of them above so many groups: each then leaves enough to learn from."""
SHRINK = (1.0, 0.5, 0.25)
"""Shares of the way from the finished model that are tried while held-out answers get worse."""

_STEPS, _STEPS_AT_FIRST = 3, 5


@dataclass(frozen=True)
class Answer:
    """What a person said of one trace, in the terms of a fit."""

    features: NDArray[np.float32]
    """Measurements of the candidates, shape ``(n_candidates, n_features)``."""
    possible: NDArray[np.bool_]
    """Candidates that may be the error: the one that was confirmed, or all but the rejected."""
    group: str
    """Answers of one group are never split between learning and checking."""

    @property
    def telling(self) -> bool:
        """Whether it distinguishes any candidates."""
        return bool(self.possible.any()) and not bool(self.possible.all())

    @cached_property
    def key(self) -> tuple[str, str]:
        """Sorts answers the same way, in whatever order they were given."""
        digest = hashlib.blake2b(self.features.tobytes(), digest_size=16)
        digest.update(self.possible.tobytes())
        return self.group, digest.hexdigest()


class Adaptation(NamedTuple):
    """The adapted model, and what its answers say for it."""

    model: RankingModel
    answers: int
    """How many it learned from."""
    loss_before: float
    """Mean held-out NLL of the answers under the finished model; NaN with fewer than two groups."""
    loss_after: float
    """The same under the adapted one."""
    moved: float
    """Share of the way that held-out answers allowed, 0 (nothing changed) to 1."""


def adapt_model(
    prior: RankingModel,
    answers: Sequence[Answer],
    features: Sequence[FeatureSpec],
    *,
    system: str | None = None,
    name: str | None = None,
) -> Adaptation:
    """Adapt a finished model to the answers of one system.

    Args:
        prior: The finished model.
        answers: What people said, one entry for a trace.
        features: The columns of their measurements.
        system: Whose answers they are.
        name: Name of the adapted model; by default the prior's and the number of answers.

    Raises:
        ModelError: TL401 if the finished model has other features.
    """
    prior.check(features)
    telling = sorted((each for each in answers if each.telling), key=lambda each: each.key)
    if not telling:
        return Adaptation(prior, 0, np.nan, np.nan, 0.0)
    data = _Data.make(telling, features, prior)
    delta, before, after, moved = _average(data)
    labels = f"{len(telling)} label{'s' if len(telling) > 1 else ''}"
    model = _rebuild(prior, data, delta, features, system).model_copy(
        update={"name": name or f"{prior.name}+{labels}"}
    )
    n = len(data.fold_of)
    return Adaptation(model, len(telling), before / n, after / n, moved)


@dataclass(frozen=True)
class _Data:
    """Answers under each other, standardised in the units of the finished model."""

    rows: Floats
    """Of the columns that differ within some trace; no other column can be learned about."""
    columns: NDArray[np.int64]
    mean: Floats
    scale: Floats
    slopes: Floats
    """Of the finished model, for every feature."""
    base: Floats
    """Scores of the finished model, one per row."""
    low: Floats
    high: Floats
    """How far each kept slope may move before it turns against its sign hint."""
    system_part: NDArray[np.bool_]
    possible: NDArray[np.bool_]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    fold_of: NDArray[np.int64]
    """Fold of each trace; 0 for all where there is one group."""
    folds: int
    groups: int
    raw_low: Floats
    raw_high: Floats

    @classmethod
    def make(
        cls, answers: Sequence[Answer], features: Sequence[FeatureSpec], prior: RankingModel
    ) -> _Data:
        raw = np.concatenate([each.features for each in answers]).astype(np.float64)
        lengths = np.array([len(each.features) for each in answers], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        centred = raw - np.repeat(np.add.reduceat(raw, starts) / lengths[:, None], lengths, axis=0)
        own = np.sqrt((centred**2).mean(axis=0))
        mean, scale, slopes = np.zeros(raw.shape[1]), np.where(own > 1e-6, own, 1.0), 0 * own
        weights = prior.weights
        for column, feature in enumerate(features):
            known = weights.get(feature.name)
            if known is not None:
                mean[column], scale[column] = known.mean, known.scale
                slopes[column] = known.weight / prior.temperature
        # Only differences within a trace count, so that centring changes no likelihood.
        standard = centred / scale
        columns = np.flatnonzero(own / scale > 1e-6)
        signs = np.array([feature.sign for feature in features])[columns]
        kept = slopes[columns]
        fold_of, folds = _deal([each.group for each in answers])
        return cls(
            rows=np.ascontiguousarray(standard[:, columns]),
            columns=columns,
            mean=mean,
            scale=scale,
            slopes=slopes,
            base=standard @ slopes,
            low=np.where(signs > 0, np.minimum(-kept, 0.0), -np.inf),
            high=np.where(signs < 0, np.maximum(-kept, 0.0), np.inf),
            system_part=np.array([f.part == "system" for f in features], dtype=np.bool_)[columns],
            possible=np.concatenate([each.possible for each in answers]),
            starts=starts,
            lengths=lengths,
            fold_of=fold_of,
            folds=folds,
            groups=len({each.group for each in answers}),
            raw_low=raw.min(axis=0),
            raw_high=raw.max(axis=0),
        )

    def weigh(self, moves: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Likelihood of each trace and pull on each row, one column for each set of moves."""
        scores = self.base[:, None] + rows @ moves
        scores -= np.repeat(np.maximum.reduceat(scores, self.starts), self.lengths, axis=0)
        p = np.exp(scores)
        allowed = p * self.possible[:, None]
        total = np.add.reduceat(p, self.starts)
        # A candidate far below all others underflows; it stays possible.
        inside = np.maximum(np.add.reduceat(allowed, self.starts), 1e-300)
        p /= np.repeat(total, self.lengths, axis=0)
        allowed /= np.repeat(inside, self.lengths, axis=0)
        return np.log(inside) - np.log(total), p - allowed

    def curvature(self) -> Floats:
        """Hessian of the softmax at the finished model."""
        scores = self.base - np.repeat(np.maximum.reduceat(self.base, self.starts), self.lengths)
        p = np.exp(scores)
        p /= np.repeat(np.add.reduceat(p, self.starts), self.lengths)
        spread = self.rows * np.sqrt(p)[:, None]
        means = np.add.reduceat(self.rows * p[:, None], self.starts)
        return np.asarray(spread.T @ spread - means.T @ means)


class _Averaged(NamedTuple):
    delta: Floats
    before: float
    after: float
    moved: float


def _average(data: _Data) -> _Averaged:
    """The moves of all strengths, averaged by held-out likelihood; sums of losses beside it."""
    held_out = data.fold_of, np.arange(len(data.fold_of))
    nothing = np.zeros((len(data.columns), data.folds + 1))
    before = data.weigh(nothing[:, :1], data.rows)[0].sum()
    # The finished model is one of those that are averaged.
    moves, worth = [nothing], [before + PRIOR_OPINION]
    strengths = STRENGTHS if data.groups >= FEW else STRENGTHS[:1]
    curvature = data.curvature()
    for share in SYSTEM_SHARES:
        for strength, found, likelihood in _solve(data, curvature, share, strengths):
            off = (2 * np.log10(strength / SENSIBLE_STRENGTH)) ** 2
            off += np.log10(share / SENSIBLE_SHARE) ** 2
            moves.append(found)
            # With one group nothing is held out, and the opinion alone decides.
            known = likelihood[held_out[1], held_out[0]].sum() if data.folds > 1 else before
            worth.append(float(known) - OPINION * float(off))
    weight = np.exp(np.array(worth) - max(worth))
    weight /= weight.sum()
    mixed = np.tensordot(weight, np.array(moves), axes=1)
    if data.folds < 2:
        return _Averaged(mixed[:, -1], np.nan, np.nan, 1.0)
    for share in SHRINK:
        after = float(data.weigh(share * mixed, data.rows)[0][held_out[1], held_out[0]].sum())
        if after > before:
            return _Averaged(share * mixed[:, -1], -before, -after, share)
    return _Averaged(nothing[:, -1], -before, -before, 0.0)


def _solve(
    data: _Data, curvature: Floats, share: float, strengths: Sequence[float]
) -> list[tuple[float, Floats, Floats]]:
    """Moves of the slopes for each strength, and the likelihood of each trace under them.

    There is one column for the moves without each fold, and a last one for those with all.

    Newton steps with the curvature at the finished model, which is decomposed once; all folds go
    together as columns of one matrix. A step that makes a column worse is halved.
    """
    unit = np.where(data.system_part, share, 1.0) ** -0.5
    rows = data.rows * unit
    low, high = (data.low / unit)[:, None], (data.high / unit)[:, None]
    flipped = np.ascontiguousarray(rows.T)
    values, vectors = np.linalg.eigh(curvature * unit[:, None] * unit)
    seen = np.ones((len(data.fold_of), data.folds + 1))
    seen[np.arange(len(data.fold_of)), data.fold_of] = 0.0
    seen_rows = np.repeat(seen, data.lengths, axis=0)
    best = np.zeros((len(data.columns), data.folds + 1))
    found: list[tuple[float, Floats, Floats]] = []
    for strength in strengths:
        inverse = 1.0 / (np.maximum(values, 0.0) + strength)
        lowest = np.full(data.folds + 1, np.inf)
        trial, stride = best, np.ones(data.folds + 1)
        step, known = np.zeros_like(best), np.zeros_like(seen)
        steps = _STEPS if found else _STEPS_AT_FIRST
        for number in range(steps + 1):
            likelihood, pull = data.weigh(trial, rows)
            value = 0.5 * strength * (trial**2).sum(axis=0) - (seen * likelihood).sum(axis=0)
            better = value <= lowest
            best = np.where(better, trial, best)
            known = np.where(better, likelihood, known)
            if number == steps:
                break
            gradient = flipped @ (pull * seen_rows) + strength * trial
            newton = vectors @ (inverse[:, None] * (vectors.T @ gradient))
            step = np.where(better, newton, step)
            lowest = np.where(better, value, lowest)
            stride = np.where(better, 1.0, stride / 2)
            trial = np.clip(best - stride * step, low, high)
        found.append((strength, best * unit[:, None], known))
    return found


def _deal(groups: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Fold of each answer and the number of folds; large groups first, to the smallest fold."""
    size: dict[str, int] = {}
    for group in groups:
        size[group] = size.get(group, 0) + 1
    load = [0] * (min(FOLDS, len(size)) if len(size) <= MANY else FOLDS_OF_MANY)
    fold_of = {}
    for group in sorted(size, key=lambda name: (-size[name], name)):
        fold_of[group] = load.index(min(load))
        load[fold_of[group]] += size[group]
    return np.array([fold_of[group] for group in groups], dtype=np.int64), len(load)


def _rebuild(
    prior: RankingModel,
    data: _Data,
    delta: Floats,
    features: Sequence[FeatureSpec],
    system: str | None,
) -> RankingModel:
    """The finished model with moved slopes; what was checked of its old scores is left out."""
    moves = np.zeros(len(features))
    moves[data.columns] = delta
    changed: dict[str, FeatureWeight] = {}
    weights = prior.weights
    for column, feature in enumerate(features):
        known = weights.get(feature.name)
        if known is None:
            known = FeatureWeight(
                name=feature.name,
                weight=0.0,
                mean=tidy(data.mean[column]),
                scale=tidy(data.scale[column]),
            )
        weight = tidy(known.weight + float(moves[column]) * prior.temperature)
        # What somebody has looked at and answered for is no longer new to the model.
        low = None if known.low is None else min(known.low, tidy(data.raw_low[column]))
        high = None if known.high is None else max(known.high, tidy(data.raw_high[column]))
        changed[feature.name] = known.model_copy(
            update={"weight": weight, "low": low, "high": high}
        )
    parts = {feature.name: feature.part for feature in features}

    def of(part: str, old: Sequence[FeatureWeight]) -> tuple[FeatureWeight, ...]:
        new = (n for n, where in parts.items() if where == part and n not in weights)
        return (*(changed.get(w.name, w) for w in old), *(changed[name] for name in new))

    return prior.model_copy(
        update={
            "shared": of("shared", prior.shared),
            "system": of("system", prior.system),
            "calibrations": tuple(c for c in prior.calibrations if c.system != system),
            "calibrated_systems": tuple(s for s in prior.calibrated_systems if s != system),
            "coverages": tuple(c for c in prior.coverages if c.system is None),
            "provenance": prior.provenance.model_copy(update={"prior": prior.name}),
        }
    )
