from __future__ import annotations

import numpy as np
import pytest

from traceloc.errors import ModelError
from traceloc.ranking.model import FeatureWeight, RankingModel, load_model, rank
from traceloc.ranking.null import NullModel, SummaryWeight
from traceloc.ranking.table import FeatureSpec, FeatureTable


def model_of(*weights, **fields):
    shared = tuple(
        FeatureWeight(name=name, weight=weight, mean=0.5, scale=2.0) for name, weight in weights
    )
    return RankingModel(name="m", shared=shared, **fields)


def table_of(matrix, *names):
    rows = np.arange(len(matrix))
    features = tuple(FeatureSpec(name, "shared", 0) for name in names)
    return FeatureTable(np.array(matrix, dtype=np.float32), features, rows, rows)


def test_a_score_is_the_sum_of_its_parts():
    model = model_of(("a.x", 3.0), ("a.y", -1.0), temperature=2.0)
    table = table_of([[1, 0], [0, 4], [2, 2]], "a.x", "a.y")
    found = model.score(table)
    wanted = [(3 * (x - 0.5) - (y - 0.5)) / 2 / 2 for x, y in table.matrix]
    assert found.scores == pytest.approx(wanted)
    assert found.probabilities.sum() == pytest.approx(1.0)
    contributions = model.contributions(table, [0, 1, 2])
    assert contributions.sum(axis=1) == pytest.approx(found.scores - found.scores.mean())
    assert contributions.sum(axis=0) == pytest.approx([0, 0])


def test_of_equal_scores_the_earlier_step_is_first():
    assert rank(np.array([1.0, 2.0, 2.0, 1.0])).tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize("n", [2, 3, 5, 17, 64, 1001])
def test_equal_measurements_are_equal_scores_wherever_they_stand(n):
    random = np.random.default_rng(n)
    names = [f"a.f{i}" for i in range(97)]
    model = model_of(*((name, float(random.normal())) for name in names))
    row = random.normal(size=97)
    found = model.score(table_of([row] * n, *names))
    assert len(set(found.scores.tolist())) == 1
    assert found.order.tolist() == list(range(n))


def test_the_null_candidate_takes_its_share_of_the_softmax():
    term = SummaryWeight(name="score.max", weight=-1.0)
    model = model_of(("a.x", 2.0), null=NullModel(bias=0.3, terms=(term,)))
    found = model.score(table_of([[0.5], [1.5]], "a.x"))
    null = np.log(np.exp(found.scores).sum()) + 0.3 - found.scores.max()
    everything = np.exp([null, *found.scores])
    assert found.p_no_error == pytest.approx(everything[0] / everything.sum())
    assert found.probabilities == pytest.approx(everything[1:] / everything.sum())


def test_summaries_of_features():
    terms = (SummaryWeight(name="max:a.x", weight=1.0), SummaryWeight(name="mean:a.x", weight=1.0))
    null = NullModel(bias=0.0, terms=terms)
    found = model_of(("a.x", 1.0), null=null).score(table_of([[0], [1], [2]], "a.x"))
    assert found.p_no_error == pytest.approx(1 / (1 + np.exp(-3)))


def test_no_candidates_no_scores():
    found = model_of(("a.x", 1.0)).score(table_of(np.zeros((0, 1)), "a.x"))
    assert (len(found.scores), len(found.probabilities), len(found.order)) == (0, 0, 0)


def test_json_round_trip_is_exact(tmp_path):
    model = model_of(("a.x", 0.1234567), null=NullModel(bias=-2.0))
    model.save(tmp_path / "m.json")
    assert load_model(tmp_path / "m.json") == model
    assert load_model(tmp_path / "m.json").to_json() == model.to_json()


def test_a_model_of_other_features_is_refused_and_named():
    with pytest.raises(ModelError) as raised:
        model_of(("a.x", 1.0), ("b.gone", 0.5)).check([FeatureSpec("a.x", "shared", 0)])
    assert raised.value.code == "TL401"
    assert "'b.gone'" in str(raised.value)
    assert "'a.x'" not in str(raised.value)


def test_a_known_signal_with_a_new_feature_is_refused():
    features = [FeatureSpec("a.x", "shared", 0), FeatureSpec("a.new", "shared", 0)]
    with pytest.raises(ModelError, match=r"does not know: 'a\.new'"):
        model_of(("a.x", 1.0)).check(features)


def test_a_missing_signal_without_weight_and_an_unknown_one_are_tolerated():
    model = model_of(("a.x", 1.0), ("gone.y", 0.0))
    found = model.score(table_of([[0, 5], [1, 0]], "a.x", "stranger.z"))
    assert found.order.tolist() == [1, 0]


def test_long_lists_of_differences_are_cut():
    with pytest.raises(ModelError, match="and 4 more"):
        model_of(*((f"a.f{i}", 1.0) for i in range(9))).check([])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TL403"),
        ("[]", "TL403"),
        ('{"name": "m", "schema_version": 2}', "TL403"),
        ('{"name": "m", "shared": [{"name": "a.x", "weight": 1, "scale": 0}]}', "TL403"),
    ],
)
def test_a_file_that_is_no_model_is_an_error(tmp_path, text, code):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ModelError) as raised:
        load_model(tmp_path / "m.json")
    assert raised.value.code == code


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ModelError) as raised:
        load_model(tmp_path / "none.json")
    assert raised.value.code == "TL402"
