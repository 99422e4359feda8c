"""Adds chat messages to a trace: who spoke, what was called, what came back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from traceloc.loading import TraceBuilder, declared_error
from traceloc.trace import AgentKind, Role, StepKind
from traceloc_plugins.openai_chat.content import (
    Content,
    Result,
    as_message,
    read_content,
    results_of,
)
from traceloc_plugins.records import split_truth
from traceloc_plugins.roles import ROLES
from traceloc_plugins.spans.delegation import handoff_target, known_name

AGENT_KINDS: dict[Role, AgentKind] = {"user": "human", "tool": "tool", "system": "system"}

_READ = frozenset(
    (
        "role",
        "content",
        "name",
        "id",
        "tool_calls",
        "function_call",
        "tool_call_id",
        "tool_responses",
        "reasoning_content",
        "reasoning",
        "is_error",
    )
)


def is_message(value: Any) -> bool:
    """Whether a JSON value is a chat message."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("role"), str)
        and not value.keys().isdisjoint(("content", "tool_calls", "function_call"))
        and "messages" not in value
    )


def is_chat(value: Any) -> bool:
    """Whether a JSON value is a list with chat messages."""
    return isinstance(value, list) and any(is_message(item) for item in value[:20])


def named_agents(messages: Iterable[Any]) -> dict[str, None]:
    """Names that assistants bear in a chat, in order; empty where there is but one, unnamed."""
    names: dict[str, None] = {}
    for message in messages:
        if isinstance(message, dict) and message.get("role") == "assistant":
            name = message.get("name")
            if isinstance(name, str) and name:
                names[name] = None
    return names


class ChatReader:
    """Adds the messages of one chat to a trace.

    Args:
        builder: The trace under construction.
        agent: Name of the assistant where messages do not name their author.
        known: Agents the caller has introduced already.
    """

    def __init__(
        self, builder: TraceBuilder, *, agent: str = "assistant", known: Iterable[str] = ()
    ) -> None:
        self.first_request: str | None = None
        """The first words of a user."""
        self._builder = builder
        self._agent = agent
        self._agents = frozenset(known)
        self._introduced = set(self._agents)
        self._set_to_work: set[str] = set()
        self._open: dict[str, list[str]] = {}
        """Tools of calls without a result, by the call's id: models give one id to several."""
        self._open_without_id: deque[str] = deque(maxlen=64)
        self._answered: set[str] = set()
        self._message_ids: set[str] = set()

    def add(
        self,
        message: Any,
        index: int,
        *,
        author: str | None = None,
        execution: bool = False,
    ) -> None:
        """Add a message; what cannot be read is noted, and nothing is raised.

        Args:
            message: The message as parsed from JSON.
            index: Its position in the source's list.
            author: Who wrote it, where the caller knows better than the message.
            execution: Whether its words are what executed code returned.
        """
        message = as_message(message)
        if not isinstance(message, dict):
            self._builder.note("skipped", "items that are no message")
            return
        try:
            self._add(message, index, author, execution)
        except (ValueError, RecursionError):
            self._builder.note("skipped", "messages that cannot be represented")

    def _add(
        self, message: dict[str, Any], index: int, author: str | None, execution: bool
    ) -> None:
        stated = message.get("role")
        role = ROLES.get(stated.lower(), "other") if isinstance(stated, str) else "other"
        name = message.get("name")
        if author is None and role != "tool" and isinstance(name, str) and name:
            author = name
        if author is None and role == "other" and isinstance(stated, str) and stated:
            author = stated
        content = read_content(message)
        fields: dict[str, Any] = {}
        if not message.keys() <= _READ:
            fields["attributes"] = self._other_fields(message, index)
        if self._is_repeated(message):
            fields["flags"] = ("duplicate",)

        for result in results_of(message, content, role):
            self._add_result(result, index, author, "tool" if role == "user" else role, fields)
        if role == "tool" or (content.results and not content.text and not content.calls):
            return
        if execution:
            # Named, so that what code printed is never taken for the answer to an open tool call.
            result = Result(content.text, tool="code")
            self._add_result(result, index, author, role, fields)
            return
        self._add_words(content, index, author, role, fields)

    def _add_words(
        self,
        content: Content,
        index: int,
        author: str | None,
        role: Role,
        fields: dict[str, Any],
    ) -> None:
        if author is None:
            author = self._agent if role == "assistant" else role
        kind: StepKind = "message"
        if role == "system":
            kind = "system"
            if content.text:
                self._builder.agent(self._agent, kind="worker", instructions=content.text)
        elif content.calls:
            targets = self._targets(content, author)
            kind = "handoff" if targets else "action"
            fields = {**fields, "to": targets or None}
        elif content.reasoning and not content.text:
            kind = "thought"
        if role == "user" and self.first_request is None and content.text:
            self.first_request = content.text
        self._introduce(author, role)
        self._builder.step(
            kind=kind,
            role=role,
            agent=author,
            native_index=index,
            text=content.text,
            calls=content.calls,
            reasoning=content.reasoning,
            **fields,
        )
        for call in content.calls:
            if call.id:
                self._open.setdefault(call.id, []).append(call.name)
            else:
                self._open_without_id.append(call.name)

    def _targets(self, content: Content, author: str) -> tuple[str, ...]:
        """The agents of this chat that a message hands the work to, and does nothing else."""
        if not self._agents:
            return ()
        targets: dict[str, None] = {}
        for call in content.calls:
            target = handoff_target(call.name, call.arguments)
            name = known_name(target, self._agents) if target else None
            if name is None or name not in self._agents:
                return ()
            targets[name] = None
        if author not in self._set_to_work:
            self._builder.agent(author, kind="orchestrator")
        self._set_to_work.update(targets)
        return tuple(targets)

    def _add_result(
        self, result: Result, index: int, author: str | None, role: Role, fields: dict[str, Any]
    ) -> None:
        tool = result.tool
        if result.call_id:
            waiting = self._open.get(result.call_id)
            if waiting:
                tool = waiting.pop(0)
            elif result.call_id in self._answered:
                fields = {**fields, "flags": ("duplicate",)}
            self._answered.add(result.call_id)
        elif tool is None and self._open_without_id:
            tool = self._open_without_id.popleft()
        elif tool is not None and tool in self._open_without_id:
            self._open_without_id.remove(tool)
        if author is None:
            author = tool or "tool"
            self._introduce(author, "tool")
        else:
            self._introduce(author, role)
        if result.failed:
            fields = {**fields, "error": declared_error(result.text)}
        self._builder.step(
            kind="result",
            role=role,
            agent=author,
            native_index=index,
            text=result.text,
            call_id=result.call_id,
            tool=tool,
            **fields,
        )

    def _introduce(self, name: str, role: Role) -> None:
        if name not in self._introduced:
            self._introduced.add(name)
            known_by_role = name in (self._agent, "user", "tool", "system") and role != "other"
            self._builder.agent(
                name,
                kind=AGENT_KINDS.get(role, "worker"),
                attribution="role" if known_by_role else "explicit",
            )

    def _other_fields(self, message: dict[str, Any], index: int) -> dict[str, Any] | None:
        others = {key: value for key, value in message.items() if key not in _READ}
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"messages[{index}]": truth})
        return attributes or None

    def _is_repeated(self, message: dict[str, Any]) -> bool:
        """Whether a message with the same id stood before; equal words alone may be a loop."""
        id = message.get("id")
        if not isinstance(id, str) or not id:
            return False
        if id in self._message_ids:
            return True
        self._message_ids.add(id)
        return False
