from __future__ import annotations

import itertools
from collections import Counter

import pytest

from traceloc.evaluation.protocols import (
    few_shot,
    group_folds,
    in_sample,
    k_fold,
    leave_one_system_out,
)


@pytest.fixture
def items(prepared):
    """Three sets: b and c are one system, and every other group of b is also one of a."""
    made = [prepared(i, dataset="a", group=f"q{i // 2}") for i in range(20)]
    made += [prepared(i, dataset="b", system="bc", group=f"q{i}") for i in range(0, 20, 2)]
    made += [prepared(i, dataset="c", system="bc", group=f"r{i}") for i in range(9)]
    return made


def test_no_group_and_no_trace_is_on_two_sides(items):
    splits = [s for seed in range(3) for s in k_fold(items, folds=5, seed=seed, with_prior=True)]
    splits += list(leave_one_system_out(items))
    splits += list(few_shot(items, folds=3, seed=0, labels=(0, 5)))
    assert len(splits) > 20
    for split in splits:
        asked = {items[i].group for i in split.test}
        assert asked.isdisjoint(items[i].group for i in split.train)
        assert asked.isdisjoint(items[i].group for i in split.prior or ())
        assert len(set(split.train)) == len(split.train)


def test_every_trace_is_asked_once_for_each_seed(items):
    for seed in range(3):
        asked = Counter(i for split in k_fold(items, folds=4, seed=seed) for i in split.test)
        assert asked == Counter(range(len(items)))
    assert Counter(i for s in leave_one_system_out(items) for i in s.test) == Counter(
        range(len(items))
    )


def test_k_fold_learns_from_its_own_set_and_its_prior_from_other_systems(items):
    for split in k_fold(items, folds=4, seed=0, with_prior=True):
        (dataset,) = {items[i].dataset for i in split.test}
        (system,) = {items[i].system for i in split.test}
        assert {items[i].dataset for i in split.train} == {dataset}
        assert system not in {items[i].system for i in split.prior}


def test_leaving_a_system_out_leaves_all_its_sets_out(items):
    first, second = leave_one_system_out(items)
    assert {items[i].dataset for i in first.test} == {"a"}
    assert {items[i].dataset for i in second.test} == {"b", "c"}
    assert {items[i].system for i in second.train} == {"a"}
    # q0, q2, q4 … of set b occur in set a, whose traces of these questions must be dropped.
    assert {items[i].group for i in second.train} == {"q1", "q3", "q5", "q7", "q9"}


def test_fewer_labels_are_part_of_more_and_are_asked_the_same(items):
    by_test = {}
    for split in few_shot(items, folds=3, seed=1, labels=(0, 5, 10)):
        by_test.setdefault(split.test, []).append(split)
    for test, splits in by_test.items():
        sizes = [len(s.train) for s in splits]
        assert sizes == [0, 5, 10][: len(sizes)]
        for small, large in itertools.pairwise(splits):
            assert set(small.train) <= set(large.train)
        assert test


def test_folds_are_even_and_differ_by_seed(prepared):
    items = [prepared(i) for i in range(23)]
    folds = {seed: group_folds(items, range(23), folds=5, seed=seed) for seed in (0, 1)}
    assert sorted(len(fold) for fold in folds[0]) == [4, 4, 5, 5, 5]
    assert folds[0] != folds[1]
    assert folds[0] == group_folds(items, range(23), folds=5, seed=0)


def test_one_group_cannot_be_split(prepared):
    items = [prepared(i, group="g") for i in range(4)]
    assert group_folds(items, range(4), folds=5, seed=0) == []


def test_a_finished_model_is_asked_everything(items):
    (split,) = in_sample(items)
    assert (split.train, len(split.test)) == ((), len(items))
