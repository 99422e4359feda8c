"""Rules that need no learning, which any ranker has to beat."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from traceloc.trace import Step, Trace

UNIFORM = "uniform"
COMMONEST = "commonest position"

_ASSUMPTION = re.compile(
    r"\b(?:assum(?:e|es|ed|ing|ption|ptions)|suppos(?:e|ing)|simulat(?:e|ed|ing|ion)|hypothetical"
    r"|placeholder|for example purposes|let's say|mock)\b",
    re.IGNORECASE,
)
_CODE_TOOLS = re.compile(r"python|code|exec|shell|bash|terminal", re.IGNORECASE)


def pick_by_rules(trace: Trace, candidates: Sequence[int]) -> dict[str, int]:
    """The candidate that each rule names.

    Acting steps are those of agents other than orchestrators; where there are none, those of any
    agent; where there are none of these either, all candidates. A rule whose mark does not occur
    names the first acting step.

    Args:
        trace: The trace; its truth is not read.
        candidates: Steps that may be blamed, in order.

    Returns:
        Position among the candidates, by the rule's name; empty without candidates.
    """
    if not len(candidates):
        return {}
    steps = [trace.steps[i] for i in candidates]
    kinds = {agent.name: agent.kind for agent in trace.agents}
    agents = [i for i, step in enumerate(steps) if _is_agent(step, kinds)]
    acting = [i for i in agents if kinds.get(steps[i].agent) != "orchestrator"]
    acting = acting or agents or list(range(len(steps)))
    first_error = next((step.index for step in trace.steps if _is_tool_error(step)), None)
    before = [i for i in acting if first_error is not None and steps[i].index < first_error]

    def first(mark: Callable[[Step], bool]) -> int:
        return next((i for i in acting if mark(steps[i])), acting[0])

    return {
        "agent before the first tool error": before[-1] if before else acting[0],
        "first acting step": acting[0],
        "first code block": first(_has_code),
        "first assumption": first(lambda step: bool(_ASSUMPTION.search(step.text))),
        "author of the last acting step": acting[-1],
    }


def commonest_position(labels: Sequence[int]) -> int:
    """The native index that training labels name most often; of equals the lowest; 0 for none."""
    counts: dict[int, int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return min(counts, key=lambda label: (-counts[label], label), default=0)


def nearest(native: Sequence[int], wanted: int) -> int:
    """Position of the candidate closest to a native index; of equals the earlier one."""
    return min(range(len(native)), key=lambda i: (abs(native[i] - wanted), i))


def _is_agent(step: Step, kinds: Mapping[str, str]) -> bool:
    kind = kinds.get(step.agent, "unknown")
    return not step.is_environment and kind not in ("human", "tool", "system")


def _is_tool_error(step: Step) -> bool:
    error = step.error
    return error is not None and step.is_environment and error.kind != "control_flow"


def _has_code(step: Step) -> bool:
    return "```" in step.text or any(_CODE_TOOLS.search(call.name) for call in step.tool_calls)
