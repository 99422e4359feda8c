"""Learning how far a model may be trusted, from scores of traces that its folds had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.ranking.abstention import (
    Bounds,
    DoubtLimits,
    evenness,
    extrapolation,
    learn_limits,
)
from traceloc.ranking.calibration import SystemCalibration, calibrate_systems
from traceloc.ranking.conformal import OWN_LABELS, Coverage, collect_coverage
from traceloc.ranking.model import softmax
from traceloc.ranking.rounding import tidy

if TYPE_CHECKING:
    from traceloc.ranking.fit import Example
    from traceloc.ranking.model import RankingModel

Floats = NDArray[np.float64]


class Trust(NamedTuple):
    """What a model knows of its own reliability."""

    doubt: DoubtLimits = DoubtLimits()
    calibrations: tuple[SystemCalibration, ...] = ()
    coverages: tuple[Coverage, ...] = ()
    bounds: Bounds | None = None
    prior: RankingModel | None = None
    """The model whose bounds of features stay in force, where there are no new ones."""

    @property
    def calibrated_systems(self) -> tuple[str, ...]:
        """Systems whose probabilities may be shown."""
        return tuple(each.system for each in self.calibrations if each.acceptable)

    @classmethod
    def of(cls, model: RankingModel) -> Trust:
        """What an earlier model knows, but for probabilities, which other weights undo."""
        return cls(model.doubt, (), model.coverages, None, model)

    def bounds_of(self, name: str, column: int) -> dict[str, float | None]:
        """``low`` and ``high`` of a feature."""
        if self.bounds is not None:
            return {"low": tidy(self.bounds.low[column]), "high": tidy(self.bounds.high[column])}
        known = self.prior.weights.get(name) if self.prior is not None else None
        return {"low": known.low, "high": known.high} if known is not None else {}


def learn_trust(
    examples: Sequence[Example],
    scores: Sequence[Floats],
    folds: Sequence[Sequence[int]],
    slopes: Floats,
    *,
    prior: RankingModel | None = None,
) -> Trust:
    """Calibration, windows and doubts.

    Args:
        examples: Traces; only labelled ones count.
        scores: Held-out scores of their candidates, in log-odds.
        folds: Which examples were held out together.
        slopes: Of the finished model, in log-odds per unit of a raw feature.
        prior: Model whose knowledge stays where these traces are too few to replace it.
    """
    labelled = [i for i, each in enumerate(examples) if each.labelled]
    chosen = [examples[i] for i in labelled]
    calibrations = calibrate_systems(chosen, [scores[i] for i in labelled])
    own = {each.system: each.temperature for each in calibrations}
    probabilities = [
        softmax(scores[i] / own.get(each.system, 1.0))
        for i, each in zip(labelled, chosen, strict=True)
    ]
    found = Trust(
        learn_limits([evenness(p) for p in probabilities], _extrapolate(examples, folds, slopes)),
        calibrations,
        collect_coverage(
            [each.system for each in chosen], probabilities, [each.target for each in chosen]
        ),
        _bounds(chosen),
    )
    if prior is not None and prior.coverages and len(chosen) < OWN_LABELS:
        return Trust.of(prior)
    return found


def _extrapolate(
    examples: Sequence[Example], folds: Sequence[Sequence[int]], slopes: Floats
) -> list[float]:
    """How far each labelled trace lies outside the bounds of the other folds."""
    found = []
    for fold in folds:
        inside = set(fold)
        rest = [e for i, e in enumerate(examples) if i not in inside and e.labelled]
        if rest:
            bounds = _bounds(rest)
            found += [
                extrapolation(examples[i].features.astype(np.float64), slopes, bounds)
                for i in fold
                if examples[i].labelled
            ]
    return found


def _bounds(examples: Sequence[Example]) -> Bounds:
    low = np.min([each.features.min(axis=0) for each in examples], axis=0)
    high = np.max([each.features.max(axis=0) for each in examples], axis=0)
    return Bounds(low.astype(np.float64), high.astype(np.float64))
