from __future__ import annotations

import pytest

from traceloc.repeats.divergence import MAX_BAND, align, find_divergence
from traceloc.repeats.sketch import Item, RunSketch

WORDS = dict(zip("abcdefgxyz", (f"do{i}" for i in range(10)), strict=True))


def run(letters: str, *, key: str = "run", passed: bool | None = None) -> RunSketch:
    """A run of one action per letter."""
    items = tuple(
        Item(i, f"clerk action {WORDS[each]} | {each}", hash(each), acting=True, long=False)
        for i, each in enumerate(letters)
    )
    return RunSketch(key, key, passed, items)


@pytest.mark.parametrize(
    ("failing", "passing", "position"),
    [
        ("abxyz", "abcde", 2),
        ("abxde", "abcde", None),  # one step apart, then back: recovered
        ("abxyde", "abcde", None),  # back within two steps
        ("abxyzde", "abcde", 2),  # three steps of its own: not recovered
        ("xbcde", "abcde", None),
        ("abcdx", "abcde", 4),  # nothing comes after it, so nothing recovers it
        ("abcde", "abcde", None),
        ("ab", "abcdefg", 1),  # stops where the other goes on
        ("abcdexyz", "abcde", 5),  # goes on where the other has ended
    ],
)
def test_the_first_divergence_that_is_not_recovered(
    failing: str, passing: str, position: int | None
) -> None:
    found = find_divergence(run(failing), [run(passing, passed=True)])
    assert found is not None
    assert found.position == position


def test_the_nearest_passing_run_is_compared() -> None:
    far, near = run("xyzxy", key="far"), run("abcdg", key="near")
    found = find_divergence(run("abcde"), [far, near])
    assert found is not None
    assert found.sibling.key == "near"
    assert found.likeness == pytest.approx(0.8)


def test_without_a_passing_run_there_is_nothing_to_say() -> None:
    assert find_divergence(run("abc"), []) is None


def test_runs_of_very_different_length_are_aligned_within_the_band() -> None:
    short, long = run("ab").items, run("ab" + "c" * (4 * MAX_BAND)).items
    assert align(short, long) == [0, 1]
    partner = align(long, short)
    assert partner[:2] == [0, 1]
    assert set(partner[2:]) == {None}


def test_partners_never_cross() -> None:
    partner = [j for j in align(run("axbyczd").items, run("abcdxyz").items) if j is not None]
    assert partner == sorted(set(partner))
