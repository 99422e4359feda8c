"""Metrics against a reference that is written as plainly as they are defined."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.evaluation.metrics import (
    METRICS,
    WINDOW_METRICS,
    area_under_curve,
    calibration_error,
    most_suspected,
    score_item,
    score_uniform,
)


@st.composite
def rankings(draw):
    n = draw(st.integers(1, 9))
    native = sorted(draw(st.sets(st.integers(0, 20), min_size=n, max_size=n)))
    # Few distinct scores, so that ties are common.
    scores = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=n, max_size=n))
    agents = draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
    labels = draw(st.sets(st.integers(0, 20), min_size=1, max_size=3))
    blamed = draw(st.sets(st.sampled_from("abc"), min_size=1, max_size=2))
    return native, scores, agents, labels, blamed


def reference(native, scores, agents, labels, blamed, p):
    """By the definitions, with sorting by (-score, step) and nothing clever."""
    ranking = sorted(range(len(native)), key=lambda i: (-scores[i], native[i]))
    answer = [native[i] for i in ranking]
    place = next((r for r, step in enumerate(answer, 1) if step in labels), None)
    distance = min(abs(answer[0] - label) for label in labels)
    pairs = list(zip(p, agents, strict=True))
    mass = {agent: sum(q for q, a in pairs if a == agent) for agent in agents}
    first_of = {agent: agents.index(agent) for agent in agents}
    accused = min(mass, key=lambda agent: (-round(mass[agent], 12), first_of[agent]))
    right = [i for i, step in enumerate(native) if step in labels]
    return {
        "exact": place == 1,
        "within_1": distance <= 1,
        "within_3": distance <= 3,
        "within_5": distance <= 5,
        "top_3": place is not None and place <= 3,
        "top_5": place is not None and place <= 5,
        "mrr": 0 if place is None else 1 / place,
        "exam": 1 if place is None else place / len(native),
        "agent": accused in blamed,
        "nll": -math.log(max(sum(p[i] for i in right), 1e-6)),
        "brier": sum((p[i] - (i in right) / max(len(right), 1)) ** 2 for i in range(len(p))),
    }


@given(rankings())
def test_metrics_are_what_their_definitions_say(ranking):
    native, scores, agents, labels, blamed = ranking
    p = np.exp(scores) / np.exp(scores).sum()
    found = score_item(
        np.array(scores),
        native=native,
        labels=frozenset(labels),
        agents=agents,
        blamed_agents=frozenset(blamed),
        probabilities=p,
    )
    wanted = reference(native, scores, agents, labels, blamed, list(p))
    assert set(wanted) == set(METRICS) - set(WINDOW_METRICS)
    for name, value in wanted.items():
        assert getattr(found, name) == pytest.approx(float(value)), name
    assert found.confidence == pytest.approx(max(p))


@given(rankings().filter(lambda r: len(r[0]) <= 6))
def test_uniform_is_the_mean_over_all_orders(ranking):
    native, _, agents, labels, blamed = ranking
    facts = {
        "native": native,
        "labels": frozenset(labels),
        "agents": agents,
        "blamed_agents": frozenset(blamed),
    }
    found = score_uniform(**facts)
    orders = list(permutations(range(len(native))))
    each = [score_item(-np.array(order, dtype=float), **facts) for order in orders]
    for name in set(METRICS) - set(WINDOW_METRICS):
        if name in ("nll", "brier"):
            p = np.full(len(native), 1 / len(native))
            scores = np.zeros(len(native))
            wanted = getattr(score_item(scores, probabilities=p, **facts), name)
        else:
            wanted = np.mean([getattr(one, name) for one in each])
        assert getattr(found, name) == pytest.approx(wanted), name


def test_of_equal_scores_the_earlier_step_is_first():
    found = score_item(
        np.array([1.0, 1.0, 0.0]),
        native=[3, 7, 9],
        labels=frozenset({7}),
        agents=["a", "b", "c"],
        blamed_agents=frozenset({"b"}),
    )
    assert (found.exact, found.mrr, found.agent) == (0.0, 0.5, 0.0)


def test_without_probabilities_their_metrics_are_missing_and_rank_1_names_the_agent():
    found = score_item(
        np.array([0.0, 1.0]),
        native=[0, 1],
        labels=frozenset({0}),
        agents=["a", "b"],
        blamed_agents=frozenset({"b"}),
    )
    assert math.isnan(found.nll) and math.isnan(found.brier) and found.agent == 1.0


def test_a_trace_without_candidates_cannot_be_scored():
    with pytest.raises(ValueError, match="without candidates"):
        score_item(
            np.zeros(0), native=[], labels=frozenset({0}), agents=[], blamed_agents=frozenset()
        )


def test_the_agent_that_acts_first_wins_a_tie():
    assert most_suspected(np.array([0.1, 0.2, 0.2, 0.1]), ["b", "a", "a", "b"]) == "a"
    assert most_suspected(np.array([0.2, 0.3, 0.1]), ["b", "a", "b"]) == "b"


def test_calibration_error():
    confidence = np.array([0.25, 0.25, 0.25, 0.25, 0.95, 0.95])
    hits = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    assert calibration_error(confidence, hits) == pytest.approx(2 / 6 * 0.05)
    assert calibration_error(np.array([1.0]), np.array([0.0])) == 1.0
    assert math.isnan(calibration_error(np.array([np.nan]), np.array([0.0])))


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=6),
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=6),
)
def test_area_under_curve_is_the_chance_to_order_a_pair(positive, negative):
    pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    mask = np.array([True] * len(positive) + [False] * len(negative))
    found = area_under_curve(np.array(positive + negative), mask)
    assert found == pytest.approx(np.mean(pairs))
