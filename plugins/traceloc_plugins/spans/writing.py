"""Writes the ordered items as steps."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder, declared_error
from traceloc.trace import InputMessage, StepError, StepKind, ToolCall
from traceloc_plugins.spans.answers import add_answer, shown_error
from traceloc_plugins.spans.calls import MadeCall
from traceloc_plugins.spans.conversation import Conversation
from traceloc_plugins.spans.delegation import is_handoff, known_name
from traceloc_plugins.spans.inputs import InputWriter
from traceloc_plugins.spans.order import Item
from traceloc_plugins.spans.steps import Plan
from traceloc_plugins.spans.tree import Node
from traceloc_plugins.spans.values import moment
from traceloc_plugins.spans.voices import Voices


class Writer:
    """Turns items into steps, one by one.

    Args:
        builder: Takes the steps.
        plan: What happened.
        fallback: Agent of steps that nobody claims.
    """

    def __init__(self, builder: TraceBuilder, plan: Plan, *, fallback: str) -> None:
        self.builder = builder
        self.plan = plan
        self.nodes = plan.nodes
        self.voices = Voices(builder, plan.nodes, fallback=fallback)
        self._conversation = Conversation()
        self._inputs = InputWriter(
            builder,
            plan.nodes,
            self.voices,
            self._conversation,
            spanned={made.call.id or made.id for made in plan.executed.values()},
        )
        self._given: dict[int, tuple[InputMessage, ...]] = {}
        self._groups: dict[str, int] = {}
        """The step of each model response, by the response's id."""
        self._writers = {
            "inputs": self._take,
            "output": self._output,
            "call": self._call,
            "result": self._result,
            "handoff": self._handoff,
            "event": self._event,
        }

    def write(self, item: Item) -> None:
        """Write one item; what repeats an earlier step is left out."""
        self._writers[item.kind](item)

    def _take(self, item: Item) -> None:
        given = self._inputs.read(item)
        if given is not None:
            self._given[item.node] = given

    def _output(self, item: Item) -> None:
        node = self.nodes[item.node]
        message = self.plan.outputs.get(item.node)
        if node.kind == "agent" and message is not None and not message.calls:
            if self._conversation.has_said("assistant", message.text):
                return  # the answer of a model call, repeated on the agent's span
        agent = self.voices.agent_of(node)
        made = self.plan.made.get(item.node, [])
        calls = [ToolCall(name=m.call.name, id=m.id, arguments=m.call.arguments) for m in made]
        targets, handoffs = self._targets(made)
        kind: StepKind = "message"
        if made:
            kind = "handoff" if handoffs == len(made) else "action"
        elif message is None and node.error is not None:
            kind = "event"
        elif message is not None and message.reasoning and not message.text:
            kind = "thought"
        usage, group = None, None
        if node.dialect is not None and node.kind == "llm":
            group = node.dialect.call_group(node.span)
            usage = node.dialect.usage(node.span)
            if usage is not None and (first := self._groups.get(group or "")) is not None:
                # Counted once, with the last word on it: an id may stand for a growing run.
                known = self.builder.steps[first]
                self.builder.steps[first] = known.model_copy(update={"usage": usage})
                usage = None
        step = self.builder.step(
            kind=kind,
            role="assistant",
            agent=agent,
            text=message.text if message else "",
            reasoning=(message.reasoning or None) if message else None,
            calls=calls,
            to=targets or None,
            error=self._real(node.error),
            inputs=self._given.pop(item.node, None),
            model=node.dialect.model(node.span) if node.dialect else None,
            usage=usage,
            llm_call_id=group,
            **self._place(node, item),
        )
        self.voices.acted(step, agent, targets, waits=handoffs > 0 and not targets)
        self.voices.last_said[agent] = step
        if group:
            self._groups.setdefault(group, step)
        if message is not None:
            self._conversation.said("assistant", message.text, step)
        for call in made:
            said = call.call.id or call.id
            self._conversation.called(said, call.call.name, call.call.arguments, step)

    def _call(self, item: Item) -> None:
        """A tool ran, and no model response that is recorded asked for it."""
        node = self.nodes[item.node]
        tool = node.tool
        if tool is None:
            return
        agent = self.voices.agent_of(node)
        call_id = tool.call_id or node.span.id
        targets = self.voices.targets(tool.name, tool.arguments, item.node)
        handoff = is_handoff(tool.name)
        step = self.builder.step(
            kind="handoff" if handoff else "action",
            role="assistant",
            agent=agent,
            calls=[ToolCall(name=tool.name, id=call_id, arguments=tool.arguments)],
            to=targets or None,
            **self._place(node, item),
        )
        self.voices.acted(step, agent, targets, waits=handoff and not targets)
        self._conversation.called(call_id, tool.name, tool.arguments, step)

    def _result(self, item: Item) -> None:
        node = self.nodes[item.node]
        made = item.payload if isinstance(item.payload, MadeCall) else None
        tool = node.tool
        call_id: str | None
        text: str | None
        if tool is not None:
            call_id = made.id if made else tool.call_id or node.span.id
            name, text = made.call.name if made else tool.name, tool.result
        else:
            call_id, text = made.id if made else None, None
            name = made.call.name if made else ""
            if node.dialect is not None and (handoff := node.dialect.handoff(node.span)).target:
                text = f"handed off to {handoff.target}"
        error = self._real(node.error)
        if error is None and tool is not None:
            error = shown_error(text or "")
            if error is None and tool.failed:
                error = declared_error(text or "the tool failed", type=tool.error_type)
        if text is None:
            text = error.message if error else ""
        step = add_answer(
            self.builder,
            name or "tool",
            call_id=call_id,
            text=text,
            error=error,
            **self._place(node, item),
        )
        if call_id:
            said = made.call.id if made and made.call.id else call_id
            self._conversation.answered(said, step, text)
        self._conversation.said("tool", text, step)

    def _handoff(self, item: Item) -> None:
        node = self.nodes[item.node]
        if node.dialect is None:
            return
        handoff = node.dialect.handoff(node.span)
        source = handoff.source if handoff.source in self.voices.names else None
        agent = self.builder.agent(source, kind="worker") if source else self.voices.agent_of(node)
        targets = (known_name(handoff.target, self.voices.names),) if handoff.target else ()
        if targets and self.voices.was_called(targets[0]):
            return  # the call that hands over is a step already
        step = self.builder.step(
            kind="handoff",
            role="assistant",
            agent=agent,
            to=targets or None,
            error=self._real(node.error),
            **self._place(node, item),
        )
        self.voices.acted(step, agent, targets, waits=not targets)

    def _event(self, item: Item) -> None:
        """Something that failed or was checked outside of any model call or tool."""
        node = self.nodes[item.node]
        text = node.span.attributes.get("output.value") if node.kind == "guardrail" else None
        self.builder.step(
            kind="event",
            role="other",
            agent=self.voices.agent_of(node),
            text=text if isinstance(text, str) else node.error.message if node.error else "",
            error=self._real(node.error),
            **self._place(node, item),
        )

    def _place(self, node: Node, item: Item) -> dict[str, Any]:
        return {
            "native_index": node.span.native,
            "span_id": node.span.id,
            "timestamp": moment(item.time or None),
            "line": node.span.line,
        }

    @staticmethod
    def _real(error: StepError | None) -> StepError | None:
        """A successful hand-off raised as an exception is no error of the step."""
        return None if error is None or error.kind == "control_flow" else error

    def _targets(self, made: list[MadeCall]) -> tuple[tuple[str, ...], int]:
        found: dict[str, None] = {}
        handoffs = 0
        for call in made:
            targets = self.voices.targets(call.call.name, call.call.arguments, call.span)
            handoffs += bool(targets) or is_handoff(call.call.name)
            found.update(dict.fromkeys(targets))
        return tuple(found), handoffs
