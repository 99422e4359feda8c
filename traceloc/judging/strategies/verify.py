"""``verify``: propose, try to refute against the graph, revise, until the verdict holds.

Temporal consistency (Guo et al. 2025, arXiv 2503.14495): an answer that a judge gives again when it
looks once more is right more often than one it gave once.
"""

from __future__ import annotations

from functools import partial

from traceloc.graph.trace_graph import EdgeKind
from traceloc.judgement import Verdict
from traceloc.judging.case import Ask, Case
from traceloc.judging.layout import name_steps
from traceloc.judging.prompts import Draft, fenced
from traceloc.judging.strategies.candidates import (
    allow_by_suspicion,
    asked_about,
    draft_candidates,
    judge_candidates,
)
from traceloc.judging.verdicts import read_verdict
from traceloc.judging.view import CaseView

ROUNDS = 3
"""Revisions at most; it stops earlier where the verdict stays."""
EDGES: tuple[EdgeKind, ...] = ("reply", "uses", "calls", "returns", "delegates")
NEIGHBOURS = 6
CLOSE = 900.0
PROPOSED = "Another reader says that #{step} is the decisive error step, in these words:"
NONE_PROPOSED = "Another reader says that no step is a decisive error, in these words:"
REFUTE = """\
{proposed}
{claim}
Try to refute this. {facts}
Was the error already there before? Would the run have succeeded had that step been right? Did a
later step make it good? Is {others} the earlier or the more decisive one? Then give your own
verdict, which may be the same."""


async def judge_and_verify(case: Case, ask: Ask) -> Verdict:
    """A proposal, then attempts to refute it until two verdicts in a row agree."""
    if not case.candidates:
        verdict = await judge_candidates(case, ask)
        allowed = frozenset(range(len(case.view)))
    else:
        draft = draft_candidates(case)
        allowed = asked_about(case, draft)
        verdict = await ask(draft, partial(read_verdict, view=case.view, allowed=allowed))
    for _ in range(ROUNDS):
        draft = _draft_refutation(case, verdict)
        revised = await ask(
            draft, partial(read_verdict, view=case.view, allowed=allowed & draft.shown)
        )
        if revised.step == verdict.step:
            return revised
        verdict = revised
    return verdict


def _draft_refutation(case: Case, verdict: Verdict) -> Draft:
    view = case.view
    first, last = view.window if case.candidates else (0, len(view) - 1)
    allowances = allow_by_suspicion(view)
    rivals = [each.step for each in case.candidates if first <= each.step <= last][:3]
    if verdict.alternative is not None:
        rivals.insert(0, verdict.alternative)
    rivals = [step for step in dict.fromkeys(rivals) if step != verdict.step][:3]
    facts = ""
    if verdict.step is not None:
        before, after = neighbours(view, verdict.step)
        for step in (verdict.step, *before, *after):
            allowances[step] = max(allowances.get(step, 0.0), CLOSE)
        facts = _facts(verdict.step, before, after)
    form = NONE_PROPOSED if verdict.step is None else PROPOSED
    question = (
        REFUTE.replace("{proposed}", form.replace("{step}", str(verdict.step)))
        .replace("{facts}", facts)
        .replace("{others}", name_steps(rivals) if rivals else "another step")
        # Last, and fenced: a trace may have put words into the other reader's mouth.
        .replace("{claim}", fenced(view, verdict.claim))
    )
    return case.draft(question, allowances=allowances, scale=1.0)


def neighbours(view: CaseView, step: int) -> tuple[list[int], list[int]]:
    """Steps that a step rests on, and steps that rest on it, by the edges of the graph."""
    before: dict[int, None] = {}
    after: dict[int, None] = {}
    for kind in EDGES:
        edges = view.graph.edges(kind)
        before.update(dict.fromkeys(edges.source[edges.target == step].tolist()[:NEIGHBOURS]))
        after.update(dict.fromkeys(edges.target[edges.source == step].tolist()[:NEIGHBOURS]))
    return sorted(before)[-NEIGHBOURS:], sorted(after)[:NEIGHBOURS]


def _facts(step: int, before: list[int], after: list[int]) -> str:
    words = []
    if before:
        words.append(f"By its values and replies #{step} rests on {name_steps(before)}.")
    if after:
        words.append(
            f"{name_steps(after)} rest on it." if len(after) > 1 else f"#{after[0]} rests on it."
        )
    return " ".join(words)
