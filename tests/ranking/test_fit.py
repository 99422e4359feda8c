from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from traceloc.errors import ModelError
from traceloc.ranking.fit import (
    Example,
    FitOptions,
    balance_weights,
    fit_model,
    fit_temperature,
    make_folds,
    spread,
)
from traceloc.ranking.model import softmax

TRUE = [2.0, -1.0, 0.0, 0.5]


def slopes(model):
    """Log-odds per unit of the raw feature, before the temperature."""
    return np.array([each.weight / each.scale for each in (*model.shared, *model.system)])


def test_known_weights_are_found_again(simulate, specs):
    model = fit_model(simulate(TRUE, traces=2000), specs(4), options=FitOptions(l2=1.0))
    assert slopes(model) / model.temperature == pytest.approx(TRUE, abs=0.15)
    assert model.temperature == pytest.approx(1.0, abs=0.1)


def test_no_data_gives_the_prior(simulate, specs):
    prior = fit_model(simulate(TRUE, traces=50), specs(4), name="prior")
    unlabelled = [replace(e, target=np.zeros_like(e.target)) for e in simulate(TRUE, traces=5)]
    for examples in ([], unlabelled):
        found = fit_model(examples, specs(4), prior=prior, name="new")
        assert (found.name, found.shared) == ("new", prior.shared)


def test_no_data_and_no_prior_is_an_error(specs):
    with pytest.raises(ModelError, match="none of 0 traces has a label") as raised:
        fit_model([], specs(2))
    assert raised.value.code == "TL404"


def test_a_few_contrary_labels_cannot_wreck_a_prior_and_many_wash_it_out(simulate, specs):
    prior = fit_model(simulate([2.0, 0.0], traces=500), specs(2), options=FitOptions(l2=1.0))
    contrary = simulate([-2.0, 0.0], traces=800, seed=1)
    one = fit_model(contrary[:1], specs(2), prior=prior)
    many = fit_model(contrary, specs(2), prior=prior)
    assert slopes(one)[0] > 1.0
    assert slopes(many)[0] / many.temperature < -1.5


def test_the_strength_is_chosen_by_what_is_held_out(simulate, specs):
    noise = fit_model(simulate([0.0] * 6, traces=30), specs(6))
    clear = fit_model(simulate([3.0] + [0.0] * 5, traces=300), specs(6))
    assert noise.provenance.l2 >= 100.0
    assert clear.provenance.l2 <= 10.0


def test_the_same_examples_give_the_same_bytes(simulate, specs):
    examples = simulate(TRUE, traces=40) + simulate(TRUE, traces=20, seed=3, system="u")
    examples += [replace(e, target=e.target * 0, passed=True) for e in simulate(TRUE, traces=9)]
    first, second = (fit_model(examples, specs(2, system=2)).to_json() for _ in range(2))
    assert first == second


def test_systems_count_the_same_however_many_traces_they_have(simulate, specs):
    many = simulate([2.0], traces=400, system="many")
    few = simulate([-2.0], traces=40, system="few", seed=1)
    weights = balance_weights(many + few, 1.0)
    assert weights.sum() == pytest.approx(440)
    assert weights[:400].sum() == pytest.approx(weights[400:].sum())
    balanced = fit_model(many + few, specs(1), options=FitOptions(l2=1.0))
    pooled = fit_model(many + few, specs(1), options=FitOptions(l2=1.0, balance=0.0))
    assert abs(slopes(balanced)[0]) < 0.3 < slopes(pooled)[0]


def test_habits_are_learned_from_one_system_and_held_where_several_are_pooled(simulate, specs):
    left = simulate([1.0, 3.0], traces=300, system="left")
    right = simulate([1.0, 3.0], traces=300, system="right", seed=1)
    options = FitOptions(l2=1.0)
    own = fit_model(left, specs(1, system=1), options=options)
    pooled = fit_model(left + right, specs(1, system=1), options=options)
    assert own.system[0].weight > 1.0
    assert abs(pooled.system[0].weight) < 0.3
    held = fit_model(left, specs(1, system=1), options=FitOptions(l2=1.0, system_l2=1e6))
    assert abs(held.system[0].weight) < 0.1


def test_several_labels_share_a_trace(specs):
    features = np.array([[0.0], [1.0], [1.0]], dtype=np.float32)
    examples = [Example(features, np.array([0.0, 0.5, 0.5]), "s", str(i), False) for i in range(50)]
    assert slopes(fit_model(examples, specs(1), options=FitOptions(l2=1.0)))[0] > 1.0


def test_signs_bind_unless_told_otherwise(simulate, specs):
    examples = simulate([-2.0], traces=100)
    assert slopes(fit_model(examples, specs(1, sign=1)))[0] == 0.0
    assert slopes(fit_model(examples, specs(1, sign=1), options=FitOptions(signs=False)))[0] < -1


def test_a_group_is_never_on_two_sides(simulate):
    examples = [replace(e, group=f"g{i % 7}") for i, e in enumerate(simulate(TRUE, traces=40))]
    folds = make_folds(examples, FitOptions(folds=3))
    assert sorted(i for fold in folds for i in fold) == list(range(40))
    sides = [{examples[i].group for i in fold} for fold in folds]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]


def test_a_single_group_cannot_be_held_out(simulate, specs):
    examples = [replace(e, group="g") for e in simulate(TRUE, traces=5)]
    assert make_folds(examples, FitOptions()) == []
    assert fit_model(examples, specs(4)).provenance.l2 == FitOptions().fallback_l2


def test_whole_systems_are_held_out_where_asked(simulate):
    examples = [e for s in "abc" for e in simulate(TRUE, traces=3, system=s)]
    examples.append(replace(examples[0], system="d", target=examples[0].target * 0))
    folds = make_folds(examples, FitOptions())
    assert folds == [[0, 1, 2, 9], [3, 4, 5], [6, 7, 8]]


def test_a_feature_that_never_differs_has_a_scale(simulate, specs):
    examples = simulate([1.0, 0.0], traces=20)
    for each in examples:
        each.features[:, 1] = 7.0
    assert spread(examples, np.ones(20))[1][1] == 1.0
    assert slopes(fit_model(examples, specs(2)))[1] == 0.0


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_temperature_undoes_over_and_under_confidence(simulate, factor):
    examples = simulate([1.0], traces=2000)
    scores = [factor * e.features[:, 0].astype(float) for e in examples]
    found = fit_temperature(scores, [e.target for e in examples], np.ones(len(examples)))
    assert found == pytest.approx(factor, rel=0.1)


def test_innocence_is_learned_from_runs_that_passed(simulate, specs):
    """Failed runs hold one step that stands out; passed runs hold none."""
    random = np.random.default_rng(0)
    examples = []
    for i in range(120):
        features = random.normal(size=(10, 3)).astype(np.float32) / 2
        target = np.zeros(10)
        if i % 2:
            features[i % 10, 0] += 4.0
            target[i % 10] = 1.0
        examples.append(Example(features, target, "s", f"g{i}", i % 2 == 0))
    model = fit_model(examples, specs(3))
    assert model.null.bias is not None
    p = [_p_no_error(model, specs(3), each) for each in examples]
    assert np.mean(p[::2]) > 0.7 > 0.3 > np.mean(p[1::2])


def _p_no_error(model, features, example):
    from traceloc.ranking.table import FeatureTable

    rows = np.arange(len(example.features))
    table = FeatureTable(example.features, features, rows, rows)
    scores = model.score(table)
    assert scores.probabilities.sum() == pytest.approx(1 - scores.p_no_error)
    assert scores.probabilities == pytest.approx(softmax(scores.scores) * (1 - scores.p_no_error))
    return scores.p_no_error


def test_without_passed_runs_it_never_abstains(simulate, specs):
    model = fit_model(simulate(TRUE, traces=20), specs(4))
    assert model.null.bias is None
    assert _p_no_error(model, specs(4), simulate(TRUE, traces=1)[0]) == 0.0


def test_silence_may_miss_no_more_failed_runs_than_asked(simulate, specs):
    """Where passed and failed runs look alike, the bar for silence is high."""
    failed = simulate([0.5, 0.0], traces=60)
    passed = [
        replace(e, target=e.target * 0, passed=True, group=f"p{i}")
        for i, e in enumerate(simulate([0.5, 0.0], traces=60, seed=1))
    ]
    model = fit_model(failed + passed, specs(2), options=FitOptions(missed=0.1))
    silent = [_p_no_error(model, specs(2), each) > model.abstain_above for each in failed]
    assert np.mean(silent) <= 0.2
