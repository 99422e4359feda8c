from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.evaluation.statistics import beta_cdf, beta_interval, bootstrap_difference

stats = pytest.importorskip("scipy.stats")


@given(st.integers(1, 400), st.floats(0, 1), st.sampled_from([0.8, 0.95]))
def test_intervals_are_those_of_scipy(n, share, level):
    hits = share * n
    low, high = beta_interval(hits, n, level=level)
    tail = (1 - level) / 2
    posterior = stats.beta(hits + 0.5, n - hits + 0.5)
    assert low == pytest.approx(0.0 if hits <= 0 else posterior.ppf(tail), abs=1e-8)
    assert high == pytest.approx(1.0 if hits >= n else posterior.ppf(1 - tail), abs=1e-8)


def test_the_ends_of_the_beta_distribution():
    assert (beta_cdf(0.0, 2, 3), beta_cdf(1.0, 2, 3)) == (0.0, 1.0)
    assert beta_interval(0, 0) == (0.0, 1.0)


def test_a_bootstrap_of_pairs_is_repeatable_and_covers_the_mean():
    random = np.random.default_rng(0)
    left, right = random.random(60) + 0.3, random.random(60)
    groups = [f"g{i // 2}" for i in range(60)]
    first = bootstrap_difference(left, right, groups, seed=3)
    assert first == bootstrap_difference(left, right, groups, seed=3)
    assert first.mean == pytest.approx((left - right).mean())
    assert first.low < first.mean < first.high
    assert first.clear


def test_traces_of_one_group_are_drawn_together():
    """Ten copies of each trace are no more evidence than one."""
    random = np.random.default_rng(0)
    difference = random.normal(size=20)
    once = bootstrap_difference(difference, np.zeros(20), [str(i) for i in range(20)])
    copies = np.repeat(difference, 10)
    groups = [str(i) for i in range(20) for _ in range(10)]
    many = bootstrap_difference(copies, np.zeros(200), groups)
    assert (many.low, many.high) == pytest.approx((once.low, once.high))
    wrong = bootstrap_difference(copies, np.zeros(200), [str(i) for i in range(200)])
    assert wrong.high - wrong.low < 0.5 * (once.high - once.low)


def test_no_difference_has_no_width():
    assert bootstrap_difference([1.0, 0.0], [1.0, 0.0], ["a", "b"]) == (0.0, 0.0, 0.0)
