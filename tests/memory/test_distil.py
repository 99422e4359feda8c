"""Many sightings become one schema that says what they share, if replay allows."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import itertools

from injector import KINDS, clean_runs, inject
from teaching_kit import LESSON, new_memory, sketch

from traceloc.memory import FailureMemory, MemorySettings
from traceloc.memory.template import SLOT, align_texts
from traceloc.memory.view import replay, view_system

HOSTS = clean_runs(30)
WORDS = st.lists(st.sampled_from("a b c d e".split()), max_size=12).map(" ".join)


def replay_now(memory: FailureMemory) -> float:
    rows = list(memory.store.rows("schema"))
    vectors = memory.store.vectors([row.id for row in rows])
    view = view_system(memory.store, "help-desk")
    return replay(view, vectors, [row.trace for row in rows], memory.settings)


def teach(memory: FailureMemory, kinds: int, hosts: range) -> None:
    for host in hosts:
        for kind in KINDS[:kinds]:
            injected = inject(HOSTS[host], kind, seed=host)
            memory.learn(sketch(injected.trace), [injected.native], LESSON)


def test_a_hot_schema_is_distilled_into_what_its_members_share() -> None:
    memory = new_memory()
    teach(memory, 1, range(12))
    (schema,) = memory.schemata()
    assert schema.origin == "distilled"
    assert schema.counts.seen == 12
    assert schema.template is not None and SLOT in schema.template
    words = schema.template.split()
    assert "ledger" in words and "plausible" in words
    (change,) = [c for c in memory.store.log() if c.kind == "distil"][:1]
    assert "replay" in change.note


def test_distilling_keeps_what_replay_finds() -> None:
    apart = new_memory(MemorySettings(merge_above=1.0, hot_at=10_000))
    teach(apart, 6, range(10))
    together = new_memory()
    teach(together, 6, range(10))
    assert apart.store.count("schema") > 30
    assert together.store.count("schema") <= 4 * 6
    assert replay_now(together) >= replay_now(apart)


def test_schemata_that_came_apart_are_joined() -> None:
    memory = new_memory(MemorySettings(merge_above=0.97, hot_at=10_000, cluster_above=0.6))
    teach(memory, 2, range(10))
    before = memory.store.count("schema")
    assert before > 4
    assert memory.distil_all() > 0
    assert memory.store.count("schema") < before
    # What was remembered belongs to schemata that are still there.
    ids = {schema.id for schema in memory.schemata()}
    assert {row.belongs_to for row in memory.store.rows("remembered")} <= ids
    assert sum(s.counts.seen for s in memory.schemata()) == 20


def test_a_distillation_that_makes_replay_worse_is_refused() -> None:
    # Two kinds in one cluster, because everything is near: one medoid cannot find both.
    memory = new_memory(MemorySettings(cluster_above=-1.0, hot_at=10_000))
    teach(memory, 2, range(4))
    before = replay_now(memory)
    memory.distil(memory.schemata()[0])
    assert memory.store.count("schema") == 2
    assert replay_now(memory) >= before


def test_distillation_can_be_undone() -> None:
    memory = new_memory(MemorySettings(hot_at=10_000))
    teach(memory, 1, range(6))
    before = [row.model_dump() for row in memory.store.rows("schema")]
    assert memory.distil(memory.schemata()[0]) is not None
    assert [row.model_dump() for row in memory.store.rows("schema")] != before
    memory.undo()
    assert [row.model_dump() for row in memory.store.rows("schema")] == before


def test_a_template_has_slots_where_texts_differ() -> None:
    assert align_texts(["send it to <name> now", "send it to the boss now"]) == (
        f"send it to {SLOT} now"
    )
    assert align_texts(["a b c"]) == "a b c"
    assert align_texts([]) == ""
    assert align_texts(["a b", "c d"]) == SLOT


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_a_template_fits_every_text(texts: list[str]) -> None:
    template = align_texts(texts).split()
    assert not any(a == b == SLOT for a, b in itertools.pairwise(template))
    for text in texts:
        assert fits(template, text.split())


def fits(template: list[str], words: list[str]) -> bool:
    """Whether words follow a template whose slots stand for any number of words."""
    reached = np.zeros(len(words) + 1, dtype=bool)
    reached[0] = True
    for part in template:
        if part == SLOT:
            reached = np.logical_or.accumulate(reached)
        else:
            moved = np.zeros_like(reached)
            for i, word in enumerate(words):
                moved[i + 1] = reached[i] and word == part
            reached = moved
    return bool(reached[-1])
