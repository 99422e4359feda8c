"""What sort of step it is: words, a call, code, a thought; long or short; first of its kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.signals.family import Family, first, share

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
        Feature("environment", "was returned by a tool or the environment, not decided"),
        Feature("human", "was said by a person"),
        Feature("thought", "is a private thought"),
        Feature("order", "orders or hands over to another agent"),
        Feature("calls_tool", "calls a tool"),
        Feature("code", "writes code"),
        Feature("first_code", "writes the first code of the run"),
        Feature("first_acting", "is the first step an agent takes"),
        Feature("first_work", "is the first step of an agent that does not only plan or delegate"),
        Feature("first_of_agent", "is the first step of its agent"),
        Feature("last_acting", "is the last step an agent takes"),
        Feature("acts", "has an effect that something came back from"),
        Feature("empty", "says nothing and calls nothing"),
        Feature("length", "is long"),
        Feature("length_share", "says much of what the run says"),
        Feature("orchestrator", "is taken by the orchestrator"),
        Feature("long_turn", "continues a run of steps by the same agent"),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting, steps = graph.is_acting, graph.steps
        code, calls = has_code(graph), has_calls(graph)
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
            "human": graph.origins == 1,
            "thought": np.fromiter((s.kind == "thought" for s in steps), bool, n),
            "order": np.fromiter((s.kind == "handoff" for s in steps), bool, n),
            "calls_tool": calls,
            "code": code,
            "first_code": first(code),
            "first_acting": first(acting),
            "first_work": first(work),
            "first_of_agent": opening & acting,
            "last_acting": first(acting[::-1])[::-1],
            "acts": (graph.outcome_of >= 0) & acting,
            "empty": silent,
            "length": np.log1p(length) / 8,
            "length_share": share(length * acting),
            "orchestrator": orchestrator,
            "long_turn": np.log1p(np.arange(n) - starts),
        }
