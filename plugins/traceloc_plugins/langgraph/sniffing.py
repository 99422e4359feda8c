"""How sure it is that a file comes from LangChain, LangGraph or LangSmith."""

from __future__ import annotations

from typing import Any

from traceloc.loading import Head
from traceloc_plugins.databases import mentions
from traceloc_plugins.langgraph.documents import is_conversation, messages_of
from traceloc_plugins.langgraph.events import is_event
from traceloc_plugins.langgraph.messages import is_message
from traceloc_plugins.langgraph.runs import is_part, runs_in
from traceloc_plugins.langgraph.states import holds_messages, is_snapshot, is_streamed

SURE = 0.97
LIKELY = 0.9
PLAIN = 0.45
"""A type and a content, as messages of other makers may have too."""

_OWN = frozenset(
    ("lc", "data", "additional_kwargs", "response_metadata", "usage_metadata", "invalid_tool_calls")
)
_LOOKED_AT = 20


def score(head: Head) -> float:
    """From 0.0 to 1.0, by the structure of what the file begins with."""
    if head.is_binary:
        return SURE if mentions(head.data, b"checkpoints", b"checkpoint_ns") else 0.0
    first = head.first
    if runs_in(first) or is_event(first) or is_part(first):
        return SURE
    if isinstance(first, list) and any(map(is_event, first[:_LOOKED_AT])):
        return SURE
    if is_conversation(first):
        return _score_messages(first)
    if is_message(first):
        return LIKELY if _is_own(first) else PLAIN
    items: Any = head.documents
    if isinstance(first, list) and not is_streamed(first):
        items = first
    streamed = [item for item in items[:_LOOKED_AT] if is_streamed(item)]
    if streamed and len(streamed) * 2 >= len(items[:_LOOKED_AT]):
        return LIKELY if any(map(_has_words, streamed)) else 0.0
    return 0.0


def _score_messages(value: Any) -> float:
    messages = messages_of(value)
    if messages is None and isinstance(value, list):
        first = next((item for item in value if isinstance(item, dict)), None)
        messages = messages_of(first)
    if messages is None:
        state = value[0] if isinstance(value, list) else value
        return LIKELY if is_snapshot(state) and holds_messages(state) else 0.0
    known = [item for item in messages[:_LOOKED_AT] if is_message(item)]
    if len(known) * 2 < len(messages[:_LOOKED_AT]):
        return 0.0
    return LIKELY if any(map(_is_own, known)) else PLAIN


def _is_own(message: dict[str, Any]) -> bool:
    return not message.keys().isdisjoint(_OWN)


def _has_words(item: Any) -> bool:
    parts = item if isinstance(item, list) else [item]
    return any(holds_messages(part) for part in parts)
