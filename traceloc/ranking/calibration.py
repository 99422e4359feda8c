"""Whether probabilities of a system may be shown: a temperature of its own, checked held out.

A system is calibrated where at least :data:`MIN_LABELS` labelled traces in at least
:data:`MIN_GROUPS` groups were scored by fits that had not seen them, and the expected calibration
error of rank 1, under temperatures fitted without each trace's group, is at most :data:`MAX_ECE`.
Below that nothing prints a percentage. With so few traces even a perfect model shows an error of
about 0.05 to 0.10, so a lower bar would only measure luck.

Guo et al. (2017), "On calibration of modern neural networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from traceloc.ranking.logit import Choices
from traceloc.ranking.rounding import tidy
from traceloc.trace import Document

if TYPE_CHECKING:
    from traceloc.ranking.fit import Example

Floats = NDArray[np.float64]

ECE_BINS = 10
MIN_LABELS = 40
MIN_GROUPS = 20
MAX_ECE = 0.10
_FOLDS = 5
_TEMPERATURE_SD = 0.5
"""Standard deviation of the prior of the logarithm of the temperature, around 0."""


class SystemCalibration(Document):
    """How honest the probabilities of one system are."""

    system: str
    temperature: float = Field(default=1.0, gt=0)
    """Scores of the model are divided by it once more for this system."""
    labels: int
    """Labelled traces it was checked on."""
    groups: int
    ece: float
    """Held-out expected calibration error of rank 1, 0 to 1."""

    @property
    def acceptable(self) -> bool:
        """Whether probabilities may be shown."""
        enough = self.labels >= MIN_LABELS and self.groups >= MIN_GROUPS
        return enough and self.ece <= MAX_ECE


def calibrate_systems(
    examples: Sequence[Example], scores: Sequence[Floats]
) -> tuple[SystemCalibration, ...]:
    """A temperature for each system with enough labels, and what it is worth held out.

    Args:
        examples: Labelled ones.
        scores: Held-out scores of their candidates, in log-odds.
    """
    found = []
    for system in sorted({each.system for each in examples}):
        members = [i for i, each in enumerate(examples) if each.system == system]
        groups = sorted({examples[i].group for i in members})
        if len(members) < MIN_LABELS or len(groups) < MIN_GROUPS:
            continue
        confidence, hits = np.zeros(len(members)), np.zeros(len(members))
        fold = np.array([groups.index(examples[i].group) % _FOLDS for i in members])
        for number in range(_FOLDS):
            rest = [i for i, f in zip(members, fold, strict=True) if f != number]
            temperature = _temperature_of(examples, scores, rest)
            for place in np.flatnonzero(fold == number).tolist():
                exp = np.exp((scores[members[place]] - scores[members[place]].max()) / temperature)
                top = int(np.argmax(scores[members[place]]))
                confidence[place] = exp[top] / exp.sum()
                hits[place] = examples[members[place]].target[top] > 0
        found.append(
            SystemCalibration(
                system=system,
                temperature=tidy(_temperature_of(examples, scores, members)),
                labels=len(members),
                groups=len(groups),
                ece=tidy(calibration_error(confidence, hits)),
            )
        )
    return tuple(found)


def fit_temperature(scores: Sequence[Floats], targets: Sequence[Floats], weights: Floats) -> float:
    """The divisor of held-out scores with the highest likelihood, drawn a little towards 1."""
    choices = Choices.stack([each[:, None] for each in scores], targets, weights)

    def loss(log_temperature: float) -> float:
        likelihood = choices.probabilities(np.array([np.exp(-log_temperature)]))[1]
        return 0.5 * (log_temperature / _TEMPERATURE_SD) ** 2 - float(weights @ likelihood)

    low, high = np.log(0.25), np.log(8.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(40):  # golden section: the loss is unimodal, and this needs no derivative
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(float(left)) <= loss(float(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def calibration_error(confidence: Floats, hits: Floats, *, bins: int = ECE_BINS) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy over equal bins.

    Args:
        confidence: Probability of rank 1, per trace.
        hits: Whether rank 1 was right, per trace.
        bins: Number of bins of equal width.
    """
    if not len(confidence) or np.isnan(confidence).any():
        return nan
    return sum(
        share * abs(sure - right) for sure, right, share in reliability(confidence, hits, bins=bins)
    )


def reliability(
    confidence: Floats, hits: Floats, *, bins: int = ECE_BINS
) -> list[tuple[float, float, float]]:
    """Mean confidence, accuracy and share of the traces for each bin that has any."""
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    found = []
    for each in range(bins):
        at = place == each
        if at.any():
            found.append((float(confidence[at].mean()), float(hits[at].mean()), float(at.mean())))
    return found


def _temperature_of(
    examples: Sequence[Example], scores: Sequence[Floats], members: Sequence[int]
) -> float:
    return fit_temperature(
        [scores[i] for i in members], [examples[i].target for i in members], np.ones(len(members))
    )
