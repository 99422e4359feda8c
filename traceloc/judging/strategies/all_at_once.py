"""``all-at-once``: the whole log in one question, cut only where the budget demands it."""

from __future__ import annotations

from functools import partial

from traceloc.judgement import Verdict
from traceloc.judging.case import Ask, Case
from traceloc.judging.layout import evenly
from traceloc.judging.prompts import WHOLE
from traceloc.judging.verdicts import read_verdict

QUESTION = "Which step is the decisive error step?"


async def judge_all_at_once(case: Case, ask: Ask) -> Verdict:
    """One question about the whole trace.

    Zhang et al. (2025), "Which agent causes task failures and when?", there without numbers.
    """
    draft = case.draft(
        QUESTION, allowances=evenly(case.view), scale=WHOLE, candidates=case.candidates
    )
    return await ask(draft, partial(read_verdict, view=case.view, allowed=draft.shown))
