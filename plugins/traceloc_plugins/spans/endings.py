"""Whether a run ended in an exception, told by its outermost spans."""

from __future__ import annotations

from traceloc.trace import StepError
from traceloc_plugins.spans.tree import Node

_UNMARKED = ("openai_agents", "openai-agents")
"""Scopes whose outermost span never bears an error: the SDK notes it on the agent's."""
_RUNS = ("agent", "task", "workflow")


def failure_of(nodes: list[Node], order: list[int]) -> StepError | None:
    """The error that a run ended with; ``None`` where it ended well, or was only interrupted.

    Args:
        nodes: All spans.
        order: Their positions, parents before children.
    """
    for position in order:
        node = nodes[position]
        if node.parent is None and (error := _failure(node)) is not None:
            return error
    outermost = _outermost(nodes, order)
    if not outermost:
        return None
    # Inside a span of something else, such as a request to a server, a run may be tried again.
    last = max(outermost, key=lambda node: (node.span.start or 0, node.span.native))
    return _failure(last) or _unmarked_failure(nodes, last)


def _failure(node: Node) -> StepError | None:
    error = node.error
    return error if error is not None and error.kind != "control_flow" else None


def _outermost(nodes: list[Node], order: list[int]) -> list[Node]:
    """The spans of agents that are inside no other one."""
    inside: set[int] = set()
    found = []
    for position in order:
        node = nodes[position]
        above = node.parent
        if above is not None and (above in inside or nodes[above].dialect is not None):
            inside.add(position)
        elif node.dialect is not None:
            found.append(node)
    return found


def _unmarked_failure(nodes: list[Node], outermost: Node) -> StepError | None:
    """The error of the agent that spoke last, where the span around it cannot bear one."""
    if not any(mark in outermost.span.scope for mark in _UNMARKED):
        return None
    runs = [
        node
        for node in nodes
        if node.kind in _RUNS and node.tool_above is None and _failure(node) is not None
    ]
    if not runs:
        return None
    ended = max(runs, key=lambda node: (node.span.end or 0, node.span.native))
    acted = (node.span.start or 0 for node in nodes if node.kind in ("llm", "tool"))
    return _failure(ended) if (ended.span.end or 0) >= max(acted, default=0) else None
