"""From spans to steps: what was put out, in the order in which it happened.

Model calls repeat the whole history in their inputs, so steps are made of what came *out* of model
calls and tools. Of the inputs only what nobody put out becomes a step: the task, system prompts.
"""

from __future__ import annotations

from collections.abc import Collection

from traceloc_plugins.spans.calls import MadeCall, executes, match_calls
from traceloc_plugins.spans.messages import Message, merged
from traceloc_plugins.spans.order import Item
from traceloc_plugins.spans.tree import Node

_HOLDERS = frozenset({"agent", "task", "workflow"})


class Plan:
    """Everything that may become a step, with its causes; not yet in order.

    Args:
        nodes: Spans in file order.
        order: Their positions, parents first.
    """

    def __init__(self, nodes: list[Node], order: list[int]) -> None:
        self.nodes = nodes
        self.items: list[Item] = []
        self.outputs: dict[int, Message] = {}
        self.silent: set[int] = set()
        """Model calls and tools whose content was not recorded."""
        self._before_inside: dict[int, Item] = {}
        self._after_inside: dict[int, Item] = {}
        self._starts, self._ends = _times(nodes, order)
        models = [p for p, n in enumerate(nodes) if n.kind == "llm" and not n.shadowed]
        speakers = [p for p, n in enumerate(nodes) if self._speaks_for_itself(n)]
        for position in (*models, *speakers):
            message = merged(nodes[position].content.outputs)
            if message is not None:
                self.outputs[position] = message
        self.made, self.executed = match_calls(nodes, self.outputs, self._ends)
        spoken = {position: self._speech(position) for position in (*models, *speakers)}
        self._tools(spoken)
        self._results_before_readers(spoken)
        self._task_of_the_root(models)
        self._handoffs_and_errors()
        self._inside_tools()
        self._inside_speakers(spoken, order)

    def _speaks_for_itself(self, node: Node) -> bool:
        """An agent whose model calls were not recorded, but whose answer was."""
        if node.kind != "agent" or node.speaks_below or node.dialect is None:
            return False
        node.content = node.dialect.content(node.span)
        return bool(node.content.outputs)

    def _add(self, kind: str, node: int, time: int, payload: object = None) -> Item:
        item = Item(kind, node, time, payload)  # type: ignore[arg-type]
        self.items.append(item)
        return item

    def _speech(self, position: int) -> tuple[Item, Item]:
        given = self._add("inputs", position, self._starts[position])
        said = self._add("output", position, self._ends[position])
        given.before(said)
        node = self.nodes[position]
        if position not in self.outputs and node.error is None:
            self.silent.add(position)
        return given, said

    def _tools(self, spoken: dict[int, tuple[Item, Item]]) -> None:
        for position, node in enumerate(self.nodes):
            if not executes(self.nodes, node):
                continue
            start, end = self._starts[position], self._ends[position]
            made = self.executed.get(position)
            if node.kind == "handoff" and made is None:
                self._add("handoff", position, start)
                continue
            result = self._add("result", position, end, made)
            if made is not None:
                spoken[made.caller][1].before(result)
                self._before_inside[position] = spoken[made.caller][1]
            elif node.kind != "handoff":
                call = self._add("call", position, start)
                call.before(result)
                self._before_inside[position] = call
            self._after_inside[position] = result
            if node.tool is not None and node.tool.result is None and node.error is None:
                if made is None and node.tool.arguments is None:
                    self.silent.add(position)

    def _results_before_readers(self, spoken: dict[int, tuple[Item, Item]]) -> None:
        """A model call that was given a result came after it, whatever the clocks say."""
        results: dict[str, Item | None] = {}
        for item in self.items:
            if item.kind == "result" and isinstance(made := item.payload, MadeCall):
                said = made.call.id or made.id
                # Of several calls with one id, the time of the spans has to tell which was read.
                results[said] = None if said in results else item
        for position, (given, _) in spoken.items():
            for message in reversed(self.nodes[position].content.inputs):
                if message.role != "tool":
                    break
                result = results.get(message.call_id or "")
                if result is not None and result.node != self.nodes[position].tool_above:
                    result.before(given)

    def _task_of_the_root(self, models: list[int]) -> None:
        """Take the task from the outermost span if no model call says what it was given."""
        if not self.items or any(self.nodes[position].content.inputs for position in models):
            return
        for position, node in enumerate(self.nodes):
            if node.parent is None and node.dialect is not None and node.kind in _HOLDERS:
                inputs = node.content.inputs or node.dialect.content(node.span).inputs
                given = [message for message in inputs if message.role in ("user", "system")]
                if given and position not in self.outputs:
                    node.content.inputs = given
                    self._add("inputs", position, self._starts[position])

    def _handoffs_and_errors(self) -> None:
        for position, node in enumerate(self.nodes):
            if node.kind == "guardrail" or (
                node.failed_itself
                and node.dialect is not None
                and node.kind in (*_HOLDERS, "other", "memory")
            ):
                self._add("event", position, self._ends[position])

    def _inside_tools(self) -> None:
        """What ran inside a tool lies between the call and its result."""
        for item in self.items:
            tool = self.nodes[item.node].tool_above
            while tool is not None and tool not in self._after_inside:
                tool = self.nodes[tool].tool_above
            if tool is None:
                continue
            first, last = self._before_inside.get(tool), self._after_inside[tool]
            if first is not None and first is not item:
                first.before(item)
            if last is not item:
                item.before(last)

    def _inside_speakers(self, spoken: dict[int, tuple[Item, Item]], order: list[int]) -> None:
        """What ran inside an agent lies between what it was given and what it answered.

        It also comes before the error that ended what it ran in.
        """
        speakers = {position for position in spoken if self.nodes[position].kind == "agent"}
        ended = {item.node: item for item in self.items if item.kind == "event"}
        around, around_end = self._nearest(speakers, order), self._nearest(ended.keys(), order)
        for item in self.items:
            speaker, end = around.get(item.node), around_end.get(item.node)
            if speaker is not None:
                given, said = spoken[speaker]
                given.before(item)
                if not self.made.get(speaker):
                    item.before(said)
            if end is not None:
                item.before(ended[end])

    def _nearest(self, wanted: Collection[int], order: list[int]) -> dict[int, int]:
        """The nearest span above that is among the wanted ones, where there is one."""
        found: dict[int, int] = {}
        for position in order if wanted else ():
            above = self.nodes[position].parent
            nearest = above if above in wanted else found.get(-1 if above is None else above)
            if nearest is not None:
                found[position] = nearest
        return found


def _times(nodes: list[Node], order: list[int]) -> tuple[list[int], list[int]]:
    """Start and end of every span; a model call ends before the tools that run below it start.

    A span without times takes those of the span above, so that file order decides; one without an
    end lasts as long as what ran in it.
    """
    starts, ends = [0] * len(nodes), [0] * len(nodes)
    for position in order:
        node = nodes[position]
        above = starts[node.parent] if node.parent is not None else 0
        span = node.span
        starts[position] = next((t for t in (span.start, span.end) if t is not None), above)
        ends[position] = next((t for t in (span.end, span.start) if t is not None), above)
    first_tool: dict[int, int] = {}
    for position in reversed(order):
        node, tool = nodes[position], first_tool.get(position)
        if node.kind == "llm" and tool is not None:
            ends[position] = min(ends[position], tool)
        if node.parent is None:
            continue
        if node.kind == "tool":
            tool = starts[position]
        if tool is not None and node.kind in ("tool", "llm", "task"):
            first_tool[node.parent] = min(tool, first_tool.get(node.parent, tool))
        if nodes[node.parent].span.end is None and nodes[node.parent].kind != "llm":
            ends[node.parent] = max(ends[node.parent], ends[position])
    return starts, ends
