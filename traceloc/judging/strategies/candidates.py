"""``candidates``: only the steps that the ranker cannot rule out, the likelier the closer."""

from __future__ import annotations

from functools import partial

from traceloc.judgement import Verdict
from traceloc.judging.case import Ask, Case
from traceloc.judging.prompts import Draft
from traceloc.judging.strategies.all_at_once import judge_all_at_once
from traceloc.judging.verdicts import read_verdict
from traceloc.judging.view import CaseView

QUESTION = "Which step {among} is the decisive error step? The others are there for context."
LIKELIEST, UNLIKELY = 1_200.0, 110.0
"""Characters for the likeliest step, and for one of the set that is hardly suspected."""
RESULT_SHARE = 0.5
"""What an answer of the environment gets of what the step beside it gets."""
CONTEXT, OPENING, CLOSING, CITED = 56.0, 200.0, 240.0, 200.0
SHARPNESS = 0.8


async def judge_candidates(case: Case, ask: Ask) -> Verdict:
    """One question about the conformal window, with the rest of the trace a line a step.

    Where the judge may not see what the ranker found, it is asked about everything.
    """
    if not case.candidates:
        return await judge_all_at_once(case, ask)
    draft = draft_candidates(case)
    return await ask(draft, partial(read_verdict, view=case.view, allowed=asked_about(case, draft)))


def draft_candidates(case: Case) -> Draft:
    """The prompt about the conformal window."""
    view = case.view
    first, last = view.window
    inside = tuple(each for each in case.candidates if first <= each.step <= last)
    among = f"from #{first} to #{last}" if last > first else f"(#{first} is the only suspect)"
    return case.draft(
        QUESTION.replace("{among}", among),
        allowances=allow_by_suspicion(view),
        scale=1.0,
        candidates=inside,
    )


def asked_about(case: Case, draft: Draft) -> frozenset[int]:
    """Steps that may be blamed: those of the window of which something is shown."""
    first, last = case.view.window
    return frozenset(step for step in draft.shown if first <= step <= last)


def allow_by_suspicion(view: CaseView) -> dict[int, float]:
    """Characters for each step: much for what is suspected, a line for what is not."""
    first, last = view.window
    highest = max((each.probability for each in view.suspects), default=0.0)
    allowed = dict.fromkeys(range(len(view)), CONTEXT)
    for step in range(first, last + 1):
        candidate = view.places.get(step)
        share = candidate.probability / highest if candidate and highest > 0 else 0.0
        allowed[step] = UNLIKELY + (LIKELIEST - UNLIKELY) * share**SHARPNESS
    acting = view.graph.is_acting
    for step in range(first, min(last + 2, len(view))):
        if not acting[step]:
            beside = max(
                (allowed[i] for i in (step - 1, step + 1) if first <= i <= last and acting[i]),
                default=CONTEXT,
            )
            allowed[step] = max(RESULT_SHARE * beside, CONTEXT)
    for candidate in view.suspects[:5]:
        for evidence in candidate.evidence:
            for cite in evidence.cites:
                if 0 <= cite.step < len(view):
                    allowed[cite.step] = max(allowed[cite.step], CITED)
    allowed[0] = max(allowed[0], OPENING)
    allowed[len(view) - 1] = max(allowed[len(view) - 1], CLOSING)
    return allowed
