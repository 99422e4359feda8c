"""Windows hold the labelled step as often as asked, on traces whose truth is known."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceloc.ranking.conformal import (
    OWN_LABELS,
    UNREACHABLE,
    Coverage,
    choose_coverage,
    collect_coverage,
    find_window,
    grow,
    score_window,
)

weights = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30).filter(lambda w: sum(w) > 0)


def simulate(traces: int, *, seed: int, sharpness: float = 1.0):
    """Labels drawn from a softmax; what the model believes is that softmax, sharpened or not."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(traces):
        n = int(random.integers(4, 60))
        scores = 2.0 * random.normal(size=n)
        truth = np.exp(scores) / np.exp(scores).sum()
        target = np.zeros(n)
        target[random.choice(n, p=truth)] = 1.0
        believed = np.exp(sharpness * scores)
        found.append((believed / believed.sum(), target))
    return found


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("asked", [0.8, 0.9])
def test_two_thousand_simulated_traces_are_covered_as_asked(asked, sharpness):
    """However wrong the probabilities are; being wrong only makes windows long."""
    calibration = simulate(500, seed=1, sharpness=sharpness)
    (pooled, _) = collect_coverage(["s"] * 500, *zip(*calibration, strict=True))
    limit = pooled.threshold(asked)
    covered, share = [], []
    for p, target in simulate(2000, seed=2, sharpness=sharpness):
        first, last = find_window(p, limit)
        covered.append(target[first : last + 1].any())
        share.append((last - first + 1) / len(p))
    assert asked - 0.03 <= np.mean(covered) <= asked + 0.05
    assert np.median(share) < 0.95


@pytest.mark.parametrize("n", [9, 19, 30, 50])
def test_coverage_holds_on_average_over_small_calibration_sets(n):
    hits = []
    for seed in range(150):
        traces = simulate(n + 10, seed=seed)
        known = Coverage(scores=tuple(sorted(score_window(*each) for each in traces[:n])))
        limit = known.threshold(0.9)
        for p, target in traces[n:]:
            first, last = find_window(p, limit)
            hits.append(target[first : last + 1].any())
    assert np.mean(hits) >= 0.88


def test_better_probabilities_give_shorter_windows():
    sizes = {}
    for sharpness in (0.0, 1.0):
        traces = simulate(400, seed=3, sharpness=sharpness)
        (pooled, _) = collect_coverage(["s"] * 400, *zip(*traces, strict=True))
        windows = [find_window(p, pooled.threshold(0.8)) for p, _ in traces]
        sizes[sharpness] = np.median([last - first for first, last in windows])
    assert sizes[1.0] < sizes[0.0]


@given(weights)
def test_it_grows_one_candidate_at_a_time_around_the_mode_until_all_are_in(values):
    p = np.array(values)
    states = list(grow(p))
    assert [s.last - s.first + 1 for s in states] == list(range(1, len(p) + 1))
    assert states[0].added == int(np.argmax(p))
    assert sorted(s.added for s in states) == list(range(len(p)))
    for before, after in pairwise(states):
        assert after.added in (before.first - 1, before.last + 1)
    scaled = p / p.max()
    held = [0.0, *accumulate(scaled[s.added] / scaled.sum() for s in states)]
    assert [s.before for s in states] == pytest.approx(held[:-1], abs=1e-9)


@given(weights, st.floats(0, 1), st.floats(0, 1))
def test_windows_for_more_coverage_hold_those_for_less(values, one, other):
    p = np.array(values)
    small, large = find_window(p, min(one, other)), find_window(p, max(one, other))
    assert large[0] <= small[0] <= small[1] <= large[1]


@settings(max_examples=50)
@given(weights, st.data())
def test_a_trace_is_covered_exactly_where_its_score_is_within_the_threshold(values, data):
    p, target = np.array(values), np.zeros(len(values))
    target[data.draw(st.integers(0, len(values) - 1))] = 1.0
    threshold = data.draw(st.floats(0, 1))
    first, last = find_window(p, threshold)
    assert bool(target[first : last + 1].any()) == (score_window(p, target) <= threshold)


def test_a_second_peak_behind_a_valley_is_reached_before_what_is_level():
    p = np.array([0.06, 0.06, 0.06, 0.40, 0.01, 0.35, 0.06])
    assert [state.added for state in grow(p)][:3] == [3, 4, 5]


def test_of_equal_sides_the_earlier_comes_first():
    assert [state.added for state in grow(np.array([0.2, 0.2, 0.4, 0.2, 0.2]))] == [2, 1, 0, 3, 4]


def test_too_few_traces_promise_only_the_whole():
    known = Coverage(scores=(0.0,) * 8)
    assert known.threshold(0.9) == np.inf
    assert Coverage(scores=(0.0,) * 9).threshold(0.9) == 0.0
    assert find_window(np.array([0.1, 0.8, 0.1]), np.inf) == (0, 2)


def test_a_label_that_is_no_candidate_is_never_covered():
    assert score_window(np.array([0.5, 0.5]), np.zeros(2)) == UNREACHABLE
    assert Coverage(scores=(*(0.1,) * 5, *(UNREACHABLE,) * 5)).threshold(0.9) == np.inf


def test_a_system_has_a_threshold_of_its_own_from_enough_labels_on():
    traces = simulate(OWN_LABELS + 5, seed=0)
    systems = ["many"] * OWN_LABELS + ["few"] * 5
    found = collect_coverage(systems, *zip(*traces, strict=True))
    assert [(each.system, each.n) for each in found] == [(None, 35), ("many", 30)]
    assert choose_coverage(found, "many") is found[1]
    assert choose_coverage(found, "few") is found[0] is choose_coverage(found, None)
    assert choose_coverage((), "many") is None
    assert collect_coverage([], [], []) == ()


def test_no_candidate_no_window():
    with pytest.raises(ValueError, match="no window"):
        find_window(np.zeros(0), 0.5)
