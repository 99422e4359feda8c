from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_samples import FakeJudge, judge_trace, make_panel, rank, verdict

from traceloc import Trace
from traceloc.judging.agreement import weigh_judges
from traceloc.judging.cache import AnswerCache, Vote
from traceloc.judging.combining import (
    DEFAULT_LOGIT,
    Example,
    Weights,
    example_of,
    fit_weights,
)
from traceloc.labels.recording import record_answer
from traceloc.labels.store import LabelStore


def examples(n: int, *, right: float, size: int = 10, seed: int = 0) -> list[Example]:
    """Traces whose ranker is calibrated, and a judge that is right so often."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        p = rng.dirichlet(np.full(size, 0.4))
        gold = rng.choice(size, p=p)
        wrong = [i for i in range(size) if i != gold]
        named = gold if rng.random() < right else rng.choice(wrong)
        share, truth = np.zeros(size + 1), np.zeros(size + 1)
        share[named] = truth[gold] = 1.0
        found.append(Example(np.log(np.maximum([*p, 1e-6], 1e-9)), share, truth))
    return found


def accuracy(weights: Weights, cases: list[Example]) -> float:
    hits = []
    for case in cases:
        scores = weights.ranker * case.log_p + case.share * weights.of_vote(len(case.share))
        hits.append(case.right[int(np.argmax(scores))])
    return float(np.mean(hits))


def test_without_labels_the_default_counts() -> None:
    assert fit_weights([]) == Weights(1.0, DEFAULT_LOGIT, 0)


@pytest.mark.parametrize("right", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_what_is_fitted_is_no_worse_than_the_better_of_both(right: float) -> None:
    weights = fit_weights(examples(200, right=right))
    cases = examples(3000, right=right, seed=1)
    ranker = accuracy(Weights(1.0, -1e9), cases)
    judge = float(np.mean([case.right[int(np.argmax(case.share))] for case in cases]))
    assert accuracy(weights, cases) >= max(ranker, judge) - 0.01


def test_twenty_labels_silence_a_judge_that_is_always_wrong() -> None:
    weights = fit_weights(examples(20, right=0.0))
    cases = examples(3000, right=0.0, seed=1)
    ranker = accuracy(Weights(1.0, -1e9), cases)
    assert accuracy(weights, cases) >= ranker - 0.03
    assert accuracy(Weights(), cases) < ranker - 0.03  # or there would be nothing to silence


def test_a_better_judge_counts_more() -> None:
    logits = [fit_weights(examples(300, right=right)).logit for right in (0.1, 0.5, 0.9)]
    assert logits == sorted(logits) and logits[0] < DEFAULT_LOGIT < logits[2]


@given(st.integers(1, 30), st.floats(0, 1))
def test_a_fit_always_ends_with_numbers(n: int, right: float) -> None:
    weights = fit_weights(examples(n, right=right, size=4))
    assert np.isfinite(weights).all() and weights.ranker > 0


def test_a_vote_without_its_label_among_the_candidates_teaches_nothing() -> None:
    vote = Vote({3: 1.0}, 0.0, (1, 3, 5), (0.2, 0.5, 0.3))
    assert example_of(vote, [7]) is None
    found = example_of(vote, [5])
    assert found is not None and found.right.tolist() == [0, 0, 1, 0]
    assert found.share.tolist() == [0, 1, 0, 0]


def test_judges_are_weighed_by_what_people_confirmed(trip: Trace, tmp_path: Path) -> None:
    cache, labels = AnswerCache(tmp_path / "judge.db"), LabelStore(tmp_path / "labels.db")
    judge = FakeJudge(lambda prompt: verdict(1))
    for i in range(6):
        steps = (*trip.steps[:-1], trip.steps[-1].model_copy(update={"text": f"Run {i}."}))
        trace = trip.model_copy(update={"steps": steps, "id": f"t{i}"})
        judge_trace(make_panel(judge, cache=cache), trace)
        record_answer(labels, "confirm", trace, 3, signals=())
    kept = cache.votes(judge="fake", strategy="candidates")
    assert len(kept) == 6
    weights = weigh_judges(["fake", "new"], strategy="candidates", cache=cache, labels=labels)
    assert weights["fake"].fitted == 6 and weights["fake"].logit < DEFAULT_LOGIT
    assert weights["new"] == Weights()
    other = weigh_judges(["fake"], strategy="verify", cache=cache, labels=labels)
    assert other["fake"].fitted == 0
    trusted = judge_trace(make_panel(judge), trip)
    distrusted = judge_trace(make_panel(judge, weights=weights), trip)
    chance = {a.judgement.fitted: _chance(a, 1) for a in (trusted, distrusted) if a.judgement}
    assert chance[6] < chance[0]


def _chance(attribution, step: int) -> float:
    return next(c.probability for c in attribution.candidates if c.step == step)


def test_the_first_vote_stays(trip: Trace, tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "judge.db")
    judge_trace(make_panel(FakeJudge(lambda p: verdict(1)), cache=cache), trip)
    judge_trace(make_panel(FakeJudge(lambda p: verdict(5)), cache=cache, temperature=1.0), trip)
    (vote,) = cache.votes(judge="fake", strategy="candidates").values()
    assert vote.named == {1: 1.0}
    assert vote.native == tuple(c.native_index for c in rank(trip).candidates)


def test_a_step_beyond_the_candidates_joins_them(talk) -> None:
    trace = talk(
        ("user", "Count the lamps."),
        ("Boss", "Desk, count them.", {"to": ("Desk",)}),
        ("Desk", "I assume there are 12."),
        ("Clerk", "Twelve."),
    )
    attribution = rank(trace)
    fewer = attribution.model_copy(update={"candidates": attribution.candidates[:1]})
    named = next(c.step for c in attribution.candidates[1:])
    panel = make_panel(FakeJudge(lambda p: verdict(named)), strategy="all-at-once")
    answer = judge_trace(panel, trace, fewer)
    assert named in {c.step for c in answer.candidates}
    assert sum(c.probability for c in answer.candidates) + answer.p_no_error == pytest.approx(1)


def test_a_damaged_cache_is_an_error_and_not_a_silence(trip: Trace, tmp_path: Path) -> None:
    from traceloc.errors import StoreError

    (tmp_path / "judge.db").write_bytes(b"nothing of ours" * 100)
    with pytest.raises(StoreError) as caught:
        judge_trace(
            make_panel(FakeJudge(lambda p: verdict(1)), cache=AnswerCache(tmp_path / "judge.db")),
            trip,
        )
    assert caught.value.code == "TL611"
