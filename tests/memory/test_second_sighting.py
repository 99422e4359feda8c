"""Failures put into clean runs are recognised in other runs, and kinds never seen are not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from injector import KINDS, UNSEEN, clean_runs, inject
from teaching_kit import new_memory, sketch

from traceloc.loading import load
from traceloc.memory import FailureMemory
from traceloc.memory.learning import Lesson
from traceloc.trace import Trace


def teach_kinds(hosts: Sequence[Trace]) -> FailureMemory:
    memory = new_memory()
    for number, kind in enumerate(KINDS):
        injected = inject(hosts[number % len(hosts)], kind, seed=1)
        lesson = Lesson("injected", category=kind.name)
        (learned,) = memory.learn(sketch(injected.trace), [injected.native], lesson)
        assert learned.schema.category == kind.name
    return memory


def sight_again(memory: FailureMemory, hosts: Sequence[Trace]) -> tuple[float, float]:
    """Shares of known kinds that come first, and of unknown kinds that are like nothing."""
    right = silent = 0
    for host in hosts:
        for kind in KINDS:
            injected = inject(host, kind, seed=2)
            seen = sketch(injected.trace)
            matches = memory.recall(seen).matches.get(seen.find(injected.native), ())
            right += bool(matches) and matches[0].schema.category == kind.name
        for kind in UNSEEN:
            injected = inject(host, kind, seed=2)
            seen = sketch(injected.trace)
            silent += not memory.recall(seen).matches.get(seen.find(injected.native), ())
    return right / (len(hosts) * len(KINDS)), silent / (len(hosts) * len(UNSEEN))


def test_second_sighting_in_own_runs() -> None:
    assert len(KINDS) >= 12 and len(UNSEEN) >= 12
    hosts = clean_runs(40)
    memory = teach_kinds(hosts[:20])
    right, silent = sight_again(memory, hosts[20:])
    assert right >= 0.9
    assert silent >= 0.9


def test_steps_of_clean_runs_are_like_nothing() -> None:
    hosts = clean_runs(40)
    memory = teach_kinds(hosts[:20])
    recalled = sum(len(memory.recall(sketch(host)).matches) for host in hosts[20:])
    steps = sum(len(sketch(host).steps) for host in hosts[20:])
    assert recalled <= 0.02 * steps


def test_second_sighting_in_tau_bench_passes(shared: Path) -> None:
    passed = [
        trace.model_copy(update={"system": "airline"})
        for trace in load(shared / "samples" / "tau_bench")
        if trace.outcome.status == "passed"
    ]
    if len(passed) < 24:
        pytest.skip(f"only {len(passed)} passing runs are at hand")
    right, silent = sight_again(teach_kinds(passed[:14]), passed[14:24])
    assert right >= 0.9
    assert silent >= 0.9
