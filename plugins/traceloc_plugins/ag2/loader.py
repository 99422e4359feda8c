"""Reads chats of AG2 and classic AutoGen.

A document is a ``ChatResult`` (``chat_history``), a group chat's list of messages, or a published
run with its ``trajectory`` beside the problem and its answer. What was printed, and the file that
``runtime_logging`` writes, are read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.loading.head import decode
from traceloc.trace import Trace
from traceloc_plugins.ag2.console import looks_like_console, read_console
from traceloc_plugins.ag2.conversation import HUMANS, read_conversation
from traceloc_plugins.ag2.runtime_log import FIRST_LINE, Chat, is_record, parse_line, read_chats
from traceloc_plugins.openai_chat.messages import is_chat, is_message
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import (
    bounded,
    keep_fields,
    read_traces,
    state_outcome,
    text_field,
)

_CONTAINERS = ("chat_history", "trajectory", "messages")
_ANNOTATIONS = ("other_data", "note")
"""Where published runs keep reference answers and what annotators found."""


class Ag2Loader:
    """Loader of AG2 and classic AutoGen chats."""

    name = "ag2"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "write the group's `groupchat.messages`, whose `name` says who spoke",
        "instructions": 'no chat holds them; `runtime_logging.start(logger_type="file")` logs '
        "the prompts",
        "schemas": 'no chat holds them; `runtime_logging.start(logger_type="file")` logs the '
        "requests",
        "calls": "chats hold each call that was made; without any the run made none",
        "results": "write `chat_history` of the agent that executes: its messages hold "
        "`tool_responses`",
        "inputs": "the format does not hold it; in a group chat every agent gets every message",
        "times": "no chat holds them, nor what the console shows; spans of AG2 1.x do, for the "
        "loader `otel`",
        "usage": "no chat holds them by message; spans of AG2 1.x do, for the loader `otel`",
    }

    def sniff(self, head: Head) -> float:
        """Chats whose messages are named, or whose tool answers stand together."""
        first = head.first
        if first is None:
            if head.text.lstrip().startswith(FIRST_LINE):
                return 0.95
            return 0.9 if looks_like_console(head.text) else 0.0
        if any(map(is_record, head.records[:5])):
            return 0.95
        if isinstance(first, list) and first and not is_message(first[0]):
            first = first[0]
        container = _container(first)
        messages = first if isinstance(first, list) else first[container] if container else None
        if not isinstance(messages, list):
            messages = list(head.documents[:20])
        found = [item for item in messages[:40] if is_message(item)]
        if container == "chat_history" and found:
            return 0.94
        if any(isinstance(item.get("tool_responses"), list) for item in found):
            return 0.94
        if any("tool_call_id" in item for item in found):
            return 0.0  # OpenAI's own tool messages; AG2 bundles them
        speakers = [item for item in found if item["role"] in ("user", "assistant")]
        names = {item["name"] for item in speakers if isinstance(item.get("name"), str)}
        if len(names) < 2:
            return 0.0
        return 0.94 if container == "trajectory" else 0.5

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each chat."""
        for source in sources:
            head = source.head()
            if head.first is not None and not any(map(is_record, head.records[:5])):
                yield from read_traces(
                    self.name, [source], is_trace=_is_chat, is_item=is_message, read=_read_chat
                )
            elif head.text.strip():
                yield from self._load_log(source)

    def _load_log(self, source: Source) -> Iterator[Trace]:
        """The chats of a log: what was printed, or what ``runtime_logging`` wrote."""
        text, _ = decode(source.read())
        records = [record for line in text.split("\n") if (record := parse_line(line.strip()))]
        logged = any(map(is_record, records))
        chats: Iterable[Chat] = (Chat(messages, {}, []) for messages in read_console(text))
        for chat in read_chats(records) if logged else chats:
            dialect = "runtime log" if logged else "console"
            builder = TraceBuilder(format=self.name, source=source.path, dialect=dialect)
            for tools in chat.tools:
                add_tools(builder, bounded(tools))
            trace = _read_chat(builder, chat.messages, agents=chat.agents)
            if trace.steps:
                yield trace


def _container(value: Any) -> str | None:
    if isinstance(value, dict):
        for key in _CONTAINERS:
            if isinstance(value.get(key), list):
                return key
    return None


def _is_chat(value: Any) -> bool:
    return is_chat(value) or _container(value) is not None


def _read_chat(
    builder: TraceBuilder, value: Any, agents: dict[str, dict[str, Any]] | None = None
) -> Trace:
    document = {"messages": value} if isinstance(value, list) else dict(value)
    messages = document.pop(_container(document) or "messages")
    if builder.dialect:  # logs do not state the role of whoever speaks
        for message in messages:
            if message["role"] == "assistant" and message["name"].lower() in HUMANS:
                message["role"] = "user"
    opening = next((_text(item) for item in messages if _text(item)), None)
    read_conversation(builder, messages)
    for name, known in (agents or {}).items():
        builder.agent(name, **known)

    task = text_field(document, "problem_statement", "question", "task") or opening
    annotations = {key: document.pop(key) for key in _ANNOTATIONS if key in document}
    attributes = keep_fields(builder, document)
    _keep_annotations(builder, bounded(annotations))
    return builder.build(task=task, attributes=attributes)


def _keep_annotations(builder: TraceBuilder, annotations: dict[str, Any]) -> None:
    facts = annotations.get("other_data")
    if isinstance(facts, dict):
        builder.truth(expected=facts.get("answer"))
        state_outcome(builder, facts)
    if annotations:
        builder.truth(**annotations)


def _text(message: Any) -> str | None:
    return text_field(message, "content") if isinstance(message, dict) else None
