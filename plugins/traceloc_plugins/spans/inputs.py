"""Writes what model calls were given: mostly references, and a step for what nobody had said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from traceloc.loading import TraceBuilder, declared_error, infer_error
from traceloc.trace import InputMessage, Role, StepKind, ToolCall
from traceloc_plugins.spans.answers import add_answer, shown_error
from traceloc_plugins.spans.conversation import Conversation
from traceloc_plugins.spans.delegation import going_back_to
from traceloc_plugins.spans.messages import Message
from traceloc_plugins.spans.order import Item
from traceloc_plugins.spans.tree import Node
from traceloc_plugins.spans.values import moment
from traceloc_plugins.spans.voices import Voices

_OBSERVATION = re.compile(
    r"\s*(?:Observations?:|Call id: \S+|Execution logs:|Last output from code snippet:)"
)
_RELAYED = "For context:"
"""How Google ADK begins to tell an agent what the others said and did."""
_CALL_ID = re.compile(r"\s*Call id: (\S+)")
"""How frameworks that run code put its output into the next prompt, as if the user had said it."""


class InputWriter:
    """Reads the inputs of model calls against what was said before.

    Args:
        builder: Takes the steps.
        nodes: All spans.
        voices: The agents.
        conversation: What has been said.
        spanned: Ids of calls whose result comes from a tool span.
    """

    def __init__(
        self,
        builder: TraceBuilder,
        nodes: list[Node],
        voices: Voices,
        conversation: Conversation,
        *,
        spanned: set[str],
    ) -> None:
        self.builder = builder
        self.nodes = nodes
        self.voices = voices
        self._conversation = conversation
        self._spanned = spanned
        self._repeats: dict[tuple[int, str], InputMessage] = {}

    def read(self, item: Item) -> tuple[InputMessage, ...] | None:
        """What a model call was given, each message once a step."""
        node = self.nodes[item.node]
        given = node.content.inputs
        if not given:
            return None
        times: dict[tuple[str, str], int] = {}
        listed: list[InputMessage] = []
        seen: set[int] = set()
        unread: dict[str | None, Iterator[int]] = {}
        for message in given:
            if not (message.text or message.calls or message.call_id):
                continue  # nothing, or a thought of before
            step = self._conversation.find(message, times)
            if step is None and message.calls and not message.text and listed:
                step = self._late_calls(node, listed[-1].step, message)
            if step is None and message.role == "tool" and message.call_id in self._spanned:
                if message.call_id not in unread:
                    unread[message.call_id] = iter(self._conversation.results(message.call_id))
                results = unread[message.call_id]
                step = next((result for result in results if result not in seen), None)
            elif step is None:
                step = self._new_input(node, item, message)
                times[message.role, message.text.strip()] = (
                    times.get((message.role, message.text.strip()), 0) or 1
                )
            role = cast("Role", message.role)
            if step is not None and (role == "other" or (role == "tool" and message.calls)):
                role = self.builder.steps[step].role  # some write the tool's name there, or "tool"
            if listed and step is not None and listed[-1].step == step:
                continue  # one response that the next prompt gives back in pieces
            if step is None:
                listed.append(InputMessage(role=role, text=message.text))
            else:
                # One object per step: a history of n messages is repeated n times.
                repeat = self._repeats.get((step, role))
                if repeat is None:
                    speaker = self.builder.steps[step].agent
                    repeat = InputMessage(role=role, step=step, agent=speaker)
                    self._repeats[step, role] = repeat
                listed.append(repeat)
                seen.add(step)
        return tuple(listed)

    def _late_calls(self, node: Node, before: int | None, message: Message) -> int | None:
        """Calls that a framework read out of a response's words and states only afterwards."""
        if before is None:
            return None
        step = self.builder.steps[before]
        if step.role != "assistant" or step.tool_calls or step.agent != self.voices.agent_of(node):
            return None
        calls = [ToolCall(name=c.name, id=c.id, arguments=c.arguments) for c in message.calls]
        self.builder.add_calls(before, calls)
        for call in calls:
            if call.id:
                self._conversation.called(call.id, call.name, call.arguments, before)
        return before

    def _new_input(self, node: Node, item: Item, message: Message) -> int:
        agent = self.voices.agent_of(node)
        common: dict[str, Any] = {
            "native_index": node.span.native,
            "span_id": node.span.id,
            "timestamp": moment(item.time or None),
            "line": node.span.line,
            "text": message.text,
        }
        made = self._conversation.caller(message.call_id)
        if message.role == "tool" and made is not None:
            return self._result_of_input(message, common)
        if message.role == "system":
            step = self.builder.step(
                kind="system", role="system", agent="system", to=(agent,), **common
            )
        elif message.role == "tool" and message.call_id is None:
            step = self._observed(agent, message.name, common)
        elif message.role in ("assistant", "tool"):
            step = self._copied(agent, message, common)
        elif _OBSERVATION.match(message.text):
            step = self._observed(agent, None, common)
        else:
            step = self._from_outside(node, agent, message, common)
        self._conversation.said(message.role, message.text, step)
        return step

    def _result_of_input(self, message: Message, common: dict[str, Any]) -> int:
        """A result that only the next prompt shows, because tools have no spans here."""
        call_id = cast("str", message.call_id)
        caller = self._conversation.caller(call_id)
        calls = self.builder.steps[caller].tool_calls if caller is not None else ()
        name = next((call.name for call in calls if call.id == call_id), message.name or "tool")
        error = declared_error(message.text) if message.failed else shown_error(message.text)
        step = add_answer(self.builder, name, call_id=call_id, error=error, **common)
        self._conversation.answered(call_id, step, message.text)
        return step

    def _copied(self, agent: str, message: Message, common: dict[str, Any]) -> int:
        """Something said before this trace began, or outside what was recorded."""
        calls = [ToolCall(name=c.name, id=c.id, arguments=c.arguments) for c in message.calls]
        kind: StepKind = "action" if calls else "message"
        if message.role == "assistant" and message.name in self.voices.names:
            agent = message.name or agent  # put in by a framework in the name of another agent
        elif message.role == "assistant" and going_back_to(message.text) == agent:
            other = self._last_other(agent)
            if other is not None:
                common["to"] = (agent,)
                agent, kind = other, "handoff"
        if message.role == "tool":
            kind = "event"
            agent = message.name or "tool"
            self.builder.agent(agent, kind="tool", attribution="role")
        step = self.builder.step(
            kind=kind,
            role=cast("Role", message.role),
            agent=agent,
            calls=calls,
            flags=("copied_context",),
            **common,
        )
        for call in calls:
            if call.id:
                self._conversation.called(call.id, call.name, call.arguments, step)
        if message.call_id:
            self._conversation.answered(message.call_id, step, message.text)
        return step

    def _last_other(self, agent: str) -> str | None:
        """Who spoke last but an agent itself."""
        spoke = (step.agent for step in reversed(self.builder.steps) if step.role == "assistant")
        return next((name for name in spoke if name != agent), None)

    def _observed(self, agent: str, tool: str | None, common: dict[str, Any]) -> int:
        """What the environment answered, in words of the framework and without a call's id."""
        text = common["text"]
        body = _OBSERVATION.sub("", text, count=1)
        error = infer_error(text) or infer_error(body.lstrip())
        call = self._answered_call(agent, tool, text)
        if call is not None:
            step = add_answer(self.builder, call.name, call_id=call.id, error=error, **common)
            self._conversation.answered(call.id or "", step, text)
            return step
        repeats = False
        for before in reversed(self.builder.steps):
            if before.kind not in ("result", "system"):
                break
            if before.kind == "result":
                repeats = repeats or (len(before.text) > 7 and before.text in text)
        self.builder.agent("environment", kind="tool", attribution="role")
        return self.builder.step(
            kind="event",
            role="tool",
            agent="environment",
            to=(agent,),
            error=error,
            flags=("duplicate",) if repeats else None,
            **common,
        )

    def _answered_call(self, agent: str, tool: str | None, text: str) -> ToolCall | None:
        """The call an observation answers: one it names, else the agent's only open one."""
        last = self.voices.last_said.get(agent)
        if last is None:
            return None
        waiting = [
            call
            for position, call in enumerate(self.builder.steps[last].tool_calls)
            if not self.builder.is_answered(last, position) and call.id not in self._spanned
        ]
        named = _CALL_ID.match(text)
        if named is not None:
            return next((call for call in waiting if call.id == named[1]), None)
        same = [call for call in waiting if call.name == tool]
        return same[0] if same else waiting[0] if len(waiting) == 1 else None

    def _from_outside(
        self, node: Node, agent: str, message: Message, common: dict[str, Any]
    ) -> int:
        boss = node.starts_agent
        caller = self._conversation.passed_on(message.text)
        if caller is not None and self.builder.steps[caller].agent != agent:
            boss = self.builder.steps[caller].agent
            self.voices.redirect(caller, agent)
        inside = node.tool_above is not None or self.voices.was_called(agent)
        if boss and boss != agent and (caller is not None or inside):
            # The task of a sub-agent comes from the agent that called it.
            return self.builder.step(
                kind="handoff",
                role="user",
                agent=self.builder.agent(boss, kind="worker"),
                to=(agent,),
                flags=("copied_context",) if caller is not None else None,
                **common,
            )
        self.builder.agent("user", kind="human", attribution="role")
        flags = ("copied_context",) if message.text.startswith(_RELAYED) else None
        return self.builder.step(
            kind="message", role="user", agent="user", to=(agent,), flags=flags, **common
        )
