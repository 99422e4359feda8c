"""What ``autogen.runtime_logging`` wrote into a file: events, calls of models and tools.

The log of a session holds all its chats, with lines between that are no JSON. Agents that speak to
each other are one chat. A manager passes every message on to the others, which is no new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic_core import from_json

from traceloc_plugins.records import bounded, text_field

FIRST_LINE = "Started new session with Session ID"


class Chat(NamedTuple):
    """A chat: its messages, and what model calls show of its agents."""

    messages: list[dict[str, Any]]
    agents: dict[str, dict[str, Any]]
    tools: list[Any]


def is_record(value: Any) -> bool:
    """Whether a JSON value is a line of the log."""
    if not isinstance(value, dict):
        return False
    return {"source_name", "event_name", "json_state"} <= value.keys() or {
        "client_id",
        "wrapper_id",
        "session_id",
    } <= value.keys()


def parse_line(line: str) -> Any:
    """The record on a line; ``None`` for words of the logger."""
    try:
        return from_json(line) if line[:1] == "{" else None
    except ValueError:
        return None


def read_chats(records: list[Any]) -> Iterator[Chat]:
    """The chats of a session, in the order they began."""
    spoken = list(_spoken(records))
    groups = _connected((message["name"], receiver) for message, receiver in spoken)
    chats: dict[str, Chat] = {}
    last: dict[str, Any] = {}
    for message, receiver in spoken:
        group = groups[receiver]
        chat = chats.setdefault(group, Chat([], {}, []))
        if last.get(group) != message:
            chat.messages.append(message)
        last[group] = message
    for record in records:
        if isinstance(record, dict) and (who := text_field(record, "source_name")) in groups:
            _note_call(chats[groups[str(who)]], str(who), record)
    yield from chats.values()


def _spoken(records: list[Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Messages as they were first received, and by whom."""
    passed_on: dict[str, list[Any]] = {}
    for record in records:
        if not isinstance(record, dict) or record.get("event_name") != "received_message":
            continue
        state = parse_line(str(record.get("json_state")))
        receiver, sender = text_field(record, "source_name"), None
        if isinstance(state, dict):
            sender = text_field(state, "sender")
        if not receiver or not sender or not isinstance(state, dict):
            continue
        message = bounded(state.get("message"))
        message = message if isinstance(message, dict) else {"content": message}
        author = message.get("name")
        content = message.get("content")
        if isinstance(author, str) and author != sender and content in passed_on.get(author, []):
            continue  # a manager tells the others what somebody said
        passed_on.setdefault(sender, []).append(content)
        del passed_on[sender][:-4]
        kept = {
            key: message[key]
            for key in ("content", "role", "tool_calls", "function_call", "tool_responses")
            if message.get(key) is not None
        }
        kept.setdefault("content", None)
        yield {"role": "assistant", **kept, "name": sender}, receiver


def _connected(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """For each agent a name of its group."""
    group: dict[str, str] = {}

    def find(name: str) -> str:
        while group.setdefault(name, name) != name:
            group[name] = group[group[name]]
            name = group[name]
        return name

    for one, two in pairs:
        group[find(two)] = find(one)
    return {name: find(name) for name in list(group)}


def _note_call(chat: Chat, who: str, record: dict[str, Any]) -> None:
    """Instructions, model and tools as a model call shows them."""
    request = record.get("request")
    if not isinstance(request, dict):
        return
    messages = request.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict) and first.get("role") == "system":
        rules = text_field(first, "content")
        model = text_field(request, "model")
        chat.agents.setdefault(who, {"instructions": rules, "model": model})
    tools = request.get("tools")
    if isinstance(tools, list) and tools and tools not in chat.tools[-8:]:
        chat.tools.append(tools)
