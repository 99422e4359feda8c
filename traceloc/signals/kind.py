"""What sort of step it is: words, a call, code, a thought; long or short; first of its kind."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.contracts import Feature
from traceloc.graph import Origin, TraceGraph
from traceloc.signals.family import Family, first, last, share
from traceloc.signals.phrases import themes

_LIST = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])\s", re.MULTILINE)
ASSIGNMENT_LOOKED_AT = 6
"""Steps from the start among which the statement of the task is looked for."""
CODE_MARKS = ("```", "\ndef ", "\nimport ", "SELECT ", "#!/")


def has_code(graph: TraceGraph) -> NDArray[Any]:
    """Steps by agents that contain a block of code."""
    return graph.memo("has_code", _has_code)


def _has_code(graph: TraceGraph) -> NDArray[Any]:
    acting = graph.is_acting.tolist()
    return np.fromiter(
        (acting[s.index] and any(mark in s.text for mark in CODE_MARKS) for s in graph.steps),
        bool,
        len(graph),
    )


def has_calls(graph: TraceGraph) -> NDArray[Any]:
    """Steps that call tools."""
    return np.fromiter((bool(s.tool_calls) for s in graph.steps), bool, len(graph))


class KindSignal(Family):
    """Form of a step."""

    name = "kind"
    features = (
        Feature(
            "environment",
            "was returned by a tool or the environment, not decided",
            sign=-1,
            prior=-2.0,
        ),
        Feature("human", "was said by a person", sign=-1, prior=-1.5),
        Feature("thought", "is a private thought", sign=-1, prior=-0.3),
        Feature("order", "orders or hands over to another agent"),
        Feature("calls_tool", "calls a tool"),
        Feature("code", "writes code", sign=1),
        Feature("first_code", "writes the first code of the run"),
        Feature("first_acting", "is the first step an agent takes", "system"),
        Feature(
            "first_work",
            "is the first step of an agent that does not only plan or delegate",
            "system",
        ),
        Feature("first_of_agent", "is the first step of its agent", "system"),
        Feature("last_acting", "is the last step an agent takes", "system"),
        Feature("acts", "has an effect that something came back from"),
        Feature("empty", "says nothing and calls nothing", sign=-1, prior=-1.0),
        Feature("length", "is long", sign=1),
        Feature("length_share", "says much of what the run says", sign=1),
        Feature("orchestrator", "is taken by the orchestrator", sign=-1, prior=-0.3),
        Feature("assignment", "states the task or hands it out", "system"),
        Feature("lists", "is laid out in bullets or numbered points", sign=1, prior=0.1),
        Feature("agrees", "agrees with what others said"),
        Feature(
            "placeholders",
            "contains placeholders that somebody would have to fill in",
            prior=0.4,
            fault=True,
        ),
        Feature("swallows_errors", "writes code that hides its own errors", prior=0.5, fault=True),
        Feature("long_turn", "continues a run of steps by the same agent", "system"),
        Feature("only_step", "is all that its agent ever does", sign=1, prior=0.3),
        Feature(
            "first_after_calls",
            "is the first step after the last call of a tool",
            sign=1,
            prior=0.2,
        ),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting, steps = graph.is_acting, graph.steps
        code, calls = has_code(graph), has_calls(graph)
        theme = themes(graph)
        length = np.fromiter((len(s.text) for s in steps), np.float32, n)
        kinds = graph.agent_kinds
        orchestrator = np.fromiter((kinds.get(s.agent) == "orchestrator" for s in steps), bool, n)
        # Where nobody is known to orchestrate, everybody works.
        work = acting & ~orchestrator if (acting & ~orchestrator).any() else acting
        opening = np.zeros(n, bool)
        seen: set[str] = set()
        for s in steps:
            if s.agent not in seen:
                seen.add(s.agent)
                opening[s.index] = True
        turn = graph.turn_of
        starts = np.maximum.accumulate(np.where(np.diff(turn, prepend=-1) != 0, np.arange(n), 0))
        silent = np.fromiter((not s.text.strip() for s in steps), bool, n) & ~calls
        return {
            "environment": graph.is_environment,
            "human": graph.origins == Origin.HUMAN,
            "thought": np.fromiter((s.kind == "thought" for s in steps), bool, n),
            "order": np.fromiter((s.kind == "handoff" for s in steps), bool, n),
            "calls_tool": calls,
            "code": code,
            "first_code": first(code),
            "first_acting": first(acting),
            "first_work": first(work),
            "first_of_agent": opening & acting,
            "last_acting": last(acting),
            "acts": (graph.outcome_of >= 0) & acting,
            "empty": silent,
            "length": np.log1p(length) / 8,
            "length_share": share(length * acting),
            "orchestrator": orchestrator,
            "assignment": _assignment(graph),
            "lists": np.log1p([len(_LIST.findall(graph.content(i))) for i in range(n)]) * acting,
            "agrees": np.log1p(theme["agree"]),
            "placeholders": np.log1p(theme["stub"]),
            "swallows_errors": theme["swallow"] > 0,
            "long_turn": np.log1p(np.arange(n) - starts),
            "only_step": _only_steps(graph),
            "first_after_calls": _first_after_calls(graph),
        }


def _only_steps(graph: TraceGraph) -> NDArray[Any]:
    acting, agents = graph.is_acting, graph.agent_of
    steps = np.bincount(agents[acting], minlength=len(graph.agent_names))
    return np.asarray(acting & (steps[agents] == 1))


def _first_after_calls(graph: TraceGraph) -> NDArray[Any]:
    calls = np.flatnonzero(graph.outcome_of >= 0)
    later = graph.is_acting & (np.arange(len(graph)) > (calls[-1] if len(calls) else -1))
    return first(later)


def _assignment(graph: TraceGraph) -> NDArray[Any]:
    """Steps at the start that say the task word for word; without any, the first that may."""
    mask = np.zeros(len(graph), bool)
    task = " ".join((graph.trace.task or "").split())[:120]
    for s in graph.steps[:ASSIGNMENT_LOOKED_AT]:
        mask[s.index] = len(task) >= 20 and task in " ".join(s.text.split())
    if not mask.any():
        return first(np.asarray(graph.origins != Origin.SYSTEM))
    return mask
