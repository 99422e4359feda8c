"""Recall: what a step looks like, the contrast with ordinary steps, and a vote that is earned."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from fleeting_store import FleetingStore
from injector import KINDS, clean_runs, inject
from teaching_kit import LESSON, new_memory, sketch

from traceloc.errors import StoreError
from traceloc.labels.events import Event
from traceloc.localizer import Localizer
from traceloc.memory import FailureMemory, MemorySettings
from traceloc.memory.contrast import contrast, contrast_matrix
from traceloc.memory.following import follow_event
from traceloc.memory.gate import Gate, Trial, learn_gate
from traceloc.memory.recall import Recollection, weigh_with_memory
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.store import Neighbour
from traceloc.memory.view import gate_of, view_system
from traceloc.ranking.model import Scores, rank, softmax

HOSTS = clean_runs(24)


def taught(*kinds: int, hosts: range = range(3)) -> FailureMemory:
    memory = new_memory()
    for host in hosts:
        for kind in kinds:
            injected = inject(HOSTS[host], KINDS[kind], seed=host)
            memory.learn(sketch(injected.trace), [injected.native], LESSON)
    return memory


def test_an_empty_memory_says_nothing() -> None:
    found = new_memory().recall(sketch(HOSTS[0]))
    assert not found.matches and not found.odds.any() and not found.gate.open


def test_a_trace_is_never_its_own_neighbour() -> None:
    memory = taught(0, hosts=range(1))
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    found = memory.recall(sketch(injected.trace))
    assert not found.matches
    assert not found.odds.any()


def test_the_failing_step_stands_out_of_its_trace() -> None:
    memory = taught(0, 4)
    injected = inject(HOSTS[9], KINDS[4], seed=5)
    found = memory.recall(sketch(injected.trace))
    assert int(np.argmax(found.odds)) == injected.step
    assert abs(found.odds.mean()) < 1e-9


def test_another_system_needs_more_likeness() -> None:
    memory = taught(0)
    injected = inject(HOSTS[9], KINDS[0], seed=5)
    elsewhere = injected.trace.model_copy(update={"system": "elsewhere"})
    seen = sketch(elsewhere)
    place = seen.find(injected.native)
    strict = MemorySettings(elsewhere_above=0.999)
    assert memory.recall(seen).matches.get(place)
    memory.settings = strict
    assert not memory.recall(seen).matches.get(place)
    # Of another system nothing is contrasted and nothing voted.
    assert not memory.recall(seen).odds.any()


def test_shipped_schemata_are_recognised_by_their_signals() -> None:
    memory = taught(0)
    sign = ErrorSchema(
        id="S-sign",
        title="A sign",
        signature={"text": "no words of any system", "signals": ["a.b", "c.d"]},  # type: ignore[arg-type]
        origin="shipped",
    )
    memory.put_schemata([sign])
    seen = sketch(HOSTS[9])
    fired = (("c.d", "a.b", "e.f"), ("a.b",), *[()] * (len(seen.steps) - 2))
    object.__setattr__(seen, "fired", fired)
    matches = memory.recall(seen).matches
    assert [m.schema.id for m in matches[0]] == ["S-sign"] and matches[0][0].by == "rule"
    assert 1 not in matches


def test_the_contrast_of_the_lists_is_that_of_the_matrix() -> None:
    rng = np.random.default_rng(0)
    similar = rng.uniform(-1, 1, (7, 200))
    failing = rng.random(200) < 0.3
    settings = MemorySettings(failing_neighbours=5, ordinary_neighbours=9)
    lists = [
        [np.sort(row[mask])[::-1][:k].tolist() for row in similar]
        for mask, k in ((failing, 5), (~failing, 9))
    ]
    totals = (int(failing.sum()), int((~failing).sum()))
    left = contrast(lists[0], lists[1], totals=totals, settings=settings)
    right = contrast_matrix(similar, failing, np.ones(200, bool), settings)
    assert np.allclose(left, right)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6))
def test_more_likeness_to_failures_is_more_odds(values: list[float]) -> None:
    odds = contrast([[v] for v in values], [[0.1]] * len(values), totals=(3, 9))
    assert np.isfinite(odds).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(odds[order]) >= -1e-9).all()


def trials(n: int, *, right: float, seed: int = 0) -> list[Trial]:
    """Failures in traces of eight steps; the memory points at a share of them."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        failing = np.zeros(8, bool)
        failing[rng.integers(8)] = True
        odds = rng.normal(0, 1, 8)
        if rng.random() < right:
            odds += 4 * failing
        found.append(Trial(f"g{i}", rng.normal(0, 1, 8), odds - odds.mean(), failing))
    return found


def test_a_vote_is_earned_on_enough_failures_only() -> None:
    settings = MemorySettings(gate_groups=20)
    assert learn_gate(trials(60, right=0.9), settings).open
    assert not learn_gate(trials(19, right=0.9), settings).open
    assert not learn_gate(trials(60, right=0.0), settings).open


def test_traces_of_one_question_are_one_witness() -> None:
    one = [t.__class__("same", t.scores, t.odds, t.failing) for t in trials(60, right=0.9)]
    assert not learn_gate(one).open


def test_chance_opens_the_gate_seldom_and_then_a_little() -> None:
    gates = [learn_gate(trials(60, right=0.0, seed=seed)) for seed in range(40)]
    assert sum(gate.open for gate in gates) <= 3
    assert max(gate.weight for gate in gates) < 0.3


def test_the_order_of_trials_does_not_matter() -> None:
    given_trials = trials(50, right=0.7)
    assert learn_gate(given_trials) == pytest.approx(learn_gate(given_trials[::-1]))


def test_a_closed_gate_leaves_scores_as_they_were() -> None:
    raw = np.array([0.3, 1.2, -1.0])
    scores = Scores(raw, softmax(raw) * 0.9, 0.1, rank(raw))
    odds = np.array([5.0, -3.0, -2.0])
    assert weigh_with_memory(scores, Recollection(odds)) is scores
    voted = weigh_with_memory(scores, Recollection(odds, gate=Gate(0.5, 50, 0.1, 0.01)))
    assert voted.order[0] == 0
    assert voted.p_no_error == 0.1
    assert voted.probabilities.sum() == pytest.approx(0.9)


def test_the_gate_of_a_memory_sees_its_own_rows() -> None:
    memory = taught(0, 3, 4, hosts=range(20))
    memory.settings = MemorySettings(gate_groups=5)
    view = view_system(memory.store, "help-desk")
    # Nothing was said by a ranker, so nothing can be compared.
    assert gate_of(view, memory.settings).trials == 0
    again = new_memory(MemorySettings(gate_groups=5))
    for host in range(20):
        injected = inject(HOSTS[host], KINDS[host % 3], seed=host)
        scores = np.zeros(len(injected.trace.steps))
        again.learn(sketch(injected.trace, scores=scores), [injected.native], LESSON)
    gate = again.gate("help-desk")
    assert gate.open and gate.trials == 20 and gate.gain > 0.5


def test_what_is_recognised_is_said_with_its_source_and_fix() -> None:
    memory = new_memory()
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    lesson = LESSON._replace(fix="read the ledger again")
    localizer = Localizer()
    memory.learn(localizer.sketch(injected.trace), [injected.native], lesson)
    seen = inject(HOSTS[5], KINDS[0], seed=9)
    found = Localizer(memory=memory, top_k=50, strict=True).localize(seen.trace)
    plain = localizer.localize(seen.trace)
    (candidate,) = [c for c in found.candidates if c.step == seen.step]
    (evidence,) = [e for e in candidate.evidence if e.signal == "memory.recall"]
    assert "seen 1 time" in evidence.claim and "runs/desk-0.json#" in evidence.claim
    assert "fixed by read the ledger again" in evidence.claim
    assert evidence.contribution == 0.0
    assert evidence.cites[0].step == seen.step
    # Recognised, and yet no vote: the ranking is what it was.
    assert [c.step for c in found.candidates][:5] == [c.step for c in plain.candidates][:5]
    assert found.p_no_error == plain.p_no_error


def event(id: int, action: str, injected: object, **extra: object) -> Event:
    mine = sketch(injected.trace)  # type: ignore[attr-defined]
    fields = {
        "id": id,
        "at": "2026-01-01T00:00:00Z",
        "who": "ann",
        "action": action,
        "system": mine.system,
        "trace_id": injected.trace.id,  # type: ignore[attr-defined]
        "content_hash": mine.trace,
        "locator": f"runs/x.json#{injected.step}",  # type: ignore[attr-defined]
        "native_index": injected.native,  # type: ignore[attr-defined]
        "step": injected.step,  # type: ignore[attr-defined]
        "agent": "Clerk",
    }
    return Event.model_validate(fields | extra)


def test_the_memory_follows_the_label_store() -> None:
    memory = new_memory()
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    mine = sketch(injected.trace)
    label = event(1, "label", injected, category="Step Repetition")
    followed = follow_event(memory, label, mine, fix="so")
    assert followed.learned[0].new and memory.schemata()[0].fix == "so"
    assert memory.store.cursor() == 1
    undo = event(2, "undo", injected, undoes=1)
    assert follow_event(memory, undo, mine, log=[label]).forgotten == 1
    assert memory.schemata() == [] and memory.store.cursor() == 2


def test_an_undone_correction_brings_the_first_label_back() -> None:
    memory = new_memory()
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    mine = sketch(injected.trace)
    first = event(1, "label", injected)
    other = mine.steps[0].native
    second = event(2, "label", injected, native_index=other, step=0)
    follow_event(memory, first, mine)
    follow_event(memory, second, mine, log=[first])
    assert [row.text for row in memory.store.rows("remembered")] == [mine.steps[0].text]
    undo = event(3, "undo", injected, undoes=2, native_index=other, step=0)
    follow_event(memory, undo, mine, log=[first, second])
    place = mine.find(injected.native)
    assert place is not None
    assert [row.text for row in memory.store.rows("remembered")] == [mine.steps[place].text]


def test_a_rejected_recall_is_counted_and_becomes_ordinary() -> None:
    memory = taught(0)
    seen = inject(HOSTS[9], KINDS[0], seed=5)
    followed = follow_event(memory, event(7, "reject", seen), sketch(seen.trace))
    assert followed.answered[0].counts.rejected == 1
    texts = {row.text for row in memory.store.rows("ordinary")}
    mine = sketch(seen.trace)
    place = mine.find(seen.native)
    assert place is not None and mine.steps[place].text in texts


def test_a_label_whose_trace_is_gone_is_told() -> None:
    memory = taught(0)
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    moved = event(9, "label", injected, native_index=0, step=0)
    followed = follow_event(memory, moved, None)
    # The old label counts no more, and the new one cannot be read.
    assert followed.missing and followed.forgotten == 1


def test_a_memory_that_cannot_be_read_costs_only_itself() -> None:
    class Away(FleetingStore):
        def nearest(self, *_: object, **__: object) -> list[list[Neighbour]]:
            raise StoreError("the server is away", code="TL529")

    memory = taught(0)
    memory.store.__class__ = Away
    seen = inject(HOSTS[9], KINDS[0], seed=5)
    found = Localizer(memory=memory).localize(seen.trace)
    assert [c.step for c in found.candidates] == [
        c.step for c in Localizer().localize(seen.trace).candidates
    ]
    assert any("the server is away" in note.message for note in found.diagnostics)
    with pytest.raises(StoreError):
        Localizer(memory=memory, strict=True).localize(seen.trace)


def test_other_steps_than_the_first_are_told_too() -> None:
    memory = taught(0)
    seen = inject(HOSTS[9], KINDS[0], seed=5)
    found = Localizer(memory=memory, top_k=1).localize(seen.trace)
    assert [each.cites[0].step for each in found.recalled] == [seen.step]
    assert "looks like schema" in found.recalled[0].claim
