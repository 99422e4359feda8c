"""What a judge writes about a schema, and the replay it must stand before it is kept.

Prose changes no vector, so replay by nearness cannot tell a good lesson from a bad one. Its
questions are replayed instead: they are asked, together with those the schema has, of remembered
failures and of ordinary steps, by somebody who is not told which is which. What counts is how often
a failing step has more answers of yes than an ordinary one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Sequence
from typing import TYPE_CHECKING, NamedTuple

from traceloc.memory.learning import MAX_HEURISTICS, make_lesson, title_of
from traceloc.memory.masking import mask_prose
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.store import Row

if TYPE_CHECKING:
    from traceloc.memory.memory import FailureMemory

FAILING, ORDINARY = 4, 8
"""Steps of an exam, at most."""
CHANCE = 0.5
"""What no question at all, or any that asks beside the point, is worth."""
_TOLERANCE = 1e-9


class Prose(NamedTuple):
    """What somebody writes about a failure, in general words."""

    when: str
    looks: str
    questions: tuple[str, ...]
    author: str
    """Name of the model."""
    category: str | None = None


class Exam(NamedTuple):
    """Questions, and steps to ask them of."""

    questions: tuple[str, ...]
    """Those the schema has, then those that are new."""
    old: int
    """How many it has."""
    steps: tuple[str, ...]
    """Masked; in an order that says nothing."""
    failing: tuple[bool, ...]


class Mark(NamedTuple):
    """What came of an exam."""

    before: float
    """Share of pairs in which the failing step had more answers of yes, by the questions the schema
    has; a tie counts half."""
    after: float
    """The same with the new questions that are kept."""
    kept: tuple[str, ...]
    """New questions that are yes more often for failing steps than for ordinary ones."""

    @property
    def passed(self) -> bool:
        """Whether it may be kept: replay is better than chance, and no worse than it was."""
        better = self.after > CHANCE + _TOLERANCE
        return bool(self.kept) and better and self.after >= self.before - _TOLERANCE


def mask_lesson(prose: Prose, names: Container[str]) -> Prose:
    """The prose as the memory may keep it."""
    return prose._replace(
        when=mask_prose(prose.when, names),
        looks=mask_prose(prose.looks, names),
        questions=tuple(dict.fromkeys(mask_prose(each, names) for each in prose.questions)),
    )


def set_exam(memory: FailureMemory, schema: ErrorSchema, prose: Prose) -> Exam | None:
    """An exam for a lesson; ``None`` where there is nothing to tell failures from.

    Ordinary steps of the runs in which it failed come first: they are the hardest to tell apart.

    Args:
        memory: What remembers.
        schema: Whose failures.
        prose: What was written about it, masked.
    """
    failures = {row.text: row for row in memory.store.get(memory.members(schema.id))}
    texts = dict.fromkeys([*failures][:FAILING] or [schema.signature.text], True)
    runs = {row.trace for row in failures.values()}
    rows = list(memory.store.rows("ordinary", system=schema.system))
    # Ids are hashes: in their order any beginning is an even sample.
    for row in sorted(rows, key=lambda row: (row.trace not in runs, row.id)):
        if sum(not failing for failing in texts.values()) == ORDINARY:
            break
        if row.text not in failures:
            texts.setdefault(row.text, False)
    if all(texts.values()):
        return None
    order = sorted(
        texts, key=lambda text: hashlib.blake2b(text.encode("utf-8", "replace")).digest()
    )
    new = tuple(each for each in prose.questions if each not in schema.heuristics)
    return Exam(
        questions=(*schema.heuristics, *new[: max(MAX_HEURISTICS - len(schema.heuristics), 0)]),
        old=len(schema.heuristics),
        steps=tuple(order),
        failing=tuple(texts[text] for text in order),
    )


def mark_exam(exam: Exam, answers: Sequence[Collection[int]]) -> Mark:
    """What the answers say of the questions.

    Args:
        exam: What was asked.
        answers: For each step the questions that were answered with yes, counted from 0.
    """
    old = range(exam.old)
    kept = [q for q in range(exam.old, len(exam.questions)) if _tells(exam, answers, q)]
    return Mark(
        before=_replay(exam, answers, old),
        after=_replay(exam, answers, (*old, *kept)),
        kept=tuple(exam.questions[q] for q in kept),
    )


def keep_lesson(
    memory: FailureMemory, schema: str, prose: Prose, mark: Mark, *, who: str = "unknown"
) -> ErrorSchema | None:
    """Write a lesson that passed into its schema; what a person wrote there stays.

    Args:
        memory: What is changed, in one change that can be undone.
        schema: Id of the schema.
        prose: What was written about it, masked.
        mark: What came of its exam.
        who: Who asked for it.

    Returns:
        The schema as it stands now; ``None`` if it is gone, or was taught otherwise meanwhile.

    Raises:
        StoreError: If the memory cannot be written.
    """

    def keep() -> ErrorSchema | None:
        version = memory.store.version()
        rows: list[Row] = memory.store.get([schema])
        known = rows[0].schema_ if rows else None
        if known is None or known.judge is not None:
            return None
        told = _tell(known, prose, mark.kept)
        memory.change(
            "lesson",
            put=[rows[0].model_copy(update={"schema_": told})],
            note=f"{prose.author} on {schema}; replay {mark.before:.3f} to {mark.after:.3f}",
            who=who,
            after=version,
        )
        return told

    with memory.lock:
        return memory.repeat(keep)


def _tell(known: ErrorSchema, prose: Prose, questions: Sequence[str]) -> ErrorSchema:
    made = {title_of(known.signature.text, known.signature.tool, c) for c in (known.category, None)}
    title = known.title
    if not title or title in made:
        title = title_of(prose.looks, None, known.category)
    names: dict[str, str | None] = {}
    if not (known.category or known.mast or known.agentrx):
        # Not as `category`: that is for the words of a person, who may still come.
        lesson = make_lesson(known.origin, category=prose.category)
        names = {"mast": lesson.mast, "agentrx": lesson.agentrx}
    asked = dict.fromkeys([*known.heuristics, *questions])
    return known.model_copy(
        update={
            "title": title,
            "context": known.context.model_copy(update={"when": known.context.when or prose.when}),
            "heuristics": tuple(asked)[:MAX_HEURISTICS],
            "judge": prose.author,
            **names,
        }
    )


def _tells(exam: Exam, answers: Sequence[Collection[int]], question: int) -> bool:
    yes = [question in each for each in answers]
    failing = [y for y, f in zip(yes, exam.failing, strict=True) if f]
    ordinary = [y for y, f in zip(yes, exam.failing, strict=True) if not f]
    return sum(failing) / len(failing) > sum(ordinary) / len(ordinary)


def _replay(exam: Exam, answers: Sequence[Collection[int]], questions: Sequence[int]) -> float:
    """Share of pairs in the right order; chance where there are no questions."""
    counts = [sum(q in each for q in questions) for each in answers]
    failing = [n for n, f in zip(counts, exam.failing, strict=True) if f]
    ordinary = [n for n, f in zip(counts, exam.failing, strict=True) if not f]
    won = sum((a > b) + 0.5 * (a == b) for a in failing for b in ordinary)
    return won / (len(failing) * len(ordinary))
