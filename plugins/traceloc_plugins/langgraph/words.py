"""What a message says and calls, in the words that all chat formats share."""

from __future__ import annotations

import re
from typing import Any

from traceloc_plugins.langgraph.messages import ROLES
from traceloc_plugins.spans.messages import Call, Message, clean_id, read_call, read_messages

_CALLING = frozenset({"tool_use", "tool_call", "function_call", "input_json_delta"})
"""Blocks that say again what ``tool_calls`` says."""
_OF_A_CALL = frozenset({"name", "args", "id", "type"})
_MAY_BE_PACKED = re.compile(r"\s*[\[{RC]")
"""How a text starts that may be a list of blocks or the ``repr`` of a call."""


def read_words(fields: dict[str, Any]) -> list[Message]:
    """The message, and the tool results that were packed into it."""
    role, content = ROLES[fields["type"]], fields["content"]
    calls = _calls_in(fields)
    # Nearly all messages are plain words. All spellings that there are take three times as long.
    if isinstance(content, str) and (role == "tool" or not _MAY_BE_PACKED.match(content)):
        message = Message(role, content, calls=list(filter(None, map(_read_call, calls))))
        if role == "tool":
            message.call_id = clean_id(fields.get("tool_call_id"))
            message.failed = fields.get("status") == "error" and not message.is_empty
        return [message]
    return read_messages(_plain(fields, calls)) or [Message(role)]


def _calls_in(fields: dict[str, Any]) -> list[Any]:
    calls: Any = fields.get("tool_calls")
    if calls and isinstance(calls, list):
        return calls
    more = fields.get("additional_kwargs")
    calls = more.get("tool_calls") if more and isinstance(more, dict) else None
    return calls if isinstance(calls, list) and not fields.get("invalid_tool_calls") else []


def _read_call(call: Any) -> Call | None:
    if isinstance(call, dict) and call.keys() == _OF_A_CALL:
        name, arguments = call["name"], call["args"]
        if isinstance(name, str) and isinstance(arguments, dict):
            return Call(name, clean_id(call["id"]), arguments)
    return read_call(call)


def _plain(fields: dict[str, Any], calls: list[Any]) -> dict[str, Any]:
    """The message in the words of a chat API."""
    content = fields["content"]
    if isinstance(content, list) and (calls or fields.get("invalid_tool_calls")):
        content = [
            block
            for block in content
            if not (isinstance(block, dict) and str(block.get("type")) in _CALLING)
        ]
    role = ROLES[fields["type"]]
    plain = {"role": role, "content": content, "tool_calls": calls}
    if role == "tool":
        plain |= {
            "tool_call_id": fields.get("tool_call_id"),
            "status": fields.get("status"),
        }
    return plain
