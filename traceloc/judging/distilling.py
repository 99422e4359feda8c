"""Lets a judge write down what a confirmed failure teaches, for the failure memory.

What it writes is a proposal: the memory takes it only where its replay on remembered failures does
not get worse. It holds nothing of the run: masked before it is asked, and held to general terms.
"""

from __future__ import annotations

import re
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from traceloc.attribution import Attribution, Candidate
from traceloc.categories import normalise_category
from traceloc.judgement import JudgeError, JudgeReply
from traceloc.judging import wording
from traceloc.judging.case import Ask
from traceloc.judging.prompts import category_names, compose
from traceloc.judging.verdicts import parse_answer
from traceloc.judging.view import CaseView
from traceloc.quoting import shorten
from traceloc.trace import Document, Trace

BEFORE, AFTER = 6, 4
"""Steps shown around the failing one."""
FAILING, AROUND = 2_400.0, 500.0
FEWEST, MOST = 2, 5
LONGEST = 400
SHARED_WORDS = 8
"""Words in a row that a lesson may have in common with the run it comes from."""
QUESTION = "#{step} is the decisive error step of this run; that is known. What does it teach?"
_SPECIFIC = re.compile(r"\d{3,}|https?://|<[A-Z]+(?:_[A-Z]+)*_\d+>|(?:#|\bsteps? )\d")


class JudgedLesson(Document):
    """What a judge learned from a confirmed failure, in general terms."""

    context: str
    """When the failure comes up."""
    signature: str
    """What the failing step looks like."""
    heuristics: tuple[str, ...]
    """Questions with the answer yes for such a step, two to five."""
    category: str | None = None
    """Name in MAST or AgentRx, where it gave a known one."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    context: str = Field(min_length=1)
    signature: str = Field(min_length=1)
    heuristics: list[str]
    category: str | None = None


async def ask_for_lesson(view: CaseView, step: int, *, ask: Ask, budget: int) -> JudgedLesson:
    """Ask a judge what a confirmed failure teaches; see also ``Panel.distil``.

    Args:
        view: The failed run.
        step: Its decisive error step, as somebody confirmed it.
        ask: Who is asked.
        budget: Tokens of the question, with its answer.

    Raises:
        JudgeError: If there is no answer, or one that is no lesson.
    """
    form = wording.LESSON.replace("{categories}", category_names())
    draft = compose(
        view,
        budget=budget,
        allowances=dict.fromkeys(_shown(view, step), AROUND) | {step: FAILING},
        scale=1.0,
        question=QUESTION.replace("{step}", str(step)),
        schema=wording.LESSON_SCHEMA,
        expected=False,
        system=form,
    )
    return await ask(draft, partial(read_lesson, view=view, step=step))


def read_lesson(reply: JudgeReply, view: CaseView, *, step: int) -> JudgedLesson:
    """The checked lesson of an answer.

    Raises:
        JudgeError: If it is of another form, or repeats the run instead of teaching.
    """
    answer = parse_answer(reply, _Answer)
    questions = tuple(_clean(view, each) for each in answer.heuristics if each.strip())
    if not FEWEST <= len(questions) <= MOST:
        raise JudgeError("invalid", f"{len(questions)} heuristics; expected {FEWEST} to {MOST}")
    lesson = JudgedLesson(
        context=_clean(view, answer.context),
        signature=_clean(view, answer.signature),
        heuristics=questions,
        category=_known(answer.category),
    )
    shown = [view.text(i) for i in _shown(view, step)]
    for words in (lesson.context, lesson.signature, *questions):
        if (found := _SPECIFIC.search(words)) is not None:
            raise JudgeError("invalid", f"speaks of this run: {found[0]!r}")
        if any(_repeats(words, text) for text in shown):
            raise JudgeError("invalid", "repeats the words of the run")
    return lesson


def _shown(view: CaseView, step: int) -> range:
    return range(max(step - BEFORE, 0), min(step + AFTER + 1, len(view)))


def _clean(view: CaseView, text: str) -> str:
    return shorten(" ".join(view.mask(text).split()), LONGEST)


def _known(category: str | None) -> str | None:
    found = normalise_category(category) if category else None
    return None if found is None else found.name


def _repeats(words: str, text: str) -> bool:
    """Whether a lesson has a long run of words in common with a step that was shown."""
    mine, theirs = words.casefold().split(), f" {' '.join(text.casefold().split())} "
    runs = (mine[i : i + SHARED_WORDS] for i in range(len(mine) - SHARED_WORDS + 1))
    return any(f" {' '.join(run)} " in theirs for run in runs)


def confirmed_answer(trace: Trace, step: int) -> Attribution:
    """An answer that names the confirmed step and nothing else."""
    chosen = trace.steps[step]
    candidate = Candidate(
        rank=1,
        step=step,
        native_index=chosen.native_index,
        agent=chosen.agent,
        kind=chosen.kind,
        score=0.0,
        probability=1.0,
    )
    return Attribution(
        trace_id=trace.id,
        locator=trace.locator(step),
        status="located",
        candidates=(candidate,),
        n_steps=len(trace.steps),
        n_candidates=1,
    )
