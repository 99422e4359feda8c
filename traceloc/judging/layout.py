"""Fits the steps of a trace into a number of tokens, and says what it left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from traceloc.judging.tokens import bound_tokens
from traceloc.judging.view import CaseView

SMALLEST = 24
"""Characters below which a step is not worth its line."""
FLAT = 300
"""Characters up to which a text stands on one line."""
TOKENS_PER_CHARACTER = 0.55
HEADER_TOKENS = 9
NAMES_SHOWN = 4


class Laid(NamedTuple):
    """Steps as they stand in a prompt."""

    text: str
    shown: frozenset[int]
    """Steps of which something is to be seen."""
    cut: int
    """Characters left out of these."""


def lay_out(view: CaseView, allowances: Mapping[int, float], *, tokens: int, scale: float) -> Laid:
    """The steps in order, grouped into turns, each cut to its allowance.

    Args:
        view: The trace.
        allowances: Characters for each step, times ``scale``; steps without one are not shown.
        tokens: What the whole may take, by our bound.
        scale: Largest factor for the allowances; made smaller until everything fits.
    """
    indices = sorted(allowances)
    sizes = [_size(view, i) for i in indices]
    weights = [allowances[i] for i in indices]
    fitting = _estimate(sizes, weights, tokens=tokens, scale=scale)
    while True:
        laid = _render(view, indices, [weight * fitting for weight in weights])
        if bound_tokens(laid.text) <= tokens or not laid.shown:
            return laid
        fitting *= 0.85


def _size(view: CaseView, index: int) -> int:
    step = view.steps[index]
    return len(step.text) + len(step.reasoning or "") + 60 * len(step.tool_calls)


def _estimate(
    sizes: Sequence[int], weights: Sequence[float], *, tokens: int, scale: float
) -> float:
    """Largest scale that may fit, by sizes alone: masking a text costs more than guessing it."""

    def needed(factor: float) -> float:
        total = 0.0
        for size, weight in zip(sizes, weights, strict=True):
            allowance = weight * factor
            if allowance >= SMALLEST:
                total += HEADER_TOKENS + TOKENS_PER_CHARACTER * min(size, allowance)
        return total

    if needed(scale) <= tokens:
        return scale
    low, high = 0.0, scale
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if needed(middle) <= tokens else (low, middle)
    return high


def _render(view: CaseView, indices: Sequence[int], allowances: Sequence[float]) -> Laid:
    chosen = {i: int(a) for i, a in zip(indices, allowances, strict=True) if a >= SMALLEST}
    lines: list[str] = []
    turn = -1
    turns = view.graph.turn_of
    hidden_from = 0
    cut = 0
    for index in sorted(chosen):
        if index > hidden_from:
            lines.append(_gap(view, hidden_from, index - 1))
            turn = -1
        hidden_from = index + 1
        step = view.steps[index]
        head = f"#{index} {step.kind}{_facts(view, index)}"
        if turns[index] != turn:
            turn = int(turns[index])
            head = f"== turn {turn}, {view.name(step.agent)}: {head}"
        shown = view.show(index, chosen[index])
        cut += shown.cut
        lines.append(head)
        text = " ".join(shown.text.split()) if chosen[index] <= FLAT else shown.text
        lines.extend(f"| {line}" for line in text.splitlines() if line.strip())
    if hidden_from < len(view):
        lines.append(_gap(view, hidden_from, len(view) - 1))
    return Laid("\n".join(lines), frozenset(chosen), cut)


def _facts(view: CaseView, index: int) -> str:
    """To whom a step is addressed, what it was given, and that it failed."""
    step = view.steps[index]
    facts = ""
    if step.to:
        facts += " → " + ", ".join(view.name(name) for name in step.to[:NAMES_SHOWN])
    if step.inputs is not None and not step.is_environment:
        seen = [each.step for each in step.inputs if each.step is not None]
        if seen and len(seen) < index:
            facts += f" · was given {name_steps(seen)}"
    if step.error is not None:
        facts += " · failed"
    return facts


def name_steps(steps: Collection[int]) -> str:
    """Steps as a few ranges: ``#3 to #17, #20``; only the last ones of many."""
    runs: list[list[int]] = []
    for step in sorted(set(steps)):
        if runs and step == runs[-1][1] + 1:
            runs[-1][1] = step
        else:
            runs.append([step, step])
    words = [f"#{a}" if a == b else f"#{a} to #{b}" for a, b in runs[-NAMES_SHOWN:]]
    return ("…, " if len(runs) > NAMES_SHOWN else "") + ", ".join(words)


def _gap(view: CaseView, first: int, last: int) -> str:
    names = list(
        dict.fromkeys(view.steps[i].agent for i in range(first, min(last + 1, first + 500)))
    )
    listed = ", ".join(view.name(name) for name in names[:NAMES_SHOWN])
    more = ", …" if len(names) > NAMES_SHOWN else ""
    span = f"#{first}" if first == last else f"#{first} to #{last}"
    return f"== {span} not shown ({listed}{more})"


def evenly(view: CaseView, steps: Sequence[int] | None = None) -> dict[int, float]:
    """The same allowance for each step; those that signals point at get twice as much."""
    pointed = {
        cite.step
        for candidate in view.suspects[:5]
        for evidence in candidate.evidence
        for cite in evidence.cites
    }
    chosen = range(len(view)) if steps is None else steps
    return {i: 2.0 if i in pointed else 1.0 for i in chosen}
