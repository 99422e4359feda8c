"""Builds the prompt of one question, within the budget."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from traceloc.attribution import Candidate
from traceloc.categories import CATEGORIES
from traceloc.judgement import JudgeError, JudgeHint
from traceloc.judging import wording
from traceloc.judging.layout import lay_out
from traceloc.judging.tokens import MESSAGE_OVERHEAD, bound_tokens
from traceloc.judging.view import CaseView
from traceloc.quoting import shorten

MAX_OUTPUT = 1024
LONGEST_TASK = 2_000
LONGEST_EXPECTED = 600
LISTED = 8
"""Candidates listed with their evidence."""
EVIDENCE_EACH = 2
CLAIM_CHARACTERS = 140
HINTS = 4
QUESTIONS_EACH = 4
WHOLE = 1_000_000.0
"""A scale at which no step is cut."""


class Draft(NamedTuple):
    """A question, and what an answer to it is checked against."""

    system: str
    user: str
    schema: dict[str, Any]
    max_output: int
    shown: frozenset[int]
    """Steps that the judge sees, and so may name."""
    bound: int
    """Tokens of prompt and answer at most."""


def category_names() -> str:
    """The names a judge may use, in one line."""
    return "; ".join(each.name for each in CATEGORIES)


def instruct(form: str) -> str:
    """The rules with the form of an answer."""
    return f"{wording.RULES}\n\n{form.replace('{categories}', category_names())}"


def compose(
    view: CaseView,
    *,
    budget: int,
    allowances: Mapping[int, float],
    scale: float,
    question: str,
    form: str = wording.ANSWER,
    schema: dict[str, Any] | None = None,
    candidates: Sequence[Candidate] = (),
    hints: Sequence[JudgeHint] = (),
    expected: bool = True,
    seed: str = "",
    system: str | None = None,
) -> Draft:
    """A prompt that fits the budget by our bound.

    Args:
        view: The trace.
        budget: Tokens of prompt and answer together.
        allowances: Characters for each step, times ``scale``.
        scale: Largest factor for them.
        question: What is asked, after the log.
        form: Form of the answer, in words.
        schema: The same as JSON Schema.
        candidates: What the ranker found; left out where empty.
        hints: What past failures teach.
        expected: Whether to show the expected answer.
        seed: Decides the order of the candidates, so that their place says nothing.
        system: Instead of the rules.

    Raises:
        JudgeError: ``budget``, if the budget is too small; ``redaction``, if masking failed.
    """
    max_output = min(MAX_OUTPUT, budget // 4)
    system = instruct(form) if system is None else system
    room, fixed = 0, 0
    # What is not the log may take half; else less is listed beside it.
    for share in (1.0, 0.4, 0.15):
        head = _head(view, hints, expected=expected, share=share)
        tail = _tail(view, candidates, question, seed=seed, share=share)
        fixed = bound_tokens(system) + bound_tokens(head) + bound_tokens(tail)
        room = budget - max_output - fixed - 2 * MESSAGE_OVERHEAD - 64
        if room >= budget // 2:
            break
    if room < 64:
        raise JudgeError(
            "budget", f"{budget} tokens leave no room for a single step; the rest takes {fixed}"
        )
    laid = lay_out(view, allowances, tokens=room, scale=scale)
    if not laid.shown:
        raise JudgeError("budget", f"{budget} tokens leave no room for a single step")
    log = f"LOG, {len(view)} steps\n<<{view.fence}\n{laid.text}\n{view.fence}>>"
    user = "\n\n".join(part for part in (head, log, tail) if part)
    # Cutting can bring together what was apart, so the finished text is masked and then checked.
    user = view.redactor.mask(user)
    view.redactor.check(user)
    bound = bound_tokens(system) + bound_tokens(user) + MESSAGE_OVERHEAD + max_output
    if bound > budget:
        raise JudgeError("budget", f"the prompt came out at {bound} of {budget} tokens")
    return Draft(system, user, schema or wording.ANSWER_SCHEMA, max_output, laid.shown, bound)


def _head(view: CaseView, hints: Sequence[JudgeHint], *, expected: bool, share: float) -> str:
    parts = []
    if task := view.task:
        parts.append(f"TASK\n{fenced(view, task, longest=int(share * LONGEST_TASK))}")
    if expected and (answer := view.expected):
        longest = int(share * LONGEST_EXPECTED)
        parts.append(f"EXPECTED ANSWER\n{fenced(view, answer, longest=longest)}")
    if hints:
        parts.append(_lessons(view, hints[: max(1, int(share * HINTS))]))
    return "\n\n".join(parts)


def _lessons(view: CaseView, hints: Sequence[JudgeHint]) -> str:
    lines = []
    for hint in hints:
        kind = f" ({_line(view.mask(hint.category), 60)})" if hint.category else ""
        lines.append(f"- {_line(view.mask(hint.signature), 240)}{kind}")
        lines += [f"  ? {_line(view.mask(q), 160)}" for q in hint.questions[:QUESTIONS_EACH]]
    # Made from other traces, so no more to be trusted than this one.
    return (
        "FAILURES OF OTHER RUNS that look alike, with questions that showed them; they may not "
        f"apply here:\n{fenced(view, chr(10).join(lines))}"
    )


def _tail(
    view: CaseView, candidates: Sequence[Candidate], question: str, *, seed: str, share: float
) -> str:
    parts = []
    if candidates:
        listed = list(candidates[: max(2, int(share * LISTED))])
        # Judges lean towards what stands first; the order must not tell them the ranks.
        random.Random(seed).shuffle(listed)  # noqa: S311
        lines = []
        for each in listed:
            view.text(each.step)
            lines.append(f"- #{each.step} {view.name(each.agent)}, {each.probability:.2f}")
            # What the memory recalls names where that failure stood; hints say the rest.
            said = [e for e in each.evidence if not e.signal.startswith("memory.")]
            for evidence in said[: EVIDENCE_EACH if share == 1 else 1]:
                cited = ", ".join(
                    f"#{cite.step}" for cite in evidence.cites[:3] if cite.step != each.step
                )
                # A claim may quote a secret without its name: those of the steps are known first.
                for cite in evidence.cites:
                    view.text(cite.step)
                claim = _line(view.mask(evidence.claim), CLAIM_CHARACTERS)
                lines.append(f"  {claim}{f' ({cited})' if cited else ''}")
        parts.append(
            "CANDIDATES of a statistical ranker, in no order. It is often wrong; the number is its "
            f"estimate that the step is decisive:\n{fenced(view, chr(10).join(lines))}"
        )
    parts.append(question)
    return "\n\n".join(parts)


def fenced(view: CaseView, text: str, *, longest: int = 4_000) -> str:
    """Words that are data, between the marks of the trace."""
    if len(text) > longest:
        text = f"{text[:longest]} […{len(text) - longest} cut…]"
    lines = "\n".join(f"| {line}" for line in text.splitlines() if line.strip())
    return f"<<{view.fence}\n{lines}\n{view.fence}>>"


def _line(text: str, longest: int) -> str:
    return shorten(" ".join(text.split()), longest)
