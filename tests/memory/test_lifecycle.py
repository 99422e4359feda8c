"""How schemata come about, are counted, distilled, evicted, and taken back."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from injector import KINDS, clean_runs, inject
from teaching_kit import LESSON, new_memory, sketch

from traceloc.errors import StoreError
from traceloc.memory import FailureMemory, MemorySettings
from traceloc.memory.answering import (
    add_ordinary,
    count_answer,
    forget_failures,
)
from traceloc.memory.eviction import choose_victims, usefulness
from traceloc.memory.learning import make_lesson
from traceloc.memory.opening import find_filled_memory, open_memory
from traceloc.memory.schema import Counts, ErrorSchema

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOSTS = clean_runs(24)


def teach(memory: FailureMemory, kind: int, *hosts: int) -> list[ErrorSchema]:
    found = []
    for host in hosts:
        injected = inject(HOSTS[host], KINDS[kind], seed=host)
        found += [
            one.schema for one in memory.learn(sketch(injected.trace), [injected.native], LESSON)
        ]
    return found


def everything(memory: FailureMemory) -> list[object]:
    return [
        row.model_dump()
        for shelf in ("schema", "remembered", "ordinary")
        for row in memory.store.rows(shelf)  # type: ignore[arg-type]
    ]


def test_what_is_new_founds_a_schema_and_what_is_alike_merges() -> None:
    memory = new_memory()
    first, again, other = teach(memory, 0, 0, 1) + teach(memory, 4, 2)
    assert first.id == again.id != other.id
    assert (first.counts.seen, again.counts.seen, other.counts.seen) == (1, 2, 1)
    assert len(again.sightings) == 2
    assert again.mast == "Step Repetition"
    assert [change.kind for change in memory.store.log()] == ["learn", "merge", "learn"]


def test_learning_the_same_step_again_changes_nothing() -> None:
    memory = new_memory()
    teach(memory, 0, 0)
    before = memory.store.version()
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    (learned,) = memory.learn(sketch(injected.trace), [injected.native], LESSON)
    assert learned.known
    assert memory.store.version() == before


def test_the_order_of_processes_does_not_show_in_ids() -> None:
    left, right = new_memory(), new_memory()
    teach(left, 0, 0)
    teach(left, 4, 1)
    teach(right, 4, 1)
    teach(right, 0, 0)
    assert [s.id for s in left.schemata()] == [s.id for s in right.schemata()]


def test_every_change_can_be_undone() -> None:
    memory = new_memory()
    teach(memory, 0, 0, 1)
    teach(memory, 4, 2)
    states = [everything(memory)]
    teach(memory, 4, 3)
    states.append(everything(memory))
    memory.prune(1, at=AT)
    assert memory.store.count("schema") == 1
    memory.undo()
    assert everything(memory) == states.pop()
    memory.undo()
    assert everything(memory) == states.pop()
    assert [change.kind for change in memory.store.log()][-2:] == ["undo", "undo"]


def test_nothing_to_undo_is_said() -> None:
    with pytest.raises(StoreError, match="nothing to undo"):
        new_memory().undo()


def test_answers_are_counted_for_what_was_recalled() -> None:
    memory = new_memory()
    teach(memory, 0, 0)
    seen = inject(HOSTS[5], KINDS[0], seed=9)
    (schema,) = count_answer(memory, sketch(seen.trace), seen.native, right=True, at=AT)
    assert (schema.counts.hits, schema.counts.confirmed, schema.counts.rejected) == (1, 1, 0)
    (schema,) = count_answer(memory, sketch(seen.trace), seen.native, right=False, at=AT)
    assert (schema.counts.hits, schema.counts.confirmed, schema.counts.rejected) == (2, 1, 1)
    assert schema.counts.last_hit == AT


def test_a_step_said_to_be_ordinary_is_recalled_no_more() -> None:
    memory = new_memory()
    teach(memory, 0, 0)
    seen = inject(HOSTS[5], KINDS[0], seed=9)
    place = sketch(seen.trace).find(seen.native)
    assert memory.recall(sketch(seen.trace)).matches.get(place)
    for host in (6, 7, 8):
        other = inject(HOSTS[host], KINDS[0], seed=9)
        add_ordinary(memory, sketch(other.trace), other.native)
    assert not memory.recall(sketch(seen.trace)).matches.get(place)


def test_a_corrected_label_is_forgotten() -> None:
    memory = new_memory()
    teach(memory, 0, 0, 1)
    injected = inject(HOSTS[1], KINDS[0], seed=1)
    mine = sketch(injected.trace)
    gone = forget_failures(memory, mine.trace, system=mine.system, only=injected.native)
    assert gone == 1
    (schema,) = memory.schemata()
    assert schema.counts.seen == 1
    injected = inject(HOSTS[0], KINDS[0], seed=0)
    mine = sketch(injected.trace)
    assert forget_failures(memory, mine.trace, system=mine.system) == 1
    assert memory.schemata() == []


def test_a_fix_is_kept_and_the_newest_counts() -> None:
    memory = new_memory()
    for host, fix in ((0, "pin the ledger"), (1, None), (2, "read the ledger twice")):
        injected = inject(HOSTS[host], KINDS[0], seed=host)
        lesson = make_lesson("confirmed", category="my own name", fix=fix)
        memory.learn(sketch(injected.trace), [injected.native], lesson)
    (schema,) = memory.schemata()
    assert schema.fix == "read the ledger twice"
    assert (schema.category, schema.mast) == ("my own name", None)


def test_single_failures_of_a_schema_are_bounded() -> None:
    memory = new_memory(MemorySettings(remembered_per_schema=4, hot_at=1000))
    teach(memory, 0, *range(12))
    (schema,) = memory.schemata()
    assert schema.counts.seen == 12
    assert memory.store.count("remembered") == 4


def test_ordinary_steps_are_bounded() -> None:
    memory = new_memory(MemorySettings(ordinary_per_trace=2, ordinary_per_system=5))
    teach(memory, 0, *range(6))
    assert memory.store.count("ordinary") <= 5


def with_counts(id: str, **counts: object) -> ErrorSchema:
    return ErrorSchema(
        id=id,
        signature={"text": id},  # type: ignore[arg-type]
        origin="labelled",
        counts=Counts.model_validate(counts),
        created=AT,
    )


def test_eviction_takes_the_least_useful_first() -> None:
    often = with_counts("S1", seen=9)
    confirmed = with_counts("S2", seen=1, confirmed=3)
    once = with_counts("S3", seen=1)
    rejected = with_counts("S4", seen=4, rejected=3)
    stale = with_counts("S5", seen=9, last_hit=AT - timedelta(days=900))
    all_of_them = [often, confirmed, once, rejected, stale]
    assert [s.id for s in choose_victims(all_of_them, 2, at=AT)] == ["S4", "S5", "S3"]
    assert choose_victims(all_of_them, 5, at=AT) == []
    assert usefulness(often, at=AT) > usefulness(stale, at=AT)


def test_equals_are_evicted_by_id() -> None:
    twins = [with_counts("S9", seen=1), with_counts("S2", seen=1), with_counts("S5", seen=1)]
    assert [s.id for s in choose_victims(twins, 1, at=AT)] == ["S2", "S5"]


def test_get_takes_the_beginning_of_an_id() -> None:
    memory = new_memory()
    (schema,) = teach(memory, 0, 0)
    assert memory.get(schema.id[:6]) == schema
    with pytest.raises(StoreError, match="no schema"):
        memory.get("nonsense")


def test_every_backend_remembers_recalls_and_forgets(address: str) -> None:
    memory = open_memory(address)
    (schema,) = teach(memory, 0, 0)
    seen = inject(HOSTS[5], KINDS[0], seed=9)
    again = find_filled_memory(address)
    assert again is not None
    mine = sketch(seen.trace)
    place = mine.find(seen.native)
    assert place is not None
    assert again.recall(mine).matches[place][0].schema.id == schema.id
    teach(memory, 0, *range(1, 8))
    (schema,) = again.schemata()
    assert (schema.counts.seen, schema.origin) == (8, "distilled")
    count_answer(again, mine, seen.native, right=True, at=AT)
    assert memory.schemata()[0].counts.confirmed == 1
    while any(not c.undone and c.kind not in ("undo", "hit") for c in memory.store.log()):
        memory.undo()
    assert memory.schemata() == [] and memory.empty
    assert memory.store.check() == []
