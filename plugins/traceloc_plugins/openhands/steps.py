"""Adds actions and what came of them to a trace, in the shape V0 and V1 share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.loading.builder import lean
from traceloc.trace import InputMessage, StepError, ToolCall
from traceloc_plugins.turns import Turns

MAIN = "openhands"
MAX_INPUTS = 400


class Writer:
    """Writes steps; actions that one response of the model asked for are calls of one step."""

    def __init__(self, builder: TraceBuilder) -> None:
        self.builder = builder
        self.turns = Turns(builder)
        self.agent = MAIN
        """Who acts now."""
        self.by_event: dict[str, int] = {}
        """Step of each event, by the event's id."""
        self._responses: dict[str, int] = {}
        self._open: dict[str, str] = {}
        self._known: list[InputMessage] | None = None

    def act(
        self,
        call: ToolCall | None,
        text: str,
        *,
        event: str | None,
        response: str | None = None,
        **fields: Any,
    ) -> int:
        """What the agent emitted; a further call of a known response joins its step."""
        index = self._responses.get(response or "")
        if index is not None and call is not None and self.builder.steps[index].tool_calls:
            self.builder.add_calls(index, [call])
        else:
            calls = [call] if call else []
            index = self.turns.say(
                self.agent,
                text,
                calls=calls,
                llm_call_id=response,
                inputs=self.inputs(),
                **fields,
            )
            if response:
                self._responses[response] = index
            self._note(index)
        if call is not None and call.id:
            self._open[call.id] = call.name
        if event:
            self.by_event[event] = index
        return index

    def answer(
        self,
        text: str,
        *,
        event: str | None,
        call_id: str | None,
        error: StepError | None = None,
        **fields: Any,
    ) -> int:
        """What came back; an event of its own where it answers no call."""
        if call_id is not None and call_id in self._open:
            fields["tool"] = self._open.pop(call_id)
            index = self.turns.answer(text, call_id=call_id, error=error, **fields)
        else:
            index = self.tell(text, error=error, **fields)
        if event:
            self.by_event[event] = index
        self._note(index)
        return index

    def is_open(self, call_id: str | None) -> bool:
        """Whether a call still waits for its result."""
        return call_id in self._open

    def tell(self, text: str, *, agent: str = "environment", **fields: Any) -> int:
        """Something that happened around the agent."""
        fields.pop("value", None)
        fields.pop("tool", None)
        return self.turns.tell(text, agent=agent, **fields)

    def ask(self, text: str, *, event: str | None, **fields: Any) -> None:
        """What a person said."""
        index = self.turns.ask(text, to=(self.agent,), **fields)
        if event:
            self.by_event[event] = index
        self._note(index)

    def instruct(self, text: str, *, event: str | None, **fields: Any) -> None:
        """The system prompt."""
        index = self.turns.instruct(self.agent, text, **fields)
        if event:
            self.by_event[event] = index
        self._note(index)

    def condense(
        self, summary: str, *, forgotten: Iterable[str], event: str | None, **fields: Any
    ) -> None:
        """The agent's history was shortened: from here on it knows less, and a summary."""
        gone = {self.by_event[id] for id in forgotten if id in self.by_event}
        index = self.tell(summary, flags=("copied_context",) if summary else None, **fields)
        if event:
            self.by_event[event] = index
        known = self._known
        if known is None:
            known = [self.turns.repeat(i) for i in range(index)]
        kept = [message for message in known if message.step not in gone]
        self._known = [*kept, self.turns.repeat(index)]

    def inputs(self) -> tuple[InputMessage, ...] | None:
        """What the agent knows, where it is not everything before."""
        if self._known is None or len(self._known) > MAX_INPUTS:
            return None
        return tuple(self._known)

    def _note(self, index: int) -> None:
        if self._known is not None:
            self._known.append(self.turns.repeat(index))


def hand_over(writer: Writer, step: int, names: Iterable[str]) -> None:
    """Mark a step as setting other agents to work."""
    boss = writer.builder.steps[step].agent
    found = [name for name in names if name]
    if not found:
        return
    writer.builder.agent(boss, kind="orchestrator")
    for name in found:
        writer.turns.introduce(name, parent=boss)
    made = writer.builder.steps[step]
    to = tuple(dict.fromkeys((*made.to, *found)))
    kind = "handoff" if len(made.tool_calls) <= 1 else made.kind
    writer.builder.steps[step] = lean(made.model_copy(update={"to": to, "kind": kind}))
