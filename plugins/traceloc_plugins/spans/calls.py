"""Which tool span executed which call of which model response."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from traceloc_plugins.spans.delegation import handoff_target, is_handoff, known_name
from traceloc_plugins.spans.messages import Call, Message
from traceloc_plugins.spans.tree import Node

_LOOKED_AT = 64
"""Open calls of one tool that are compared, so that a trace without results stays linear."""


@dataclass(slots=True)
class MadeCall:
    """A call with an id of its own, from the source or from its span."""

    caller: int
    """Position of the span that made it."""
    call: Call
    id: str
    span: int | None = None
    """Position of the span that executed it."""


def match_calls(
    nodes: list[Node], outputs: dict[int, Message], ends: list[int]
) -> tuple[dict[int, list[MadeCall]], dict[int, MadeCall]]:
    """Calls by the span that made them, and by the span that executed them.

    Args:
        nodes: All spans.
        outputs: What model calls answered, by position.
        ends: When each span had answered.
    """
    made: dict[int, list[MadeCall]] = {}
    timeline: list[tuple[int, int, int]] = []
    for position, message in outputs.items():
        made[position] = [
            MadeCall(position, call, call.id or f"{nodes[position].span.id}:{number}")
            for number, call in enumerate(message.calls)
        ]
        timeline.append((ends[position], 0, position))
    for position, node in enumerate(nodes):
        if executes(nodes, node):
            timeline.append((node.span.start or node.span.end or 0, 1, position))
    timeline.sort()
    matcher = _Matcher(nodes)
    later = []
    for _, what, position in timeline:
        if what == 0:
            matcher.open(made[position])
        elif not matcher.execute(position):
            later.append(position)
    for position in later:  # clocks that disagree: the call's span ended after the tool had begun
        matcher.execute(position)
    return made, matcher.executed


def executes(nodes: list[Node], node: Node) -> bool:
    """Whether a span carries out a call: a tool, or a hand-off outside its own tool."""
    if node.kind == "handoff":
        above = nodes[node.tool_above].tool if node.tool_above is not None else None
        return above is None or not is_handoff(above.name)
    return node.kind in ("tool", "retrieval") and node.tool is not None and not node.shadowed


class _Matcher:
    def __init__(self, nodes: list[Node]) -> None:
        self.executed: dict[int, MadeCall] = {}
        self._nodes = nodes
        self._by_id: dict[str, MadeCall] = {}
        self._by_name: dict[str, list[MadeCall]] = {}

    def open(self, calls: list[MadeCall]) -> None:
        for made in calls:
            self._by_id[made.id] = made
            self._by_name.setdefault(made.call.name, []).append(made)

    def execute(self, position: int) -> bool:
        node = self._nodes[position]
        if node.kind == "handoff":
            found = self._handoff(position, node)
        else:
            found = self._tool(node)
        if found is None:
            return False
        found.span = position
        self.executed[position] = found
        return True

    def _tool(self, node: Node) -> MadeCall | None:
        tool = node.tool
        if tool is None:
            return None
        if tool.call_id is not None:
            found = self._by_id.get(tool.call_id)
            if found is not None:
                return found if found.span is None else None
        waiting = self._waiting(tool.name)
        if tool.call_id is not None:
            waiting = [made for made in waiting if made.call.id is None]
        if not waiting:
            return None
        wanted = canonical(tool.arguments)
        best = [made for made in waiting if canonical(made.call.arguments) == wanted] or waiting
        same = [made for made in best if self._nodes[made.caller].agent == node.agent]
        return (same or best)[0]

    def _handoff(self, position: int, node: Node) -> MadeCall | None:
        if node.dialect is None:
            return None
        target = node.dialect.handoff(node.span).target
        for name in list(self._by_name):
            for made in self._waiting(name):
                leads_to = handoff_target(name, made.call.arguments)
                if leads_to is not None and target and known_name(leads_to, [target]) == target:
                    return made
        return None

    def _waiting(self, name: str) -> list[MadeCall]:
        """Calls not executed yet; the list is swept so that it never grows stale."""
        listed = self._by_name.get(name)
        if not listed:
            return []
        listed[:] = [made for made in listed if made.span is None]
        return listed[:_LOOKED_AT]


def canonical(value: Any) -> str:
    """Arguments in one spelling, to compare them."""
    if value in (None, "", {}):
        return ""
    return json.dumps(value, sort_keys=True, default=str)
