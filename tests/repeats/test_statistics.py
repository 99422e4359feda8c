from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.repeats import Cohorts
from traceloc.repeats.statistics import (
    describe_repeats,
    measure_incoherence,
    pass_all_k,
    pass_at_k,
)
from traceloc.trace import Trace

MakeRun = Callable[..., Trace]


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.data())
def test_pass_rates_agree_with_all_draws(outcomes: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(outcomes)))
    draws = list(combinations(outcomes, k))
    n, passed = len(outcomes), sum(outcomes)
    assert pass_at_k(n, passed, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert pass_all_k(n, passed, k) == pytest.approx(sum(map(all, draws)) / len(draws))


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=8))
def test_incoherence_is_the_share_of_pairs_that_differ(points: list[str]) -> None:
    pairs = list(combinations(points, 2))
    assert measure_incoherence(points) == pytest.approx(sum(a != b for a, b in pairs) / len(pairs))


def test_one_failure_is_neither_coherent_nor_not() -> None:
    assert measure_incoherence(["a"]) is None


def test_a_task_is_described(make_run: MakeRun) -> None:
    cohorts = Cohorts()
    for i in range(3):
        cohorts.add(make_run(f"g{i}", "look it up", "hold the seat"), passed=True)
        cohorts.add(make_run(f"b{i}", "look it up", "take the train"), passed=False)
    cohorts.add(make_run("u", "look it up"), passed=None)
    cohorts.add(make_run("lone", "x", task="a task that was run only once"), passed=True)
    document = describe_repeats(cohorts, version="0")
    (task,) = document.tasks
    assert (task.passed, task.failed, task.unknown) == (3, 3, 1)
    assert sorted(task.pass_at) == [1, 2, 4] == [2**i for i in range(int(log2(6)) + 1)]
    assert task.bias + task.variance == pytest.approx(0.5)
    assert task.incoherence == 0.0
    assert task.failure_points[0].runs == 3
    assert task.failure_points[0].example.endswith("b0#1")
    (suspect,) = task.suspicious
    assert (suspect.failing, suspect.passing, suspect.ochiai) == (3, 0, 1.0)
