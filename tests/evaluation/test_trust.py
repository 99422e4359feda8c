"""Windows, silence, misses and the picture of an evaluation."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from traceloc.errors import UsageError
from traceloc.evaluation import draw_evaluation, evaluate, render
from traceloc.evaluation.metrics import f1_of_silence, score_item, score_window
from traceloc.evaluation.protocols import arrival
from traceloc.evaluation.statistics import bootstrap_auc
from traceloc.ranking.fit import FitOptions


def noisy(i, j):
    """Errors say 'wrong', and so do some steps that are none."""
    return f"run {i} step {j}" + " wrong" * (j == 1 + i % 4 or (i * 7 + j * 3) % 5 == 0)


def test_windows_are_reported_with_coverage_and_size(make_folder, word_signal):
    folder = make_folder("d", traces=60, texts=noisy)
    found = evaluate([folder], signals=[word_signal], seeds=2, coverage=0.8)
    (window,) = found.windows
    assert (window.asked, window.n) == (0.8, 60)
    assert 0.7 <= window.covered <= 0.97 and window.low < window.covered < window.high
    assert 1 <= window.median_steps <= 6 and 0 < window.median_share <= 1
    row = next(r for r in found.rows if r.method == "traceloc")
    assert row.metrics["covered"] == pytest.approx(window.covered)
    rule = next(r for r in found.rows if r.method == "uniform")
    assert rule.metrics["covered"] is None
    assert "held" in render(found)


def test_sets_with_the_same_traces_count_once_in_windows(make_folder, word_signal):
    texts = lambda i, j: f"the very same long text of run {i} and of its step {j}, " * 3  # noqa: E731
    paths = [make_folder(name, traces=30, texts=texts) for name in ("a", "b")]
    found = evaluate(paths, signals=[word_signal], seeds=1)
    assert found.windows[0].n == 30


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1.0, 7.0])
def test_a_coverage_that_is_none_is_refused(make_folder, word_signal, coverage):
    with pytest.raises(UsageError, match="coverage"):
        evaluate([make_folder("d")], signals=[word_signal], coverage=coverage)


def test_the_metrics_of_a_window():
    facts = {"native": [0, 2, 4, 6], "labels": frozenset({4})}
    base = score_item(np.zeros(4), agents="abab", blamed_agents=frozenset("a"), **facts)
    assert np.isnan(base.covered)
    inside, outside = score_window(base, (1, 2), **facts), score_window(base, (0, 1), **facts)
    assert (inside.covered, inside.set_steps, inside.set_share) == (1.0, 2.0, 0.5)
    assert outside.covered == 0.0


def test_f1_of_silence_is_that_of_processbench():
    hit, silent = np.array([1.0, 0.0]), np.array([1.0, 1.0, 1.0, 0.0])
    assert f1_of_silence(hit, silent) == pytest.approx(2 * 0.5 * 0.75 / 1.25)
    assert f1_of_silence(np.zeros(3), np.zeros(2)) == 0.0
    assert np.isnan(f1_of_silence(hit, np.zeros(0)))


def test_intervals_of_an_area_against_one_drawn_by_hand():
    random = np.random.default_rng(0)
    positive = random.random(60) < 0.5
    scores = random.normal(size=60) + positive
    groups = [f"g{i // 3}" for i in range(60)]
    found = bootstrap_auc(scores, positive, groups, resamples=400)
    draws = np.random.default_rng(0)
    names = sorted(set(groups))
    areas = []
    for _ in range(400):
        drawn = draws.integers(0, len(names), len(names))
        chosen = [i for g in drawn for i in range(60) if groups[i] == names[g]]
        s, y = scores[chosen], positive[chosen]
        areas.append(np.mean(s[y][:, None] > s[~y][None, :]))
    assert found == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])), abs=1e-9)
    assert bootstrap_auc([0.1, 0.2], [True, True], ["a", "b"]) == (0.0, 1.0)


def test_passed_runs_are_accused_or_not(make_folder, word_signal):
    folder = make_folder(
        "d",
        traces=80,
        texts=lambda i, j: (
            f"run {i} step {j} " * (4 if i % 2 else 1) + " wrong" * (i % 2 and j == 1 + i % 4)
        ),
        rows=lambda i, row: row if i % 2 else row | {"step": None, "outcome": "passed"},
    )
    found = evaluate([folder], signals=[word_signal], seeds=1, options=FitOptions(l2=1.0))
    row = next(r for r in found.rows if r.method == "traceloc")
    assert (row.silence.passed, row.silence.failed) == (40, 40)
    assert row.silence.silent_on_passed > 0.8 and row.silence.silent_on_failed < 0.3
    assert row.silence.f1 > 0.7
    low, high = row.auc_interval
    assert low <= row.auc <= high
    assert "runs that passed against runs that failed" in render(found)


def test_sets_of_outcomes_alone_are_judged_too(make_folder, word_signal):
    outcome = lambda i, row: row | {"step": None, "outcome": ["passed", "failed"][i % 2]}  # noqa: E731
    paths = [make_folder("labelled"), make_folder("plain", rows=outcome)]
    found = evaluate(paths, signals=[word_signal], protocol="loso")
    row = next(r for r in found.rows if r.dataset == "plain")
    assert row.n == 0 and row.silence.hit_on_failed is None and row.silence.f1 is None
    assert "plain" in render(found)


def test_misses_say_what_misled(make_folder, word_signal):
    folder = make_folder("d", traces=20, texts=noisy)
    found = evaluate([folder], signals=[word_signal], seeds=2, explain=True)
    assert 0 < len(found.misses) <= 5
    worst = found.misses[0]
    assert worst.blamed != worst.labelled and worst.rank > 1
    assert [m.log_odds for m in found.misses] == sorted(
        (m.log_odds for m in found.misses), reverse=True
    )
    assert all(term.contribution > 0 and term.claim for term in worst.misled)
    assert "worst misses" in render(found, "markdown")
    assert evaluate([folder], signals=[word_signal], seeds=1).misses == ()


def test_a_miss_whose_label_is_no_candidate(make_folder, word_signal):
    folder = make_folder("d", rows=lambda i, row: row | {"step": 99} if i == 0 else row)
    found = evaluate([folder], signals=[word_signal], seeds=1, explain=True)
    assert any(m.rank is None and m.labelled == -1 for m in found.misses)
    assert "no candidate" in render(found)


def test_in_arrival_order_each_trace_is_asked_before_it_is_learned(prepared):
    items = [prepared(i, group=f"q{i // 2}") for i in range(30)] + [
        prepared(i, dataset="other") for i in range(30, 40)
    ]
    for seed in range(20):
        splits = [s for s in arrival(items, seed=seed) if items[s.test[0]].dataset == "d"]
        assert sorted(s.test[0] for s in splits) == list(range(30))
        came = []
        for split in splits:
            assert set(split.train) <= set(came)
            assert items[split.test[0]].group not in {items[i].group for i in split.train}
            assert {items[i].dataset for i in split.prior} == {"other"}
            came.append(split.test[0])
        assert [len(s.train) for s in splits[:2]] in ([0, 1], [0, 0])
        assert len(splits[-1].train) >= 24
        tags = list(dict.fromkeys(s.tag for s in splits))
        assert tags == [f"from {n} labels on" for n in (0, 5, 10, 20)]
    orders = {tuple(s.test for s in arrival(items, seed=seed)) for seed in range(5)}
    assert len(orders) == 5


def test_where_runs_say_when_they_began_that_is_the_order(prepared):
    from dataclasses import replace

    items = [replace(prepared(i), begun=float(-i)) for i in range(8)]
    for seed in range(3):
        assert [s.test[0] for s in arrival(items, seed=seed)] == list(range(8))[::-1]


def test_learning_in_arrival_order(make_folder, word_signal):
    paths = [make_folder("left"), make_folder("right")]
    found = evaluate(paths, signals=[word_signal], protocol="arrival", seeds=2)
    assert found.seeds == (0, 1)
    rows = [r for r in found.rows if r.dataset == "left" and r.method.startswith("traceloc")]
    assert [r.method for r in rows] == [f"traceloc, from {n} labels on" for n in (0, 5, 10)]


@pytest.mark.parametrize("protocol", ["kfold", "fewshot"])
def test_the_picture_is_well_formed_and_repeats(make_folder, word_signal, protocol):
    paths = [make_folder("left<&>"), make_folder("right")]
    found = evaluate(paths, signals=[word_signal], protocol=protocol, seeds=1, labels=(0, 5))
    drawn = draw_evaluation(found)
    root = ElementTree.fromstring(drawn)
    words = [each.text for each in root.iter() if each.text]
    assert "left<&>" in words
    wanted = {"kfold": "first k", "fewshot": "labels learned"}[protocol]
    assert any(wanted in word for word in words)
    assert drawn == draw_evaluation(found)
    assert (
        ElementTree.fromstring(draw_evaluation(found.model_copy(update={"rows": ()}))) is not None
    )
