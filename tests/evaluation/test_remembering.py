"""What a failure memory adds in an evaluation, and its controls."""

from __future__ import annotations

import numpy as np
import pytest

from traceloc.errors import UsageError
from traceloc.evaluation import evaluate, render
from traceloc.evaluation.remembering import MEMORY_MODES, Remembered
from traceloc.memory.gate import Gate
from traceloc.memory.settings import MemorySettings

SETTINGS = MemorySettings(gate_groups=10)


def remembered(n: int = 60, *, tell: float = 1.0, seed: int = 0) -> Remembered:
    """Traces of six steps; the failing one points to one of four places in space."""
    rng = np.random.default_rng(seed)
    steps, failing = [], []
    for _ in range(n):
        rows = rng.normal(0, 1, (6, 16))
        mask = np.zeros(6, bool)
        mask[rng.integers(6)] = True
        rows[mask, rng.integers(4)] += 8 * tell
        steps.append((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))
        failing.append(mask)
    means = np.stack([each.mean(axis=0) for each in steps])
    return Remembered(
        steps=tuple(steps),
        failing=tuple(failing),
        traces=(means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32),
        prose=tuple([None] * n),
        groups=np.array([f"g{i}" for i in range(n)]),
        settings=SETTINGS,
    )


def test_nearest_neighbours_find_what_recurs_and_random_ones_less() -> None:
    known = remembered()
    members = list(range(59))
    nearest = known.odds(59, members, "nearest")
    assert known.failing[59][int(np.argmax(nearest))]
    scores = {i: np.zeros(6) for i in members}
    gates = {mode: known.gate(members, mode, scores=scores) for mode in MEMORY_MODES}
    assert gates["nearest"].open
    assert gates["nearest"].gain > gates["random"].gain
    assert not gates["none"].open and not gates["prose"].open


def test_noise_earns_no_vote() -> None:
    known = remembered(tell=0.0)
    members = list(range(60))
    scores = {i: np.zeros(6) for i in members}
    assert not known.gate(members, "nearest", scores=scores).open


def test_a_closed_gate_recalls_nothing() -> None:
    known = remembered()
    closed = Gate(0.0, 0, 0.0, 0.0)
    assert not known.recall(0, [1, 2, 3], "nearest", gate=closed).odds.any()


@pytest.mark.parametrize("mode", [mode for mode in MEMORY_MODES if mode != "none"])
def test_an_unearned_vote_changes_only_the_ranking(make_folder, word_signal, mode) -> None:
    folder = make_folder("d")
    common = {"signals": [word_signal], "seeds": 1, "folds": 3}
    plain = evaluate([folder], **common)
    closed = evaluate([folder], **common, memory=mode)
    forced = evaluate([folder], **common, memory=mode, memory_weight=1.0)
    assert closed.votes == {"d": 0.0} and forced.votes == {"d": 1.0}
    # Too few labels to earn a vote: exactly what it was without a memory.
    assert closed.rows == plain.rows
    assert all(c.mean == 0 for c in closed.comparisons)
    assert "answers in which the memory had a vote: d 0%" in render(closed)


def test_arrival_order_can_be_asked_with_a_memory(make_folder, word_signal) -> None:
    paths = [make_folder("left"), make_folder("right")]
    found = evaluate(
        paths, signals=[word_signal], protocol="arrival", seeds=2, memory="nearest", memory_size=4
    )
    assert found.votes == {"left": 0.0, "right": 0.0}
    assert {c.left for c in found.comparisons} == {"memory nearest"}


def test_an_unknown_memory_is_refused(make_folder, word_signal) -> None:
    with pytest.raises(UsageError, match="there is no memory 'good'"):
        evaluate([make_folder("d")], signals=[word_signal], memory="good")
