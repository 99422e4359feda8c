"""Adds AgentChat messages and events to a trace: who did what, and for whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.trace import AgentKind, Role, StepKind, ToolCall
from traceloc_plugins.ag2.conversation import HUMANS
from traceloc_plugins.autogen.contents import (
    Result,
    calls_of,
    code_result,
    results_of,
    usage_of,
    words_of,
)
from traceloc_plugins.autogen.events import Failure, Item
from traceloc_plugins.magentic_one.conversation import parse_ledger
from traceloc_plugins.records import bounded, id_field, split_truth
from traceloc_plugins.spans.answers import add_answer
from traceloc_plugins.spans.delegation import handoff_target, known_name
from traceloc_plugins.spans.values import moment, nanoseconds

WORDS: dict[str, StepKind] = {
    "TextMessage": "message",
    "MultiModalMessage": "message",
    "StructuredMessage": "message",
    "ToolCallSummaryMessage": "message",
    "StopMessage": "message",
    "HandoffMessage": "handoff",
    "ThoughtEvent": "thought",
    "SelectorEvent": "thought",
    "SelectSpeakerEvent": "event",
    "UserInputRequestedEvent": "event",
    "CodeGenerationEvent": "action",
    "UserMessage": "message",
    "AssistantMessage": "message",
    "SystemMessage": "system",
}
"""Kind of step of each type; those of a model's context, which saved states hold, come last."""
RESULTS = (
    "ToolCallExecutionEvent",
    "FunctionExecutionResultMessage",
    "CodeExecutionEvent",
    "MemoryQueryEvent",
)
TYPES = frozenset((*WORDS, *RESULTS, "ToolCallRequestEvent", "ModelClientStreamingChunkEvent"))
_RETELLING = ("ToolCallSummaryMessage", "HandoffMessage")
"""Types the framework makes up from what a tool returned, unless an agent's author fills them."""
_CHOOSING = ("SelectSpeakerEvent", "SelectorEvent")
_LEADER = re.compile(r"\w*(?:Orchestrator|GroupChatManager)")
"""Names the framework gives to those who lead a team."""
_READ = frozenset(
    ("id", "source", "models_usage", "created_at", "content", "type", "target", "thought", "result")
)
_REPEATING = ("tool_calls", "results", "code_blocks")
"""Fields that say again what other messages, or the content, say."""


def type_of(message: Any) -> str:
    """The type of a message, without its parameter; empty where it has none."""
    kind = message.get("type") if isinstance(message, dict) else None
    return kind.partition("[")[0] if isinstance(kind, str) else ""


def is_message(value: Any) -> bool:
    """Whether a JSON value is a message or event of AgentChat, or of a model's context."""
    kind = type_of(value)
    if kind == "FunctionExecutionResultMessage":
        return isinstance(value.get("content"), list)
    return kind in TYPES and isinstance(value.get("source") or value.get("content"), str)


class MessageReader:
    """Adds the messages of one team to a trace.

    Args:
        builder: The trace under construction.
        items: All messages, each with its position in the source.
    """

    def __init__(self, builder: TraceBuilder, items: Sequence[Item]) -> None:
        self.first_request: str | None = None
        """The first words of a person."""
        self._builder = builder
        self._items = items
        self._speaking: dict[str, None] = {}
        self._humans = set(HUMANS)
        self._leaders: set[str] = set()
        for _, message in items:
            if not isinstance(message, dict):
                continue
            source, kind = _source(message), type_of(message)
            if kind == "UserInputRequestedEvent":
                self._humans.add(source)
            elif kind != "StopMessage":
                self._speaking[source] = None
            if kind in _CHOOSING or _LEADER.fullmatch(source):
                self._leaders.add(source)
        self._last_results: dict[str, list[str]] = {}
        self._ordering: str | None = None
        self._orders: dict[str, tuple[str, str]] = {}
        """Who gave which agent an order, by its words: an agent that is a tool gets them twice."""
        self._seen: set[str] = set()

    def read(self) -> None:
        """Add every message; what cannot be read is noted, and nothing is raised."""
        for position, (index, message) in enumerate(self._items):
            if isinstance(message, Failure):
                self._add_failure(message, index)
            elif not isinstance(message, dict):
                self._builder.note("skipped", "items that are no message")
            elif type_of(message) == "ModelClientStreamingChunkEvent":
                self._builder.note("skipped", "streamed pieces of messages that follow whole")
            else:
                try:
                    self._add(message, index, position)
                except (ValueError, RecursionError):
                    self._builder.note("skipped", "messages that cannot be represented")

    def _add(self, message: dict[str, Any], index: int, position: int) -> None:
        source, type = _source(message), type_of(message)
        fields: dict[str, Any] = {
            "native_index": index,
            "timestamp": moment(nanoseconds(message.get("created_at"))),
            "attributes": self._other_fields(message, index),
        }
        if (id := id_field(message, "id")) and id in self._seen:
            fields["flags"] = ("duplicate",)
        self._seen.add(id or "")
        results = list(_results(message, type))
        if results:
            self._last_results[source] = [result.text for result in results]
            for result in results:
                self._add_result(result, fields)
            return
        self._introduce(source, type)
        fields["usage"] = usage_of(message)
        fields["llm_call_id"] = self._model_call(message, position)
        self._add_words(message, source, type, position, fields)

    def _add_words(
        self, message: dict[str, Any], source: str, type: str, position: int, fields: dict[str, Any]
    ) -> None:
        content = bounded(message.get("content"))
        calls = calls_of(content)
        text = "" if calls else words_of(content)
        kind: StepKind = "action" if calls else WORDS.get(type, "message")
        role = self._role(source, type)
        to: tuple[str, ...] = ()
        if calls and (to := self._handed_to(calls)):
            kind = "handoff"
        elif calls and (to := self._set_to_work(source, calls)):
            kind = "handoff" if len(to) == len(calls) else kind
        elif role == "user" and text.strip() in self._orders:
            # The stream of an agent that is a tool begins with its order, as if a person gave it.
            source, called = self._orders[text.strip()]
            kind, to, fields["flags"] = "handoff", (called,), ("copied_context",)
        elif kind == "handoff":
            target = id_field(message, "target")
            to = (target,) if target else ()
        elif source in self._leaders and (ledger := parse_ledger(text)):
            fields["attributes"] = {**(fields["attributes"] or {}), "ledger": ledger}
            kind = "thought"
        elif source in self._leaders and type == "TextMessage":
            to = self._ordered(source, position)
            kind = "handoff" if to else kind
        elif type == "SelectSpeakerEvent" and self._ordering != source:
            names = content if isinstance(content, list) else [content]
            to = tuple(name for name in names if isinstance(name, str) and name)
        self._ordering = source if kind == "handoff" else None
        if type == "StopMessage" and source not in self._speaking:
            kind = "event"
        if type in _RETELLING and self._repeats_results(source, text):
            fields["flags"] = ("duplicate",)
        if type == "CodeGenerationEvent":
            calls = calls_of([{"name": "code", "arguments": message.get("code_blocks")}])
        if role == "user" and kind == "message":
            self.first_request = self.first_request or text
        thought = message.get("thought")
        self._builder.step(
            kind=kind,
            role=role,
            agent=source,
            text=text,
            to=to,
            calls=calls,
            reasoning=thought if isinstance(thought, str) and thought else None,
            **fields,
        )

    def _handed_to(self, calls: Sequence[ToolCall]) -> tuple[str, ...]:
        """The agents of this team that calls hand the work to, if they do nothing else."""
        targets = [handoff_target(call.name, call.arguments) for call in calls]
        names = [known_name(target, self._speaking) for target in targets if target]
        known = len(names) == len(calls) and self._speaking.keys() >= set(names)
        return tuple(dict.fromkeys(names)) if known else ()

    def _set_to_work(self, source: str, calls: Sequence[ToolCall]) -> tuple[str, ...]:
        """The agents of this team that are called as tools, under their own names."""
        called = [call for call in calls if call.name in self._speaking and call.name != source]
        for call in called:
            given = call.arguments.values() if isinstance(call.arguments, dict) else ()
            for order in given:
                if isinstance(order, str) and order.strip():
                    self._orders[order.strip()] = (source, call.name)
        return tuple(dict.fromkeys(call.name for call in called))

    def _ordered(self, source: str, position: int) -> tuple[str, ...]:
        """Whom a leader's message is for: the one that speaks right after it."""
        for _, message in self._items[position + 1 : position + 3]:
            if type_of(message) in _CHOOSING:
                continue
            speaker = _source(message) if isinstance(message, dict) else source
            if speaker == source or speaker in self._humans:
                return ()
            self._builder.note("inferred", "orders were taken to be for whoever speaks next")
            return (speaker,)
        return ()

    def _add_result(self, result: Result, fields: dict[str, Any]) -> None:
        add_answer(
            self._builder,
            result.tool,
            text=result.text,
            call_id=result.call_id,
            error=result.error,
            exit_code=result.exit_code,
            **fields,
        )

    def _add_failure(self, failure: Failure, index: int) -> None:
        self._builder.agent(failure.agent, kind="worker")
        self._builder.step(
            kind="event",
            role="system",
            agent=failure.agent,
            native_index=index,
            text=failure.error.message,
            error=failure.error,
        )

    def _introduce(self, source: str, type: str) -> None:
        kind: AgentKind = "worker"
        if source in self._humans:
            kind = "human"
        elif source in self._leaders:
            kind = "orchestrator"
        elif source not in self._speaking and type == "StopMessage":
            kind = "system"
        self._builder.agent(source, kind=kind)

    def _role(self, source: str, type: str) -> Role:
        if type == "SystemMessage" or (type == "StopMessage" and source not in self._speaking):
            return "system"
        return "user" if source in self._humans else "assistant"

    def _model_call(self, message: dict[str, Any], position: int) -> str | None:
        """The id of the message that reports the model call this one came from."""
        if isinstance(message.get("models_usage"), dict):
            return id_field(message, "id")
        if type_of(message) == "ThoughtEvent" and position + 1 < len(self._items):
            after = self._items[position + 1][1]
            if isinstance(after, dict) and _source(after) == _source(message):
                return id_field(after, "id")
        return None

    def _repeats_results(self, source: str, text: str) -> bool:
        results = self._last_results.get(source)
        return bool(results) and (
            text.strip() in "\n".join(results or ()) or all(one in text for one in results or ())
        )

    def _other_fields(self, message: dict[str, Any], index: int) -> dict[str, Any] | None:
        if message.keys() <= _READ:
            return None
        others = {
            key: value
            for key, value in message.items()
            if key not in _READ and key not in _REPEATING
        }
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"messages[{index}]": truth})
        return attributes or None


def _results(message: dict[str, Any], type: str) -> list[Result]:
    if type == "CodeExecutionEvent":
        return [code_result(message)]
    content = bounded(message.get("content"))
    if type == "MemoryQueryEvent":
        return [Result(words_of(content), None, "memory", None)]
    return [] if type == "ToolCallSummaryMessage" else list(results_of(content))


def _source(message: Any) -> str:
    return (id_field(message, "source") if isinstance(message, dict) else None) or "unknown"
