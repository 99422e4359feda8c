"""One step in its context, with what speaks against it and what rests on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from traceloc.attribution import Attribution, Candidate
from traceloc.quoting import quote_step, say_count
from traceloc.report import ReportOptions
from traceloc.reporting.terminal import clip, escape, one_line, pasteable, wrap
from traceloc.reporting.text import evidence_lines, to_target
from traceloc.reporting.timeline import Timeline
from traceloc.trace import Step, Trace

if TYPE_CHECKING:
    from traceloc.graph import EdgeKind, TraceGraph

CONTEXT_STEPS = 3
MAX_TEXT_LINES = 30
MAX_DEPENDENTS = 12
EDGES_THAT_CARRY: tuple[EdgeKind, ...] = ("uses", "calls", "reply")
"""Edges over which a wrong step reaches later ones, the strongest reason first."""


class Dependent(NamedTuple):
    """A later step that rests on the one looked at."""

    step: int
    kinds: tuple[str, ...]
    values: tuple[str, ...]
    """Values that were first seen in the earlier step."""


def find_dependents(graph: TraceGraph, step: int) -> list[Dependent]:
    """Later steps that use a value of a step, answer its call or reply to it, in order."""
    kinds: dict[int, list[str]] = {}
    for kind in EDGES_THAT_CARRY:
        edges = graph.edges(kind)
        for target in edges.target[edges.source == step].tolist():
            if target > step:
                kinds.setdefault(target, []).append(kind)
    return [
        Dependent(
            target,
            tuple(names),
            tuple(graph.shared_values(step, target, limit=4)) if "uses" in names else (),
        )
        for target, names in sorted(kinds.items())
    ]


def render_step(
    trace: Trace,
    attribution: Attribution,
    step: Step,
    *,
    dependents: list[Dependent],
    options: ReportOptions,
    everything: bool = False,
) -> Iterator[str]:
    """Yield the close-up of a step, line by line.

    Args:
        trace: The trace.
        attribution: Its answer, with as many candidates as there are steps.
        step: The step to look at.
        dependents: What :func:`find_dependents` gives.
        options: Width and colour.
        everything: Show the whole text of the step.
    """
    timeline = Timeline(trace, attribution, options)
    paint = timeline.paint
    candidate = _candidate_of(step, attribution)
    before = trace.steps[max(0, step.index - CONTEXT_STEPS) : step.index]
    after = trace.steps[step.index + 1 : step.index + 1 + CONTEXT_STEPS]
    lines = [
        paint.bold(pasteable(trace.locator(step.index))),
        paint.dim(clip(one_line(_facts(step, candidate, attribution)), options.width)),
        "",
        *(timeline.line(each) for each in before),
        timeline.line(step),
        *_body(step, options.width, everything=everything),
        *(timeline.line(each) for each in after),
        "",
        paint.bold("what speaks against it"),
        *_evidence(candidate, options),
        "",
        paint.bold("what rests on it"),
        *_dependents(trace, dependents, options),
    ]
    for line in lines:
        yield to_target(line, options)


def _candidate_of(step: Step, attribution: Attribution) -> Candidate | None:
    """The candidate of a step; steps that share a place in the source are weighed as one."""
    for candidate in attribution.candidates:
        if candidate.step == step.index:
            return candidate
    for candidate in attribution.candidates:
        if candidate.native_index == step.native_index:
            return candidate
    return None


def _facts(step: Step, candidate: Candidate | None, attribution: Attribution) -> str:
    facts = [step.agent, step.kind]
    if candidate is not None:
        facts.append(f"rank {candidate.rank} of {attribution.n_candidates}")
        if candidate.step != step.index:
            facts.append(f"weighed together with #{candidate.step}")
    facts.append(f"native index {step.native_index}")
    if step.line is not None:
        facts.append(f"line {step.line}")
    if step.to:
        facts.append(f"to {', '.join(step.to)}")
    return " · ".join(facts)


def _body(step: Step, width: int, *, everything: bool) -> list[str]:
    text = step.text
    for call in step.tool_calls:
        text += f"\n→ {quote_step(step.model_copy(update={'text': '', 'tool_calls': (call,)}))}"
    if step.error is not None:
        text += f"\n✗ {step.error.kind} error: {step.error.message}"
    # A line of a megabyte is cut before it is wrapped; --all is for who wants to see it.
    limit = len(text) if everything else MAX_TEXT_LINES * width
    lines: list[str] = []
    for raw in text[:limit].strip("\n").splitlines():
        lines.extend(wrap(escape(raw.expandtabs(4)), width - 6) or [""])
    cut = len(text) > limit or (not everything and len(lines) > MAX_TEXT_LINES)
    shown = lines if everything else lines[:MAX_TEXT_LINES]
    return [f"    │ {line}" for line in [*shown, *(["… (--all shows the rest)"] if cut else [])]]


def _evidence(candidate: Candidate | None, options: ReportOptions) -> list[str]:
    if candidate is None:
        return ["  it was not weighed: no agent decided anything in it"]
    if not candidate.evidence:
        return ["  no single claim; its rank comes from its place and kind"]
    return [
        f"  {line}"
        for evidence in candidate.evidence
        for line in evidence_lines(evidence, room=options.width - 2, color=options.color)
    ]


def _dependents(trace: Trace, dependents: list[Dependent], options: ReportOptions) -> list[str]:
    if not dependents:
        return ["  nothing that can be traced: no later step uses its values or answers it"]
    lines = []
    for each in dependents[:MAX_DEPENDENTS]:
        values = ", ".join(f"“{one_line(value)}”" for value in each.values)
        how = f"uses {values}" if values else each.kinds[0]
        others = [kind for kind in each.kinds if kind != "uses"] if values else each.kinds[1:]
        how += f" ({', '.join(others)})" if others else ""
        line = f"  #{each.step} {one_line(trace.steps[each.step].agent)}: {how}"
        lines.append(clip(line, options.width))
    if len(dependents) > MAX_DEPENDENTS:
        lines.append(f"  … and {say_count(len(dependents) - MAX_DEPENDENTS, 'more step')}")
    return lines
