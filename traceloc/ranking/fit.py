"""Learning the weights: a MAP fit whose strength is chosen inside the data it is given.

With a prior model its weights are the prior mean, so that a few labels move the answer a little and
many wash it out. Nothing here is random: the same examples give the same model byte for byte.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import ModelError
from traceloc.ranking.calibration import fit_temperature
from traceloc.ranking.fit_null import Innocence, fit_null
from traceloc.ranking.fit_trust import Trust, learn_trust
from traceloc.ranking.logit import Choices, Problem
from traceloc.ranking.model import FeatureWeight, Provenance, RankingModel, settle
from traceloc.ranking.rounding import tidy
from traceloc.ranking.table import FeatureSpec

Floats = NDArray[np.float64]

L2_GRID = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 10_000.0)
"""Prior precisions that are tried, per standardised feature. The last all but keeps the prior."""

_ROUGH = 1e-6
"""Relative decrease at which a fit stops that only serves to compare precisions."""
SYSTEM_L2 = 60.0
"""Precision of the system part where one system is learned from. It does not follow ``l2``: no
other system can say anything of habits, so labels must. (Measured: against a precision of ``l2``,
held-out NLL falls on five of six sets, by 0.04 to 0.2.)"""
HELD = 1e4
"""Multiple of the precision that holds the system part at its prior in a pooled fit."""


@dataclass(frozen=True)
class Example:
    """One trace as a fit sees it."""

    features: NDArray[np.float32]
    """Raw measurements of the candidates, shape ``(n_candidates, n_features)``."""
    target: Floats
    """Share of each candidate in the labels: sums to 1, or all 0 where nothing is labelled."""
    system: str
    group: str
    """Traces of one group are never split between choosing and checking."""
    passed: bool | None = None
    """Whether the run is known to have passed, or to have failed."""
    run: Mapping[str, float] = field(default_factory=dict)
    """Measures of the run as a whole, by name."""

    @property
    def labelled(self) -> bool:
        """Whether it says which candidate is the error."""
        return bool(self.target.sum() > 0)


@dataclass(frozen=True)
class FitOptions:
    """How to fit."""

    l2: float | None = None
    """Precision of the prior; ``None`` chooses one of :data:`L2_GRID` on held-out folds."""
    system_l2: float = SYSTEM_L2
    """Precision of the system part where one system is learned from."""
    fallback_l2: float = 100.0
    """Precision where there are too few groups to hold any out."""
    folds: int = 5
    hold_out: Literal["group", "system"] = "system"
    """What a fold leaves out: groups, or whole systems where there are at least three of them, so
    that the strength is chosen for systems nobody has seen."""
    balance: float = 1.0
    """1: every system counts the same; 0: every trace counts the same."""
    signs: bool = True
    """Whether sign hints of features bind."""
    null: bool = True
    """Whether to learn when nothing is wrong, where passed runs are given."""
    missed: float = 0.1
    """Share of the failed runs of any system on which the model may stay silent."""


def fit_model(
    examples: Sequence[Example],
    features: Sequence[FeatureSpec],
    *,
    name: str = "fitted",
    prior: RankingModel | None = None,
    options: FitOptions | None = None,
    provenance: Provenance | None = None,
) -> RankingModel:
    """Fit a ranking model.

    Args:
        examples: Traces with labels, and traces known to have passed.
        features: The columns of their measurements.
        name: Name of the new model.
        prior: Model whose weights are the prior mean; zero without one.
        options: How to fit.
        provenance: What to say of the data; the strength of the prior is added.

    Raises:
        ModelError: TL404 without a single labelled example and no prior to fall back to; TL401 if
            the prior model has other features.
    """
    options = options or FitOptions()
    provenance = provenance or Provenance()
    usable = [each for each in examples if len(each.features)]
    labelled = [each for each in usable if each.labelled]
    if prior is not None:
        prior.check(features)
    if not labelled:
        if prior is None:
            raise ModelError(
                f"none of {len(examples)} traces has a label on one of its steps",
                code="TL404",
                hint="give labels with the traces, or a prior model",
            )
        return prior.model_copy(update={"name": name})
    design = _Design.make(labelled, features, prior, options)
    l2 = options.l2
    held_out = _HeldOut.make(usable, design, options)
    if l2 is None:
        l2 = held_out.choose() if held_out.folds else options.fallback_l2
    temperature, innocence, trust = 1.0, Innocence(), Trust()
    slopes = design.solve(labelled, l2)
    if held_out.folds:
        scores = held_out.scores(l2)
        temperature = fit_temperature(
            [s for s, each in zip(scores, usable, strict=True) if each.labelled],
            [each.target for each in labelled],
            design.weights_of(labelled),
        )
        tempered = [settle(s / temperature) for s in scores]
        if options.null and any(each.passed for each in usable):
            innocence = fit_null(usable, tempered, missed=options.missed)
        raw_slopes = slopes / design.scale / temperature
        trust = learn_trust(usable, tempered, held_out.folds, raw_slopes, prior=prior)
    elif prior is not None:
        temperature, trust = prior.temperature, Trust.of(prior)
    if prior is not None and innocence.null.bias is None:
        innocence = Innocence(prior.null, prior.abstain_above)
    weights = [
        FeatureWeight(
            name=f.name, weight=tidy(w), mean=tidy(m), scale=tidy(s), **trust.bounds_of(f.name, at)
        )
        for at, (f, w, m, s) in enumerate(
            zip(features, slopes, design.mean, design.scale, strict=True)
        )
    ]
    parts = [f.part for f in features]
    return RankingModel(
        name=name,
        shared=tuple(w for w, p in zip(weights, parts, strict=True) if p == "shared"),
        system=tuple(w for w, p in zip(weights, parts, strict=True) if p == "system"),
        null=innocence.null,
        abstain_above=innocence.abstain_above,
        temperature=tidy(temperature),
        doubt=trust.doubt,
        calibrations=trust.calibrations,
        calibrated_systems=trust.calibrated_systems,
        coverages=trust.coverages,
        provenance=provenance.model_copy(
            update={"l2": l2, "prior": prior.name if prior is not None else None}
        ),
    )


@dataclass(frozen=True)
class _Design:
    """Everything of a fit that does not depend on the fold."""

    mean: Floats
    scale: Floats
    prior: Floats
    """Prior mean of the slopes of standardised features."""
    system_part: NDArray[np.bool_]
    signs: NDArray[np.int64] | None
    pooled: bool
    """Whether several systems are learned from: habits of one then say nothing of another."""
    options: FitOptions

    @classmethod
    def make(
        cls,
        labelled: Sequence[Example],
        features: Sequence[FeatureSpec],
        prior: RankingModel | None,
        options: FitOptions,
    ) -> _Design:
        mean, scale = spread(labelled, balance_weights(labelled, options.balance))
        slopes = np.array([feature.prior for feature in features]) * scale
        for column, feature in enumerate(features):
            known = prior.weights.get(feature.name) if prior is not None else None
            if known is not None and prior is not None:
                # In the prior's own units, so that its weights mean what they meant.
                slopes[column] = known.weight / prior.temperature
                mean[column], scale[column] = known.mean, known.scale
        return cls(
            mean,
            scale,
            slopes,
            np.array([feature.part == "system" for feature in features], dtype=np.bool_),
            np.array([feature.sign for feature in features]) if options.signs else None,
            len({each.system for each in labelled}) > 1,
            options,
        )

    def standardise(self, example: Example) -> Floats:
        return np.asarray((example.features - self.mean) / self.scale, dtype=np.float64)

    def weights_of(self, examples: Sequence[Example]) -> Floats:
        return balance_weights(examples, self.options.balance)

    def problem(self, labelled: Sequence[Example], l2: float) -> Problem:
        weights = self.weights_of(labelled)
        systems = sorted({each.system for each in labelled})
        choices = []
        for system in systems:
            members = [i for i, each in enumerate(labelled) if each.system == system]
            choices.append(
                Choices.stack(
                    [self.standardise(labelled[i]) for i in members],
                    [labelled[i].target for i in members],
                    [weights[i] for i in members],
                )
            )
        return Problem(tuple(choices), self.prior, self.precision(l2), signs=self.signs)

    def precision(self, l2: float) -> Floats:
        held = l2 * HELD if self.pooled else self.options.system_l2
        return np.where(self.system_part, held, l2)

    def solve(self, labelled: Sequence[Example], l2: float) -> Floats:
        return self.problem(labelled, l2).solve().slopes

    def path(self, labelled: Sequence[Example], grid: Sequence[float]) -> list[Floats]:
        """Slopes for each precision, from strong to weak, each begun at the one before."""
        problem, start, found = self.problem(labelled, grid[0]), None, {}
        for l2 in sorted(grid, reverse=True):
            near = replace(problem, precision=self.precision(l2))
            start = found[l2] = near.solve(start, tolerance=_ROUGH).slopes
        return [found[l2] for l2 in grid]


class _HeldOut(NamedTuple):
    """Slopes fitted without each fold, and the examples that they have not seen."""

    examples: Sequence[Example]
    design: _Design
    grid: tuple[float, ...]
    folds: list[list[int]]
    slopes: list[list[Floats]]
    """By fold, then by precision."""

    @classmethod
    def make(cls, examples: Sequence[Example], design: _Design, options: FitOptions) -> _HeldOut:
        grid = L2_GRID if options.l2 is None else (options.l2,)
        folds = make_folds(examples, options)
        slopes = []
        for fold in folds:
            outside = set(fold)
            rest = [e for i, e in enumerate(examples) if e.labelled and i not in outside]
            slopes.append(design.path(rest, grid))
        return cls(examples, design, grid, folds, slopes)

    def scores(self, l2: float) -> list[Floats]:
        """Scores of every example by slopes that have not seen it."""
        found: list[Floats] = [np.zeros(0)] * len(self.examples)
        at = self.grid.index(l2)
        for fold, slopes in zip(self.folds, self.slopes, strict=True):
            for i in fold:
                found[i] = self.design.standardise(self.examples[i]) @ slopes[at]
        return found

    def choose(self) -> float:
        """The precision with the lowest held-out likelihood loss; of equals the strongest."""
        labelled = [i for i, each in enumerate(self.examples) if each.labelled]
        chosen = [self.examples[i] for i in labelled]
        weights = self.design.weights_of(chosen)
        best, best_loss = self.grid[-1], np.inf
        for l2 in sorted(self.grid, reverse=True):
            scores = self.scores(l2)
            stacked = Choices.stack(
                [scores[i][:, None] for i in labelled], [each.target for each in chosen], weights
            )
            loss = -float(weights @ stacked.probabilities(np.ones(1))[1])
            if loss < best_loss - 1e-9:
                best, best_loss = l2, loss
        return best


def make_folds(examples: Sequence[Example], options: FitOptions) -> list[list[int]]:
    """Split examples so that no group stands on two sides; each fold leaves some labels in.

    Groups go, largest first, to the fold with the fewest labelled examples so far.
    """
    labelled = sorted({each.group for each in examples if each.labelled})
    systems = sorted({each.system for each in examples if each.labelled})
    if options.hold_out == "system" and len(systems) >= 3:
        by_system = [[i for i, e in enumerate(examples) if e.system == s] for s in systems]
        rest = [i for i, e in enumerate(examples) if e.system not in systems]
        by_system[0].extend(rest)
        return [sorted(fold) for fold in by_system]
    count = min(options.folds, len(labelled))
    if count < 2:
        return []
    size: dict[str, int] = dict.fromkeys(sorted({each.group for each in examples}), 0)
    for each in examples:
        size[each.group] += each.labelled
    load, fold_of = [0] * count, {}
    order = sorted(size, key=lambda group: (-size[group], _spread_key(group), group))
    for number, group in enumerate(order):
        # Groups without a label weigh nothing; they are dealt out in turn.
        target = number % count if size[group] == 0 else load.index(min(load))
        fold_of[group] = target
        load[target] += size[group]
    return [
        [i for i, each in enumerate(examples) if fold_of[each.group] == fold]
        for fold in range(count)
    ]


def balance_weights(examples: Sequence[Example], balance: float) -> Floats:
    """Weights that sum to the number of examples and give each system its share.

    Args:
        examples: The labelled ones.
        balance: 1 gives systems equal shares, 0 gives examples equal shares.
    """
    count: dict[str, int] = {}
    for each in examples:
        count[each.system] = count.get(each.system, 0) + 1
    raw = np.array([count[each.system] ** -balance for each in examples], dtype=np.float64)
    return np.asarray(raw * (len(raw) / raw.sum()), dtype=np.float64)


def spread(examples: Sequence[Example], weights: Floats) -> tuple[Floats, Floats]:
    """Mean of each feature, and its standard deviation within a trace.

    Only what differs within a trace can move a ranking, so that is the unit of a weight. A feature
    that never differs gets the scale 1.
    """
    total = weights.sum()
    means = np.array([each.features.mean(axis=0, dtype=np.float64) for each in examples])
    variances = np.array([each.features.var(axis=0, dtype=np.float64) for each in examples])
    scale = np.sqrt(weights @ variances / total)
    return weights @ means / total, np.where(scale > 1e-6, scale, 1.0)


def _spread_key(group: str) -> int:
    """A fixed shuffle, so that neighbours by name do not end up in one fold by habit."""
    return zlib.crc32(group.encode("utf-8", "replace"))
