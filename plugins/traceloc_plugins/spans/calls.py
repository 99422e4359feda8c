"""Which tool span executed which call of which model response."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import Any

from traceloc_plugins.spans.delegation import handoff_target, is_handoff, known_name
from traceloc_plugins.spans.dialect import ToolUse
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
    """Unique in the trace: a source's own id that comes again is numbered."""
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
    handoffs: list[tuple[int, int]] = []
    for position, message in outputs.items():
        made[position] = [
            MadeCall(position, call, call.id or f"{nodes[position].span.id}:{number}")
            for number, call in enumerate(message.calls)
        ]
        timeline.append((ends[position], 0, position))
    for position, node in enumerate(nodes):
        if executes(nodes, node):
            start = node.span.start or node.span.end or 0
            if node.kind == "handoff":
                handoffs.append((start, position))
            else:
                timeline.append((start, 1, position))
    timeline.sort()
    matcher = _Matcher(nodes, ends)
    later = []
    for _, what, position in timeline:
        if what == 0:
            matcher.open(made[position])
        elif not matcher.execute(position):
            later.append(position)
    for position in later:  # clocks that disagree: the call's span ended after the tool had begun
        matcher.execute(position)
    for start, position in sorted(handoffs):  # where a tool hands over, the tool is the answer
        matcher.hand_over(position, start)
    return made, matcher.executed


def executes(nodes: list[Node], node: Node) -> bool:
    """Whether a span carries out a call: a tool, or a hand-off outside its own tool."""
    if node.kind == "handoff":
        above = nodes[node.tool_above].tool if node.tool_above is not None else None
        return above is None or not is_handoff(above.name)
    return node.kind in ("tool", "retrieval") and node.tool is not None and not node.shadowed


class _Matcher:
    def __init__(self, nodes: list[Node], ends: list[int]) -> None:
        self.executed: dict[int, MadeCall] = {}
        self._nodes = nodes
        self._ends = ends
        self._times_met: dict[str, int] = {}
        self._given: set[str] = set()
        self._by_id: dict[str, OrderedDict[int, MadeCall]] = {}
        self._by_name: dict[str, OrderedDict[int, MadeCall]] = {}
        self._handoffs: OrderedDict[int, MadeCall] = OrderedDict()

    def open(self, calls: list[MadeCall]) -> None:
        """Wait for the execution of calls."""
        for made in calls:
            if raw := made.call.id:
                # Some model servers count calls anew in every response.
                times = self._times_met.get(raw, 0) + 1
                while (own := f"{raw}#{times}" if times > 1 else raw) in self._given:
                    times += 1
                self._times_met[raw] = times
                self._given.add(own)
                made.id = own
                self._by_id.setdefault(raw, OrderedDict())[id(made)] = made
            self._by_name.setdefault(made.call.name, OrderedDict())[id(made)] = made
            if is_handoff(made.call.name):
                self._handoffs[id(made)] = made

    def execute(self, position: int) -> bool:
        """Join a tool's span to the call it carries out."""
        node = self._nodes[position]
        return self._close(self._tool(node), position)

    def hand_over(self, position: int, start: int) -> None:
        """Join a hand-off's span to the call that asked for it."""
        node = self._nodes[position]
        if node.dialect is None:
            return
        target = node.dialect.handoff(node.span).target
        later = None
        for made in islice(self._handoffs.values(), _LOOKED_AT):
            leads_to = handoff_target(made.call.name, made.call.arguments)
            if leads_to is None or not target or known_name(leads_to, [target]) != target:
                continue
            if self._ends[made.caller] <= start:
                self._close(made, position)
                return
            later = later or made
        self._close(later, position)

    def _close(self, made: MadeCall | None, position: int) -> bool:
        if made is None:
            return False
        made.span = position
        self.executed[position] = made
        del self._by_name[made.call.name][id(made)]
        self._handoffs.pop(id(made), None)
        if raw := made.call.id:
            del self._by_id[raw][id(made)]
        return True

    def _tool(self, node: Node) -> MadeCall | None:
        tool = node.tool
        if tool is None:
            return None
        waiting: list[MadeCall]
        if tool.call_id is not None and tool.call_id in self._by_id:
            # An id that comes again means the later call, unless that is another tool's.
            waiting = list(islice(reversed(self._by_id[tool.call_id].values()), _LOOKED_AT))[::-1]
            return self._best(waiting, node, tool, latest=True)
        waiting = list(islice(self._by_name.get(tool.name, OrderedDict()).values(), _LOOKED_AT))
        if tool.call_id is not None:
            waiting = [made for made in waiting if made.call.id is None]
        return self._best(waiting, node, tool, latest=False)

    def _best(
        self, waiting: list[MadeCall], node: Node, tool: ToolUse, *, latest: bool
    ) -> MadeCall | None:
        if len(waiting) < 2:
            return next(iter(waiting), None)
        wanted = canonical(tool.arguments)

        def fit(made: MadeCall) -> tuple[bool, bool, bool]:
            return (
                made.call.name == tool.name,
                canonical(made.call.arguments) == wanted,
                self._nodes[made.caller].agent == node.agent,
            )

        fits = [(fit(made), made) for made in waiting]
        top = max(how for how, _ in fits)
        best = [made for how, made in fits if how == top]
        if latest:
            return next(made for made in best if made.caller == best[-1].caller)
        return best[0]


def canonical(value: Any) -> str:
    """Arguments in one spelling, to compare them."""
    if value in (None, "", {}):
        return ""
    return json.dumps(value, sort_keys=True, default=str)
