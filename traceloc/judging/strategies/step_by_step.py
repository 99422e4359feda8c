"""``step-by-step``: each step in order, seeing only what came before, until one is the error."""

from __future__ import annotations

from functools import partial

from traceloc.judgement import JudgeError, Verdict
from traceloc.judging import wording
from traceloc.judging.case import Ask, Case
from traceloc.judging.options import MAX_CALLS
from traceloc.judging.verdicts import read_yes_no

QUESTION = "The run fails in the end. Is #{step}, the last step shown, the decisive error step?"
BEFORE, NOW = 1.0, 4.0
SCALE = 2_000.0


async def judge_step_by_step(case: Case, ask: Ask) -> Verdict:
    """One question a step (Zhang et al. 2025); a trace with too many steps is not begun."""
    view = case.view
    asked = view.blamable
    if len(asked) > MAX_CALLS:
        raise JudgeError(
            "budget", f"{len(asked)} steps to ask about one by one; at most {MAX_CALLS} are"
        )
    for step in asked:
        allowances = dict.fromkeys(range(step + 1), BEFORE) | {step: NOW}
        draft = case.draft(
            QUESTION.replace("{step}", str(step)),
            allowances=allowances,
            scale=SCALE,
            candidates=[each for each in case.candidates if each.step == step],
            form=wording.YES_NO,
            schema=wording.YES_NO_SCHEMA,
        )
        verdict = await ask(draft, partial(read_yes_no, view=view, step=step))
        if verdict is not None:
            return verdict
    return Verdict(step=None, claim="No step was found to be the decisive error.")
