"""Adds what agents said, called and got back to a trace; for formats that name their agents.

A framework's own records differ in their keys and agree in what they mean. A loader reads the keys;
what follows from them (who hands over to whom, which result failed, what a prompt repeats) is told
here, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

from traceloc.loading import TraceBuilder, declared_error, result_error
from traceloc.loading.builder import lean
from traceloc.loading.tool_errors import error_kind
from traceloc.trace import InputMessage, Role, StepError, StepKind, ToolCall
from traceloc_plugins.spans.answers import add_answer
from traceloc_plugins.spans.conversation import Conversation
from traceloc_plugins.spans.delegation import handoff_target, known_name
from traceloc_plugins.spans.messages import Call, Message
from traceloc_plugins.spans.values import decoded

MAX_INPUTS = 1000
"""Messages of an input that are kept, from its end: every step keeps its own list."""

_NAMES_AN_AGENT = re.compile(
    r"delegate|hand_?off|handoff|ask.question|coworker|_(?:to|ask)_agent", re.IGNORECASE
)
"""Tools that can mean nothing but another agent; ``transfer_to_savings`` may be a bank's."""
_AGENT_KEYS = frozenset({"agent_name", "to_agent", "target_agent", "coworker"})


class Turns:
    """Writes steps.

    Args:
        builder: The trace under construction.
        agents: Names the file gives to agents; who hands over to one of them is believed.
    """

    def __init__(self, builder: TraceBuilder, agents: Iterable[str] = ()) -> None:
        self.builder = builder
        self.first_request: str | None = None
        """The first words of a person."""
        self._agents = dict.fromkeys(agents)
        self._conversation = Conversation()
        self._repeats: dict[tuple[int, str], InputMessage] = {}
        self._tools: dict[str, str] = {}

    def introduce(self, name: str, **fields: Any) -> str:
        """Make an agent known, as a worker unless said otherwise; gives its name back."""
        self._agents.setdefault(name)
        return self.builder.agent(name, **{"kind": "worker", **fields})

    def instruct(self, agent: str, text: str, *, native_index: int, **fields: Any) -> int:
        """The system prompt an agent got, as a step."""
        self.introduce(agent, instructions=text)
        step = self.builder.step(
            kind="system",
            role="system",
            agent=self.builder.agent("system", kind="system", attribution="role"),
            native_index=native_index,
            text=text,
            to=(agent,),
            **fields,
        )
        self._conversation.said("system", text, step)
        return step

    def ask(
        self,
        text: str,
        *,
        native_index: int,
        agent: str = "user",
        calls: Sequence[ToolCall] = (),
        **fields: Any,
    ) -> int:
        """What a person asked for, or did with tools of their own."""
        self.builder.agent(
            agent, kind="human", attribution="role" if agent == "user" else "explicit"
        )
        if text and self.first_request is None:
            self.first_request = text
        fields.setdefault("kind", "action" if calls else "message")
        step = self.builder.step(
            role="user", agent=agent, native_index=native_index, text=text, calls=calls, **fields
        )
        self._conversation.said("user", text, step)
        self._called(calls, step)
        return step

    def say(
        self,
        agent: str,
        text: str,
        *,
        native_index: int,
        calls: Sequence[ToolCall] = (),
        to: tuple[str, ...] | None = None,
        reasoning: str | None = None,
        **fields: Any,
    ) -> int:
        """What an agent emitted in one go: words, reasoning, calls.

        Args:
            agent: Who.
            text: The words.
            native_index: Position in the source.
            calls: The calls.
            to: Whom it is for, where the source says; ``None`` where calls that hand over tell.
            reasoning: Private reasoning.
            **fields: Other fields of the step.
        """
        self.introduce(agent)
        targets = self._targets(agent, calls) if to is None else []
        kind: StepKind = "message"
        if calls:
            kind = "handoff" if len(to or targets) == len(calls) else "action"
        elif to:
            kind = "handoff"
        elif reasoning and not text:
            kind = "thought"
        step = self.builder.step(
            kind=fields.pop("kind", None) or kind,
            role="assistant",
            agent=agent,
            native_index=native_index,
            text=text,
            calls=calls,
            to=tuple(dict.fromkeys(to or targets)),
            reasoning=reasoning or None,
            **fields,
        )
        self._conversation.said("assistant", text, step)
        self._called(calls, step)
        return step

    def boss_of(self, text: str) -> str | None:
        """The agent whose call has these words as an argument."""
        step = self._conversation.passed_on(text)
        return None if step is None else self.builder.steps[step].agent

    def pass_on(self, boss: str, agent: str, text: str, *, native_index: int, **fields: Any) -> int:
        """What an agent was set to work with: the words of the call that did."""
        fields["flags"] = tuple(dict.fromkeys((*(fields.get("flags") or ()), "copied_context")))
        step = self.builder.step(
            kind="handoff",
            role="user",
            agent=boss,
            to=(agent,),
            native_index=native_index,
            text=text,
            **fields,
        )
        self._conversation.said("user", text, step)
        return step

    def call_too(self, step: int, call: ToolCall) -> None:
        """Add a call that stands in the words of a step, and that the source tells only later."""
        self.builder.add_calls(step, [call])
        made = self.builder.steps[step]
        targets = self._targets(made.agent, [call])
        if targets:
            alone = len(made.tool_calls) == 1
            update = {
                "to": tuple(dict.fromkeys((*made.to, *targets))),
                "kind": "handoff" if alone else made.kind,
            }
            self.builder.steps[step] = lean(made.model_copy(update=update))
        self._called([call], step)

    def answer(
        self,
        text: str,
        *,
        native_index: int,
        call_id: str | None = None,
        tool: str | None = None,
        value: Any = None,
        failed: bool = False,
        error: StepError | None = None,
        exit_code: int | None = None,
        **fields: Any,
    ) -> int:
        """What a tool returned.

        Args:
            text: In words.
            native_index: Position in the source.
            call_id: The call that is answered.
            tool: Name of the tool, where the source says it here.
            value: The result as it was structured; an error may show in it.
            failed: Whether the source declares that the call failed.
            error: The error, where the source describes it.
            exit_code: How the process ended, where the source says it.
            **fields: Other fields of the step.
        """
        tool = tool or self._tools.get(call_id or "") or "tool"
        if error is None and failed:
            error = declared_error(text or "the tool failed")
        if error is None and exit_code is None:
            error = result_error(value if value is not None else _object(text))
        step = add_answer(
            self.builder,
            tool,
            native_index=native_index,
            text=text,
            call_id=call_id,
            error=error,
            exit_code=exit_code,
            **fields,
        )
        if call_id:
            self._conversation.answered(call_id, step, text)
        return step

    def tell(self, text: str, *, native_index: int, agent: str = "system", **fields: Any) -> int:
        """Something that happened around the agents: an error of the model, a limit, a refusal."""
        self.builder.agent(agent, kind="system", attribution="role")
        return self.builder.step(
            kind="event",
            role="system",
            agent=agent,
            native_index=native_index,
            text=text,
            **fields,
        )

    def given(self, messages: Iterable[Message]) -> tuple[InputMessage, ...]:
        """What a model call was given: references to steps, and words for what has no step."""
        listed: list[InputMessage] = []
        times: dict[tuple[str, str], int] = {}
        for message in list(messages)[-MAX_INPUTS:]:
            if message.is_empty:
                continue
            step = self._conversation.find(message, times)
            role = cast("Role", message.role)
            if step is None:
                listed.append(InputMessage(role=role, text=message.text))
            elif not listed or listed[-1].step != step:
                listed.append(self.repeat(step, role))
        return tuple(listed)

    def repeat(self, step: int, role: Role | None = None) -> InputMessage:
        """A reference to a step; one object however often the step is repeated."""
        made = self.builder.steps[step]
        key = (step, role or made.role)
        if key not in self._repeats:
            self._repeats[key] = InputMessage(role=key[1], step=step, agent=made.agent)
        return self._repeats[key]

    def has_said(self, role: str, text: str) -> bool:
        """Whether some step said exactly this."""
        return self._conversation.has_said(role, text)

    def _called(self, calls: Sequence[ToolCall], step: int) -> None:
        for call in calls:
            if call.id:
                self._tools[call.id] = call.name
                self._conversation.called(call.id, call.name, call.arguments, step)

    def _targets(self, agent: str, calls: Sequence[ToolCall]) -> list[str]:
        """The agents that calls hand the work to."""
        found = []
        for call in calls:
            target = handoff_target(call.name, call.arguments)
            if target is None and call.name in self._agents:
                target = call.name  # an agent that is used as a tool
            if target is None:
                continue
            name = known_name(target, self._agents)
            if name not in self._agents and not _is_sure(call):
                continue
            if name == agent:
                continue
            self.introduce(name, parent=agent if name not in self._agents else None)
            found.append(name)
        return found


def _is_sure(call: ToolCall) -> bool:
    if _NAMES_AN_AGENT.search(call.name):
        return True
    return isinstance(call.arguments, dict) and not _AGENT_KEYS.isdisjoint(call.arguments)


def _object(text: str) -> Any:
    return decoded(text) if text[:1] == "{" and len(text) < 100_000 else None


def model_error(text: str, *, type: str | None = None) -> StepError:
    """The error of a model call: of the kind its words tell, else the model's."""
    kind = error_kind(text)
    return declared_error(text, type=type, kind="model" if kind == "tool" else kind)


def as_tool_calls(calls: Iterable[Call]) -> tuple[ToolCall, ...]:
    """Calls of a message as calls of a step."""
    return tuple(ToolCall(name=c.name, id=c.id, arguments=c.arguments) for c in calls)


class Thread:
    """Writes a chat that one agent had, message by message.

    Args:
        turns: Takes the steps.
        agent: Whose chat it is.
        private: Whether other agents did not see it, so that its steps had only it as input.
    """

    def __init__(self, turns: Turns, agent: str, *, private: bool = False) -> None:
        self.agent = agent
        self._turns = turns
        self._private = private
        self._before: list[InputMessage] = []

    def add(self, message: Message, *, native_index: int, **fields: Any) -> int:
        """Write one message; gives its step."""
        turns, common = self._turns, {"native_index": native_index, **fields}
        match message.role:
            case "system":
                step = turns.instruct(self.agent, message.text, **common)
            case "tool":
                step = turns.answer(
                    message.text,
                    call_id=message.call_id,
                    tool=message.name,
                    **{"failed": message.failed, **common},
                )
            case "assistant":
                if self._private:
                    common["inputs"] = tuple(self._before[-MAX_INPUTS:])
                step = turns.say(
                    self.agent,
                    message.text,
                    calls=as_tool_calls(message.calls),
                    reasoning=message.reasoning,
                    **common,
                )
            case _:
                boss = turns.boss_of(message.text) if self._private else None
                if boss is None or boss == self.agent:
                    step = turns.ask(message.text, **{"to": (self.agent,), **common})
                else:
                    step = turns.pass_on(boss, self.agent, message.text, **common)
        self._before.append(turns.repeat(step))
        return step
