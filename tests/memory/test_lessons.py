"""What a judge writes about a schema, and the replay it must stand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from injector import KINDS, clean_runs, inject
from teaching_kit import new_memory, sketch

from traceloc.memory import FailureMemory, MemorySettings
from traceloc.memory.learning import make_lesson
from traceloc.memory.lessons import (
    FAILING,
    ORDINARY,
    Exam,
    Prose,
    keep_lesson,
    mark_exam,
    mask_lesson,
    set_exam,
)
from traceloc.memory.masking import mask_prose
from traceloc.memory.schema import ErrorSchema

HOSTS = clean_runs(24)
PROSE = Prose(
    when="A lookup is due and is left out.",
    looks="Answers from memory instead of looking it up.",
    questions=("Does the step answer from memory?", "Does it decline a lookup?"),
    author="some:model",
    category="Invention of New Information",
)


def teach(memory: FailureMemory, *hosts: int, kind: int = 1, **lesson: object) -> ErrorSchema:
    made = make_lesson("confirmed", **lesson)  # type: ignore[arg-type]
    for host in hosts:
        injected = inject(HOSTS[host], KINDS[kind], seed=host)
        (learned,) = memory.learn(sketch(injected.trace), [injected.native], made)
    return learned.schema


def sit(exam: Exam, *yes_for: bool | None) -> list[set[int]]:
    """Answers: for each question whether it is yes for failing steps, ordinary ones, or all."""
    return [
        {q for q, which in enumerate(yes_for) if which is None or which is failing}
        for failing in exam.failing
    ]


def write(memory: FailureMemory, schema: ErrorSchema, prose: Prose, *yes_for: bool | None):
    exam = set_exam(memory, schema, prose)
    assert exam is not None
    mark = mark_exam(exam, sit(exam, *yes_for))
    return mark, keep_lesson(memory, schema.id, prose, mark) if mark.passed else None


def test_an_exam_mixes_failing_and_ordinary_steps() -> None:
    memory = new_memory()
    schema = teach(memory, *range(6))
    exam = set_exam(memory, schema, PROSE)
    assert exam is not None
    assert sum(exam.failing) == FAILING and len(exam.steps) == FAILING + ORDINARY
    assert len(set(exam.steps)) == len(exam.steps)
    for text, failing in zip(exam.steps, exam.failing, strict=True):
        assert failing == ("there is no need to look this up" in text)
    # Neither first nor last: the order is that of a hash.
    assert exam.failing != tuple(sorted(exam.failing)) != exam.failing[::-1]
    assert exam == set_exam(memory, schema, PROSE)


def test_without_ordinary_steps_there_is_no_exam() -> None:
    memory = new_memory(MemorySettings(ordinary_per_system=1))
    schema = teach(memory, 0)
    ordinary = [row.id for row in memory.store.rows("ordinary")]
    memory.change("reject", remove=ordinary, who="me")
    assert set_exam(memory, schema, PROSE) is None


def test_a_good_lesson_is_kept_and_can_be_taken_back() -> None:
    memory = new_memory()
    before = teach(memory, 0, 1)
    mark, schema = write(memory, before, PROSE, True, True)
    assert (mark.before, mark.after) == (0.5, 1.0)
    assert schema is not None
    assert schema.heuristics == PROSE.questions and schema.context.when == PROSE.when
    assert schema.title == PROSE.looks and schema.judge == "some:model"
    assert schema.mast is None and schema.agentrx == "Invention of New Information"
    assert schema.category is None  # for the words of a person
    assert schema.signature == before.signature and schema.counts == before.counts
    change = memory.store.log()[-1]
    assert change.kind == "lesson" and "replay 0.500 to 1.000" in change.note
    memory.undo()
    assert memory.get(before.id) == before


def test_what_is_recalled_does_not_change() -> None:
    memory = new_memory()
    before = teach(memory, 0, 1)
    again = sketch(inject(HOSTS[9], KINDS[1], seed=9).trace)
    seen = memory.recall(again)
    write(memory, before, PROSE, True, True)
    now = memory.recall(again)
    assert (
        {i: [(m.schema.id, m.similarity) for m in ms] for i, ms in now.matches.items()}
        == {i: [(m.schema.id, m.similarity) for m in ms] for i, ms in seen.matches.items()}
        != {}
    )
    assert (now.odds == seen.odds).all()


@pytest.mark.parametrize(
    "answers",
    [
        (False, False),  # yes for ordinary steps
        (None, None),  # yes for all
        (),  # yes for none
    ],
)
def test_a_lesson_that_tells_nothing_apart_is_refused(answers: tuple[bool | None, ...]) -> None:
    memory = new_memory()
    before = teach(memory, 0, 1)
    version = memory.store.version()
    mark, schema = write(memory, before, PROSE, *answers)
    assert not mark.passed and schema is None
    assert memory.get(before.id) == before and memory.store.version() == version


def test_of_several_questions_those_that_tell_apart_are_kept() -> None:
    memory = new_memory()
    mark, schema = write(memory, teach(memory, 0), PROSE, None, True)
    assert mark.kept == PROSE.questions[1:]
    assert schema is not None and schema.heuristics == PROSE.questions[1:]


def test_replay_must_not_get_worse() -> None:
    """One old question finds every failing step; a new one that is often wrong would blur it."""
    exam = Exam(
        ("old?", "new?"),
        1,
        ("a", "b", "c", "d", "e"),
        (True, True, False, False, False),
    )
    perfect = [{0}, {0}, set(), set(), set()]
    noisy = [{0}, {0, 1}, {1}, set(), set()]
    assert mark_exam(exam, perfect).before == 1.0 and not mark_exam(exam, perfect).passed
    mark = mark_exam(exam, noisy)
    assert mark.kept == ("new?",) and mark.before == 1.0
    assert mark.after == pytest.approx(5.5 / 6) and not mark.passed


def test_what_a_person_wrote_stays() -> None:
    memory = new_memory()
    before = teach(memory, 0, category="made up by us", fix="ask the ledger")
    named = before.model_copy(update={"title": "our own title", "heuristics": ("Ours?",)})
    rows = memory.store.get([before.id])
    memory.change("import", put=[rows[0].model_copy(update={"schema_": named})], who="me")
    _, schema = write(memory, named, PROSE, True, True, True)
    assert schema is not None
    assert (schema.title, schema.category, schema.fix) == (
        "our own title",
        "made up by us",
        "ask the ledger",
    )
    assert schema.mast is schema.agentrx is None
    assert schema.heuristics == ("Ours?", *PROSE.questions)


def test_a_category_of_a_person_outweighs_that_of_a_judge() -> None:
    memory = new_memory()
    write(memory, teach(memory, 0), PROSE, True, True)
    schema = teach(memory, 1, category="Step Repetition", fix="stop")
    assert schema.category == schema.mast == "Step Repetition" and schema.fix == "stop"
    assert schema.agentrx != PROSE.category and schema.judge == "some:model"


def test_a_lesson_outlives_distillation() -> None:
    memory = new_memory()
    _, schema = write(memory, teach(memory, 0), PROSE, True, True)
    assert schema is not None
    teach(memory, *range(1, 5))
    (now,) = memory.schemata()
    assert now.origin == "distilled" and now.counts.seen == 5
    assert (now.title, now.judge, now.context.when) == (PROSE.looks, PROSE.author, PROSE.when)
    assert now.heuristics == PROSE.questions


def test_a_schema_is_taught_once() -> None:
    memory = new_memory()
    before = teach(memory, 0)
    exam = set_exam(memory, before, PROSE)
    assert exam is not None
    mark = mark_exam(exam, sit(exam, True, True))
    assert keep_lesson(memory, before.id, PROSE, mark) is not None
    assert keep_lesson(memory, before.id, PROSE._replace(author="other"), mark) is None
    assert keep_lesson(memory, "S0", PROSE, mark) is None


def test_prose_is_masked_where_there_is_something_to_mask() -> None:
    plain = "Does the step state a figure that no result holds?"
    assert mask_prose(plain) == plain
    assert mask_prose("Did the agent trust Ann Lee and order W1234?") == (
        "did the agent trust <name> and order <id> ?"
    )
    assert mask_prose("Does it ask the harbour?", {"harbour"}) == "does it ask the <name> ?"
    masked = mask_lesson(
        PROSE._replace(when="When ACME7 calls", questions=("See /srv/a/b?",)), frozenset()
    )
    assert masked.when == "when <id> calls" and masked.questions == ("see <path> ?",)
    assert mask_prose(mask_prose("Did Ann pay 30?")) == mask_prose("Did Ann pay 30?")


def test_a_fix_that_comes_later_is_kept() -> None:
    memory = new_memory()
    teach(memory, 0)
    schema = teach(memory, 0, fix="ask the ledger", category="made up")
    assert (schema.fix, schema.category, schema.counts.seen) == ("ask the ledger", "made up", 1)
    assert memory.get(schema.id) == schema
    version = memory.store.version()
    teach(memory, 0, fix="ask the ledger", category="made up")
    assert memory.store.version() == version
