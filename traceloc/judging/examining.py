"""Lets a judge answer questions about single remembered steps, without saying which of them failed.

That is how the failure memory replays what a judge wrote: see :mod:`traceloc.memory.lessons`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from traceloc.judgement import JudgeError, JudgeReply
from traceloc.judging import wording
from traceloc.judging.case import Ask
from traceloc.judging.prompts import MAX_OUTPUT, Draft, fenced
from traceloc.judging.tokens import MESSAGE_OVERHEAD, bound_tokens
from traceloc.judging.verdicts import Number, parse_answer
from traceloc.judging.view import CaseView
from traceloc.quoting import shorten

if TYPE_CHECKING:
    from traceloc.memory.lessons import Exam

ALLOWANCES = (600, 300, 150, 80)
"""Characters of a step; the most that fits the budget."""
_QUESTION = "For each step: which questions have the answer yes?"


class _Marked(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    step: Number
    yes: list[Number]


class _Answers(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    answers: list[_Marked]


async def sit_exam(
    view: CaseView, exam: Exam, *, ask: Ask, budget: int
) -> tuple[frozenset[int], ...]:
    """For each step of an exam, the questions that are answered with yes, counted from 0.

    Args:
        view: The run the questions come from; masks.
        exam: What is asked.
        ask: Who is asked.
        budget: Tokens of the question, with its answer.

    Raises:
        JudgeError: If there is no answer, or one that leaves a step out.
    """
    return await ask(draft_exam(view, exam, budget=budget), partial(read_answers, exam=exam))


def draft_exam(view: CaseView, exam: Exam, *, budget: int) -> Draft:
    """The question, with as much of each step as the budget allows.

    Raises:
        JudgeError: ``budget``, if that is nothing; ``redaction``, if masking failed.
    """
    max_output = min(MAX_OUTPUT, budget // 4)
    questions = _number(view, exam.questions, 400)
    bound = 0
    for allowance in ALLOWANCES:
        steps = _number(view, exam.steps, allowance)
        parts = (
            f"STEPS\n{fenced(view, steps, longest=len(steps))}",
            f"QUESTIONS\n{fenced(view, questions, longest=len(questions))}",
            _QUESTION,
        )
        user = view.redactor.mask("\n\n".join(parts))
        view.redactor.check(user)
        bound = bound_tokens(wording.EXAM) + bound_tokens(user) + MESSAGE_OVERHEAD + max_output
        if bound <= budget:
            shown = frozenset(range(1, len(exam.steps) + 1))
            return Draft(wording.EXAM, user, wording.EXAM_SCHEMA, max_output, shown, bound)
    raise JudgeError("budget", f"the exam came out at {bound} of {budget} tokens")


def read_answers(reply: JudgeReply, exam: Exam) -> tuple[frozenset[int], ...]:
    """The checked answers.

    Raises:
        JudgeError: If they are of another form, or not about every step and only these.
    """
    found: dict[int, frozenset[int]] = {}
    for each in parse_answer(reply, _Answers).answers:
        if not 1 <= each.step <= len(exam.steps):
            raise JudgeError("invented", f"answers for step {each.step} of {len(exam.steps)}")
        if any(not 1 <= number <= len(exam.questions) for number in each.yes):
            raise JudgeError(
                "invented", f"answers a question that is none of {len(exam.questions)}"
            )
        yes = frozenset(number - 1 for number in each.yes)
        if found.setdefault(each.step, yes) != yes:
            raise JudgeError("contradictory", f"answers twice for step {each.step}")
    missing = len(exam.steps) - len(found)
    if missing:
        raise JudgeError("invalid", f"leaves out {missing} of {len(exam.steps)} steps")
    return tuple(found[number] for number in range(1, len(exam.steps) + 1))


def _number(view: CaseView, texts: tuple[str, ...], longest: int) -> str:
    """Texts as numbered lines, masked for whoever is asked."""
    lines = []
    for number, text in enumerate(texts, start=1):
        flat = " ".join(view.mask(text).split())
        lines.append(f"{number}. {shorten(flat, longest)}")
    return "\n".join(lines)
