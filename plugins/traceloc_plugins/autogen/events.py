"""The event logs of AutoGen: messages on their way between agents, and what went wrong there.

The core log tells of every message as it is sent and again as it is delivered, to several topics.
What counts is each message once, where it first occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import starmap
from typing import Any, NamedTuple

from pydantic_core import from_json

from traceloc.loading import TraceBuilder, declared_error
from traceloc.trace import StepError
from traceloc_plugins.autogen.calls import messages_of_calls
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import bounded, id_field, keep_rest

_CORE_TYPES = frozenset(
    (
        "LLMCall",
        "LLMStreamStart",
        "LLMStreamEnd",
        "ToolCall",
        "Message",
        "MessageDropped",
        "MessageHandlerException",
        "AgentConstructionException",
    )
)
_OF_AN_EVENT = frozenset(
    ("type", "data", "payload", "sender", "receiver", "kind", "delivery_stage", "agent_id")
) | {"handling_agent", "exception", "messages", "response", "tools", "tool_name", "arguments"}
_OF_AN_EVENT |= {"result", "prompt_tokens", "completion_tokens"}
_MARKS = ("delivery_stage", "agent_id", "handling_agent", "receiver")


_UNHANDLED = "Unhandled message"
_TOLD_OF_IT = "GroupChatError"
"""How the other agents of a team fail of the news that one has failed."""


class Failure(NamedTuple):
    """An exception that an agent raised while it handled a message."""

    agent: str
    error: StepError


class Item(NamedTuple):
    """A message and its position in the source: a message, a :class:`Failure`, or anything."""

    position: int
    message: Any


def is_event(value: Any) -> bool:
    """Whether a JSON value is a line of an event log."""
    if not isinstance(value, dict) or not isinstance(kind := value.get("type"), str):
        return False
    if isinstance(data := value.get("data"), dict):
        return isinstance(data.get("source"), str) and data.get("type") == kind
    return kind in _CORE_TYPES and any(key in value for key in _MARKS)


def read_events(builder: TraceBuilder, records: Sequence[Any]) -> Iterator[Item]:
    """Yield the messages of an event log, each once, and the failures.

    Args:
        builder: Gets the tools and instructions that model calls show.
        records: Lines of the log; other items are passed through.
    """
    seen: set[str] = set()
    last: Any = None
    crashed = False
    if not any(map(_carries, records)):
        yield from starmap(Item, messages_of_calls(records, _agent))
    for index, record in enumerate(records):
        if not is_event(record):
            yield Item(index, record)
            continue
        keep_rest(builder, record, _OF_AN_EVENT, place=f"events[{index}]")
        for message in _messages(builder, record):
            if isinstance(message, Failure):
                if crashed and _is_echo(message):
                    builder.note("skipped", "exceptions at the news that another agent had failed")
                    continue
                crashed = True
            id = id_field(message, "id") if isinstance(message, dict) else None
            if (id in seen) if id else (message == last):
                continue
            seen.add(id or "")
            last = message
            yield Item(index, message)


def _messages(builder: TraceBuilder, record: dict[str, Any]) -> Iterator[Any]:
    if isinstance(data := record.get("data"), dict):
        yield data
    elif record["type"] == "LLMCall":
        _introduce(builder, record)
    elif record["type"].endswith("Exception"):
        words = record.get("exception")
        text = words if isinstance(words, str) else "an agent failed"
        yield Failure(_agent(record.get("handling_agent") or record.get("agent_id")), _error(text))
    elif record["type"] == "Message":
        yield from _carried(record.get("payload"))


def _is_echo(failure: Failure) -> bool:
    said = failure.error.message
    return said.startswith(_UNHANDLED) and _TOLD_OF_IT in said


def _carries(record: Any) -> bool:
    """Whether a line holds an AgentChat message, or is one."""
    if not is_event(record):
        return isinstance(record, dict)
    if isinstance(record.get("data"), dict):
        return True
    return record["type"] == "Message" and any(True for _ in _carried(record.get("payload")))


def _carried(payload: Any) -> Iterator[dict[str, Any]]:
    """The messages inside what was sent."""
    if isinstance(payload, str) and payload[:1] == "{":
        try:
            payload = from_json(payload)
        except ValueError:
            return
    if not isinstance(payload, dict):
        return
    response = payload.get("response") or payload.get("agent_response")
    for holder in (payload, response):
        if not isinstance(holder, dict):
            continue
        for key in ("messages", "inner_messages", "message", "chat_message"):
            found = holder.get(key)
            for message in found if isinstance(found, list) else [found]:
                if isinstance(message, dict) and "source" in message:
                    yield message


def _introduce(builder: TraceBuilder, record: dict[str, Any]) -> None:
    """Tools and instructions as a model call shows them."""
    messages = record.get("messages")
    opening = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(opening, dict) and opening.get("role") == "system":
        words = opening.get("content")
        if isinstance(words, str) and record.get("agent_id"):
            builder.agent(_agent(record["agent_id"]), kind="worker", instructions=words)
    add_tools(builder, bounded(record.get("tools")))


def _agent(id: Any) -> str:
    """The name in an agent's id: ``booker_<team>/<run>`` is ``booker``."""
    if not isinstance(id, str) or not id:
        return "unknown"
    type, _, key = id.partition("/")
    return type.removesuffix(f"_{key}") or "unknown"


def _error(text: str) -> StepError:
    type = text.partition(":")[0]
    return declared_error(text, type=type if type.isidentifier() else None)
