"""Messages and texts of a log, with what it keeps apart put back: attachments, pooled messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc.loading import text_of
from traceloc.trace import ToolCall
from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded
from traceloc_plugins.spans.messages import Call, Message

_ATTACHED = ("attachment://", "tc://")
_THINKING = frozenset({"reasoning", "thinking"})
MAX_POOLED = 5000
"""Messages of one model call's input that are looked up."""


class Pool:
    """What a sample's events refer to.

    Args:
        sample: The sample as parsed from JSON.
    """

    def __init__(self, sample: dict[str, Any]) -> None:
        attachments = sample.get("attachments")
        self._attachments = attachments if isinstance(attachments, dict) else {}
        data = sample.get("events_data")
        messages = data.get("messages") if isinstance(data, dict) else None
        self._messages = messages if isinstance(messages, list) else []

    def resolve(self, value: Any, *, depth: int = 16) -> Any:
        """The same value with references replaced by what they stand for."""
        if isinstance(value, str):
            if value.startswith(_ATTACHED):
                found = self._attachments.get(value.partition("://")[2])
                return found if isinstance(found, str) else value
            return value
        if depth == 0:
            return value
        if isinstance(value, list):
            return [self.resolve(item, depth=depth - 1) for item in value]
        if isinstance(value, dict):
            return {key: self.resolve(item, depth=depth - 1) for key, item in value.items()}
        return value

    def input_of(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Messages a model was given; recent logs keep each message once and refer to it."""
        given, refs = event.get("input"), event.get("input_refs")
        listed = list(given) if isinstance(given, list) else []
        if not listed and isinstance(refs, list):
            listed = list(self._pooled(refs))
        return [message for message in listed[-MAX_POOLED:] if isinstance(message, dict)]

    def _pooled(self, refs: list[Any]) -> Iterator[Any]:
        left = MAX_POOLED
        for ref in refs:
            bounds = ref if isinstance(ref, list) and len(ref) == 2 else [ref, None]
            if not all(isinstance(b, int) or b is None for b in bounds) or left <= 0:
                continue
            first, last = bounds[0], bounds[1] if bounds[1] is not None else bounds[0] + 1
            found = self._messages[max(0, first) : max(0, last)][:left]
            left -= len(found)
            yield from found


def said(pool: Pool, message: dict[str, Any]) -> tuple[str, str]:
    """The words and the reasoning of a message."""
    content = bounded(pool.resolve(message.get("content")))
    if not isinstance(content, list):
        return text_of(content), ""
    words, thoughts = [], []
    for block in content:
        kind = word(block.get("type")) if isinstance(block, dict) else None
        if kind in _THINKING:
            hidden = block.get("redacted") is True
            told = block.get("summary") if hidden else block.get("reasoning")
            thoughts.append(text_of(told))
        else:
            words.append(text_of([block]))
    return "\n".join(filter(None, words)), "\n".join(filter(None, thoughts))


def calls_of(pool: Pool, message: dict[str, Any]) -> list[ToolCall]:
    """The calls of an assistant's message."""
    calls = message.get("tool_calls")
    return [
        ToolCall(
            name=word(call.get("function")) or "unknown",
            id=word(call.get("id")),
            arguments=bounded(pool.resolve(call.get("arguments"))),
        )
        for call in (calls if isinstance(calls, list) else ())
        if isinstance(call, dict)
    ]


def as_message(pool: Pool, message: dict[str, Any]) -> Message:
    """A message of a model's input, to be found among the steps."""
    text, thoughts = said(pool, message)
    role = message.get("role")
    calls = [Call(c.name, c.id, c.arguments) for c in calls_of(pool, message)]
    return Message(
        role=role if role in ("system", "user", "assistant", "tool") else "other",
        text=text,
        calls=calls,
        call_id=word(message.get("tool_call_id")) if role == "tool" else None,
        reasoning=thoughts,
    )


def as_chat_message(pool: Pool, message: dict[str, Any]) -> dict[str, Any]:
    """A message in the API's own shape, for logs without events."""
    text, thoughts = said(pool, message)
    chat = {"role": message.get("role"), "content": text, "id": message.get("id")}
    if thoughts:
        chat["reasoning"] = thoughts
    if calls := calls_of(pool, message):
        chat["tool_calls"] = [
            {"id": c.id, "function": {"name": c.name, "arguments": c.arguments}} for c in calls
        ]
    if message.get("role") == "tool":
        chat["tool_call_id"], chat["name"] = message.get("tool_call_id"), message.get("function")
        error = message.get("error")
        if isinstance(error, dict):
            chat["is_error"], chat["tool_error"] = True, error
            chat["content"] = text or text_of(bounded(error.get("message")))
    return chat
