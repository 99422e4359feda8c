"""``binary-search``: halves the stretch that holds the error until one step is left."""

from __future__ import annotations

from functools import partial

from traceloc.judgement import Verdict
from traceloc.judging import wording
from traceloc.judging.case import Ask, Case
from traceloc.judging.prompts import WHOLE, Draft
from traceloc.judging.verdicts import read_half, read_verdict

HALVES = (
    "The decisive error step is one of #{first} to #{last}. Is it in the first half, #{first} to "
    "#{middle}, or in the second, #{next} to #{last}?"
)
FINAL = "The decisive error step is #{step}, or there is none. What is wrong with it?"
INSIDE, OUTSIDE = 1.0, 0.15


async def judge_by_halves(case: Case, ask: Ask) -> Verdict:
    """As many questions as the number of candidates can be halved, and one for the reason."""
    view = case.view
    left = view.blamable
    while len(left) > 1:
        half = (len(left) + 1) // 2
        question = (
            HALVES.replace("{first}", str(left[0]))
            .replace("{last}", str(left[-1]))
            .replace("{middle}", str(left[half - 1]))
            .replace("{next}", str(left[half]))
        )
        draft = _draft(case, left, question, halves=True)
        left = left[:half] if await ask(draft, read_half) else left[half:]
    draft = _draft(case, left, FINAL.replace("{step}", str(left[0])), halves=False)
    return await ask(draft, partial(read_verdict, view=view, allowed=frozenset(left)))


def _draft(case: Case, left: list[int], question: str, *, halves: bool) -> Draft:
    inside = frozenset(range(left[0], left[-1] + 1))
    return case.draft(
        question,
        allowances={i: INSIDE if i in inside else OUTSIDE for i in range(len(case.view))},
        scale=WHOLE,
        candidates=[each for each in case.candidates if each.step in inside],
        form=wording.HALVES if halves else wording.ANSWER,
        schema=wording.HALVES_SCHEMA if halves else wording.ANSWER_SCHEMA,
    )
