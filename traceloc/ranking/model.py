"""The ranking model: a sum of weights times signal values, softmaxed within the trace.

A conditional logit (McFadden 1974) with one more alternative, "no decisive error here". It is a
small JSON document that a person can read, and that says what it was fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from traceloc.errors import Location, ModelError
from traceloc.ranking.abstention import Bounds, DoubtLimits, Silence, evenness, extrapolation
from traceloc.ranking.calibration import SystemCalibration
from traceloc.ranking.conformal import Coverage, choose_coverage, find_window
from traceloc.ranking.null import NullModel, summarize
from traceloc.ranking.table import FeatureSpec, FeatureTable
from traceloc.trace import Document

MODEL_SCHEMA_VERSION: Literal[1] = 1
_NAMES_SHOWN = 5

Floats = NDArray[np.float64]


class FeatureWeight(Document):
    """How much one feature counts: ``weight * (value - mean) / scale``."""

    name: str
    """``family.feature``."""
    weight: float
    """Log-odds per standard deviation within a trace."""
    mean: float = 0.0
    scale: float = Field(default=1.0, gt=0)
    """Typical deviation of the feature within one trace of the fitted data."""
    low: float | None = None
    """Smallest value in the fitted data; ``None`` where it is not known."""
    high: float | None = None


class DatasetRecord(Document):
    """One set of traces that a model was fitted on."""

    name: str
    system: str
    traces: int
    labelled: int
    passed: int = 0


class Provenance(Document):
    """Where a model comes from."""

    datasets: tuple[DatasetRecord, ...] = ()
    data_hash: str = ""
    """Digest over the contents and labels of every trace the fit read, in order."""
    seed: int = 0
    l2: float | None = None
    """Precision of the Gaussian prior, as chosen inside the fitted data."""
    prior: str | None = None
    """Name of the model whose weights were the prior mean; ``None`` is zero."""
    command: str = ""
    signals: dict[str, str] = Field(default_factory=dict)
    """Version of each signal at the time of the fit."""
    traceloc: str = ""


class Scores(NamedTuple):
    """What the model says about the candidates of one trace."""

    scores: Floats
    """Log-odds up to a constant of the trace, one per candidate."""
    probabilities: Floats
    """Softmax over candidates and the null candidate, at the system's own temperature where it has
    one; sums to ``1 - p_no_error``."""
    p_no_error: float
    """Weight of the null candidate."""
    order: NDArray[np.int64]
    """Positions of the candidates, most suspicious first; equal scores: the earlier step first."""


class RankingModel(Document):
    """Weights of an additive ranker.

    The shared part must hold across systems. The system part (position, agent and tool habits) is
    what one system's labels teach; ``system`` holds what systems have in common there, and is zero
    where nothing is.
    """

    schema_version: Literal[1] = MODEL_SCHEMA_VERSION
    name: str
    shared: tuple[FeatureWeight, ...] = ()
    system: tuple[FeatureWeight, ...] = ()
    null: NullModel = NullModel()
    temperature: float = Field(default=1.0, gt=0)
    """Scores are divided by it; chosen on held-out folds, so that probabilities are honest."""
    abstain_above: float = 0.5
    """Abstain where the null candidate weighs more than this."""
    doubt: DoubtLimits = DoubtLimits()
    """Where to abstain because nothing stands out, or the run is unlike all known ones."""
    calibrations: tuple[SystemCalibration, ...] = ()
    """Systems with enough labels to check probabilities, whatever came of it."""
    calibrated_systems: tuple[str, ...] = ()
    """Systems for which probabilities were checked against labels and may be shown; the rule stands
    in :mod:`traceloc.ranking.calibration`."""
    coverages: tuple[Coverage, ...] = ()
    """Held-out scores for windows of a stated coverage: pooled, and of systems with enough."""
    provenance: Provenance = Provenance()

    @property
    def weights(self) -> dict[str, FeatureWeight]:
        """Every feature by name."""
        return {each.name: each for each in (*self.shared, *self.system)}

    def check(self, features: Sequence[FeatureSpec]) -> None:
        """Make sure that the model was fitted on these features.

        A signal the model has never heard of counts what its features expect of themselves (their
        ``prior``). One it knows must give exactly the
        features it gave at the time of the fit; one that is not installed must have no weight.

        Raises:
            ModelError: TL401, naming what differs.
        """
        known, given = self.weights, {feature.name for feature in features}
        families = {name.partition(".")[0] for name in known}
        missing = sorted(n for n, each in known.items() if n not in given and each.weight != 0)
        new = sorted(f.name for f in features if f.family in families and f.name not in known)
        problems = []
        if missing:
            problems.append(f"features the model needs are not measured: {_list(missing)}")
        if new:
            problems.append(f"features are measured that the model does not know: {_list(new)}")
        if problems:
            raise ModelError(
                f"model {self.name!r} does not fit the signals at hand; {'; '.join(problems)}",
                code="TL401",
                hint="install the signals it was fitted with, or fit anew with 'traceloc fit'",
            )

    def columns(self, features: Sequence[FeatureSpec]) -> tuple[Floats, float]:
        """Slope of each column in log-odds per unit of the raw feature, and the constant.

        Raises:
            ModelError: TL401, if the features differ from those of the model.
        """
        return _columns(_Same(self), _Same(features))

    def score(self, table: FeatureTable, *, system: str | None = None) -> Scores:
        """Score the candidates of a trace.

        Args:
            table: Measurements of the trace.
            system: Where it comes from, for what is known of that system alone.

        Raises:
            ModelError: TL401, if the table's features differ from those of the model.
        """
        slopes, constant = self.columns(table.features)
        scores = np.empty(len(table.candidates))
        for where, rows in table.blocks():
            scores[where] = rows @ slopes + constant
        scores = settle(scores)
        p_no_error = self.null.probability(
            summarize(
                self.null.needs,
                scores=scores,
                names=table.names,
                mean=lambda: table.candidate_mean,
                highest=table.candidate_max,
                run=table.run,
            ),
            system=system,
        )
        own = next((each for each in self.calibrations if each.system == system), None)
        tempered = scores if own is None else scores / own.temperature
        probabilities = softmax(tempered) * (1.0 - p_no_error)
        return Scores(scores, probabilities, p_no_error, rank(scores))

    def window(
        self, scores: Scores, *, system: str | None, coverage: float
    ) -> tuple[int, int, Coverage] | None:
        """First and last position of the window for a coverage, and the traces it rests on.

        Args:
            scores: What :meth:`score` gives.
            system: Where the trace comes from.
            coverage: Probability asked for, above 0 and below 1.

        Returns:
            ``None`` where the model has no held-out scores or there is no candidate.
        """
        known = choose_coverage(self.coverages, system)
        if known is None or not len(scores.probabilities):
            return None
        return *find_window(scores.probabilities, known.threshold(coverage)), known

    def silence(
        self, table: FeatureTable, scores: Scores, *, system: str | None = None
    ) -> Silence | None:
        """Why the model should blame no step, if it should not.

        Novelty comes first: a run unlike all others makes neither guilt nor innocence credible.
        """
        if self.doubt.far is not None and self.strangeness(table) > self.doubt.far:
            return "novel"
        level = self.null.level(system)
        limit = self.abstain_above if level is None else level.abstain_above
        if scores.p_no_error > limit:
            return "innocent"
        if self.doubt.flat is not None and evenness(scores.probabilities) > self.doubt.flat:
            return "ambiguous"
        return None

    def strangeness(self, table: FeatureTable) -> float:
        """Most log-odds that one candidate owes to values outside the fitted data."""
        slopes, _ = self.columns(table.features)
        weights = self.weights
        known = [weights.get(feature.name) for feature in table.features]
        low = np.array([-np.inf if w is None or w.low is None else w.low for w in known])
        high = np.array([np.inf if w is None or w.high is None else w.high for w in known])
        bounds = Bounds(low, high)
        blocks = (rows.astype(np.float64) for _, rows in table.blocks())
        return max((extrapolation(rows, slopes, bounds) for rows in blocks), default=0.0)

    def contributions(self, table: FeatureTable, positions: Sequence[int]) -> Floats:
        """What each feature adds to some candidates, against the mean candidate of the trace.

        Args:
            table: Measurements of the trace.
            positions: Positions among the candidates.

        Returns:
            Log-odds, shape ``(len(positions), n_features)``; a row sums to the candidate's score
            less the mean score of the trace.
        """
        slopes, _ = self.columns(table.features)
        rows = table.matrix[table.candidates[np.asarray(positions, dtype=np.int64)]]
        return np.asarray((rows - table.candidate_mean) * slopes, dtype=np.float64)

    def to_json(self) -> str:
        """The document as it stands on disk."""
        return self.model_dump_json(indent=1) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the model as JSON."""
        Path(path).write_text(self.to_json(), encoding="utf-8")


def settle(scores: Floats) -> Floats:
    """Scores without the last digits of their sums.

    The same measurements can sum to values some 1e-15 apart, depending on where in a block a row
    stands. Equal steps must have equal scores, or the earlier one would not win.
    """
    return np.round(scores, 9)


def softmax(scores: Floats) -> Floats:
    """Probabilities in proportion to ``exp(score)``; empty for no scores."""
    if not len(scores):
        return scores
    exp = np.exp(scores - scores.max())
    return np.asarray(exp / exp.sum(), dtype=np.float64)


def rank(scores: Floats) -> NDArray[np.int64]:
    """Positions by falling score; of equal scores the earlier position comes first."""
    return np.argsort(-scores, kind="stable")


class _Same:
    """Stands for one object in a cache: equal to itself alone, without a look inside."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value


@lru_cache(maxsize=8)
def _columns(model: _Same, features: _Same) -> tuple[Floats, float]:
    """See :meth:`RankingModel.columns`; a scan asks for the same ones with every trace."""
    known_model: RankingModel = model.value
    known_model.check(features.value)
    weights = known_model.weights
    slopes, constant = np.zeros(len(features.value)), 0.0
    for column, feature in enumerate(features.value):
        known = weights.get(feature.name)
        if known is not None:
            slopes[column] = known.weight / known.scale / known_model.temperature
            constant -= slopes[column] * known.mean
        else:
            slopes[column] = feature.prior / known_model.temperature
    slopes.flags.writeable = False
    return slopes, constant


def load_model(path: str | Path | None = None) -> RankingModel:
    """Read a model from a file, or the shipped one.

    Raises:
        ModelError: TL402 if there is none, TL403 if it is no valid model document.
    """
    where = str(path) if path is not None else "the shipped ranking model"
    location = Location(str(path)) if path is not None else None
    try:
        if path is not None:
            text = Path(path).read_text(encoding="utf-8")
        else:
            text = resources.files("traceloc.ranking").joinpath("weights.json").read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{where} cannot be read: {error}",
            code="TL402",
            hint="fit one with 'traceloc fit PATHS --out model.json'",
        ) from error
    try:
        return RankingModel.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise ModelError(
            f"is no valid ranking model: {at}: {first['msg']}",
            code="TL403",
            location=location,
            hint=f"this traceloc reads schema_version {MODEL_SCHEMA_VERSION}",
        ) from error


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
