"""When a model shows percentages, and when it says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from traceloc.ranking.abstention import (
    REASONS,
    Bounds,
    DoubtLimits,
    evenness,
    extrapolation,
    learn_limits,
)
from traceloc.ranking.calibration import (
    MAX_ECE,
    MIN_GROUPS,
    MIN_LABELS,
    SystemCalibration,
    calibrate_systems,
    reliability,
)
from traceloc.ranking.fit import FitOptions, fit_model
from traceloc.ranking.fit_null import OWN_RUNS, TERMS, fit_null
from traceloc.ranking.model import FeatureWeight, RankingModel
from traceloc.ranking.null import NullModel, SummaryWeight
from traceloc.ranking.table import FeatureSpec, FeatureTable


def table_of(*rows):
    places = np.arange(len(rows))
    matrix = np.array(rows, dtype=np.float32).reshape(len(rows), 1)
    return FeatureTable(matrix, (FeatureSpec("a.f0", "shared", 0),), places, places)


def test_a_system_with_enough_labels_gets_its_temperature_and_is_calibrated(simulate):
    examples = simulate([2.0], traces=400)
    truth = [each.features[:, 0] * 2.0 for each in examples]
    (found,) = calibrate_systems(examples, [3.0 * scores for scores in truth])
    assert found.temperature == pytest.approx(3.0, rel=0.25)
    assert found.acceptable and found.ece < MAX_ECE
    assert (found.labels, found.groups) == (400, 400)


def test_too_few_labels_or_groups_and_nothing_is_said(simulate):
    few = simulate([2.0], traces=MIN_LABELS - 1)
    assert calibrate_systems(few, [each.features[:, 0] for each in few]) == ()
    alike = [
        replace(each, group=f"g{i % (MIN_GROUPS - 1)}")
        for i, each in enumerate(simulate([2.0], traces=80))
    ]
    assert calibrate_systems(alike, [each.features[:, 0] for each in alike]) == ()


def test_a_large_held_out_error_is_not_acceptable():
    bad = SystemCalibration(system="s", labels=500, groups=500, ece=MAX_ECE + 0.01)
    assert not bad.acceptable
    assert not SystemCalibration(system="s", labels=500, groups=MIN_GROUPS - 1, ece=0).acceptable


def test_a_fit_says_which_systems_are_calibrated(simulate, specs):
    examples = simulate([2.0, 0.0], traces=150) + simulate([2.0, 0.0], traces=10, system="few")
    model = fit_model(examples, specs(2))
    assert model.calibrated_systems == ("s",)
    assert [(each.system, each.n) for each in model.coverages] == [(None, 160), ("s", 150)]
    again = RankingModel.model_validate_json(model.to_json())
    assert again == model


def test_a_few_labels_keep_the_windows_of_the_prior_and_drop_its_percentages(simulate, specs):
    prior = fit_model(simulate([2.0, 0.0], traces=150), specs(2))
    model = fit_model(simulate([2.0, 0.0], traces=10, seed=1), specs(2), prior=prior)
    assert model.coverages == prior.coverages and model.doubt == prior.doubt
    assert model.calibrated_systems == () == model.calibrations
    assert model.shared[0].high == prior.shared[0].high


def test_the_own_temperature_changes_probabilities_and_no_rank():
    weight = FeatureWeight(name="a.f0", weight=1.0)
    own = SystemCalibration(system="s", temperature=4.0, labels=50, groups=50, ece=0.05)
    model = RankingModel(name="m", shared=(weight,), calibrations=(own,))
    table = table_of(0.0, 1.0, 3.0)
    general, special = model.score(table), model.score(table, system="s")
    assert special.order.tolist() == general.order.tolist()
    assert special.probabilities.max() < general.probabilities.max()
    assert special.scores.tolist() == general.scores.tolist()


def test_evenness_and_extrapolation():
    assert evenness(np.full(8, 0.05)) == pytest.approx(1.0)
    assert evenness(np.array([1.0, 0, 0, 0])) == 0.0
    assert evenness(np.full(3, 1 / 3)) == 0.0
    bounds = Bounds(np.array([0.0, -np.inf]), np.array([1.0, np.inf]))
    rows = np.array([[0.5, 9.0], [3.0, 0.0], [-0.5, 0.0]])
    assert extrapolation(rows, np.array([-2.0, 1.0]), bounds) == pytest.approx(4.0)
    assert extrapolation(rows[:0], np.ones(2), bounds) == 0.0
    assert learn_limits([], []) == DoubtLimits()


def test_each_reason_for_silence_has_words_of_its_own():
    weight = FeatureWeight(name="a.f0", weight=1.0, low=0.0, high=1.0)
    model = RankingModel(name="m", shared=(weight,), doubt=DoubtLimits(flat=0.99, far=2.0))
    cases = {
        "ambiguous": table_of(0.5, 0.5, 0.5, 0.5),
        "novel": table_of(0.0, 0.0, 0.0, 9.0),
        None: table_of(0.0, 0.0, 0.0, 2.5),
    }
    for wanted, table in cases.items():
        assert model.silence(table, model.score(table)) == wanted
    innocent = model.model_copy(update={"null": NullModel(bias=3.0)})
    located = cases[None]
    assert innocent.silence(located, innocent.score(located)) == "innocent"
    assert innocent.silence(cases["novel"], innocent.score(cases["novel"])) == "novel"
    assert len(set(REASONS.values())) == 3
    assert REASONS["innocent"].startswith("nothing found")
    assert REASONS["novel"].startswith("could not tell") and "could not" in REASONS["ambiguous"]


def test_a_model_of_which_nothing_is_known_doubts_nothing():
    model = RankingModel(name="m", shared=(FeatureWeight(name="a.f0", weight=1.0),))
    table = table_of(0.0, 0.0, 0.0, 0.0, 1e9)
    assert model.silence(table, model.score(table)) is None
    assert model.window(model.score(table), system=None, coverage=0.9) is None


def test_most_failed_runs_a_model_learned_from_are_not_doubted(simulate, specs):
    examples = simulate([1.0, 0.5], traces=200)
    model = fit_model(examples, specs(2), options=FitOptions(l2=1.0))
    doubted = 0
    for each in examples:
        rows = np.arange(len(each.features))
        table = FeatureTable(each.features, specs(2), rows, rows)
        doubted += model.silence(table, model.score(table)) is not None
    assert doubted <= 0.05 * len(examples)


def innocent_and_guilty(simulate, *, systems, passed=30, failed=30, shift=0.0):
    """Passed runs are shorter; each system has its own usual length."""
    found = []
    for number, system in enumerate(systems):
        for i, each in enumerate(
            simulate([1.0], traces=passed + failed, system=system, seed=number)
        ):
            good = i < passed
            words = 5.0 + shift * number + (0.0 if good else 1.0) + 0.3 * np.sin(i)
            found.append(
                replace(
                    each,
                    target=each.target * (not good),
                    passed=good,
                    run={"run.words": float(words), "answer.denies": float(good and i % 2)},
                )
            )
    return found


def test_passed_runs_are_told_by_measures_of_the_run_and_only_as_theory_allows(simulate):
    examples = innocent_and_guilty(simulate, systems=["a", "b"])
    scores = [np.zeros(len(each.features)) for each in examples]
    found = fit_null(examples, scores, missed=0.1)
    terms = {term.name: term.weight for term in found.null.terms}
    signs = dict(TERMS)
    assert terms["run.words"] < 0
    assert "answer.denies" not in terms, "it spoke for innocence, which no denial may"
    assert all(weight * signs[name] > 0 for name, weight in terms.items())


def test_systems_with_both_outcomes_have_a_level_of_their_own(simulate):
    examples = innocent_and_guilty(simulate, systems=["a", "b"], shift=5.0)
    examples += innocent_and_guilty(simulate, systems=["c"], passed=OWN_RUNS - 1)
    scores = [np.zeros(len(each.features)) for each in examples]
    null = fit_null(examples, scores, missed=0.1).null
    assert [level.system for level in null.levels] == ["a", "b"]
    long, short = null.level("b"), null.level("a")
    assert long.bias > short.bias and null.level("c") is None
    typical = {"a": 5.5, "b": 10.5}
    for system, words in typical.items():
        summaries = {term.name: 0.0 for term in null.terms} | {"run.words": words}
        assert null.probability(summaries, system=system) == pytest.approx(0.5, abs=0.2)


def test_without_passed_runs_nothing_is_innocent(simulate):
    failed = simulate([1.0], traces=20)
    assert fit_null(failed, [np.zeros(len(e.features)) for e in failed], missed=0.1) == (
        NullModel(),
        0.5,
    )


def test_points_of_a_reliability_diagram():
    points = reliability(np.array([0.15, 0.19, 0.9]), np.array([0.0, 1.0, 1.0]))
    assert [tuple(round(x, 3) for x in point) for point in points] == [
        (0.17, 0.5, 0.667),
        (0.9, 1.0, 0.333),
    ]


def test_a_measure_of_another_version_says_nothing():
    term = SummaryWeight(name="run.of_yesterday", weight=9.0, mean=-3.0)
    model = RankingModel(name="m", null=NullModel(bias=0.5, terms=(term,)))
    assert model.score(table_of(0.0)).p_no_error == pytest.approx(1 / (1 + np.exp(-0.5)))
