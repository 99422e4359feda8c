"""What a tool was given and what it returned, without the envelopes of callbacks and frameworks."""

from __future__ import annotations

from typing import Any

from traceloc.loading import parse_arguments
from traceloc_plugins.spans.dialect import ToolUse
from traceloc_plugins.spans.messages import Message, read_messages
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import decoded


def unwrap_arguments(raw: Any) -> Any:
    """Tool arguments without the envelopes that callbacks put around them."""
    value = decoded(parse_arguments(raw))
    for _ in range(2):
        if not isinstance(value, dict):
            return value
        if "input_str" in value:
            value = decoded(value["input_str"])
        elif "kwargs" in value and "args" in value:
            given, named = value["args"], value["kwargs"]
            value = {"args": given, **named} if given and isinstance(named, dict) else named
        else:
            return value
    return value


def set_result(use: ToolUse, raw: Any) -> None:
    """Take the result apart: the words, the call it answers, and whether it says it failed."""
    text = raw if isinstance(raw, str) else None
    if text is not None and not any(mark in text[:4000] for mark in _ENVELOPES):
        use.result = result_text(text)
        return
    value = decoded(raw)
    for key in ("output", "outputs"):
        if isinstance(value, dict) and len(value) <= 3 and isinstance(value.get(key), dict):
            value = value[key]
    update = value.get("update") if isinstance(value, dict) else None
    if isinstance(update, dict) and ("goto" in value or "graph" in value):
        # A LangGraph command: what the model will see is the last tool message of the update.
        messages = read_messages(update.get("messages"), "tool")
        value = next((m for m in reversed(messages) if m.role == "tool"), None)
        if isinstance(value, Message):
            use.result, use.call_id = value.text, use.call_id or value.call_id
            return
        use.result = ""
        return
    if is_tool_message(value):
        message = next((m for m in read_messages(value, "tool") if m.role == "tool"), None)
        if message is not None:
            use.result, use.failed = message.text, use.failed or message.failed
            use.call_id = use.call_id or message.call_id
            return
    use.result = result_text(raw)


_ENVELOPES = ('"tool_call_id"', '"lc"', '"ToolMessage"', '"update"', "tool_call_id")


def is_tool_message(value: Any) -> bool:
    """Whether a value is what LangChain wraps around a tool's result."""
    if not isinstance(value, dict):
        return False
    inner = value.get("kwargs") if "lc" in value else value.get("data", value)
    return isinstance(inner, dict) and "content" in inner and "tool_call_id" in inner
