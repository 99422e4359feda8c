"""Messages out of whole requests and responses, as observability tools keep them.

A tool that only wraps functions records what went in and what came out: the arguments of an SDK's
method, its answer, a graph's state. The shapes known here: OpenAI (chat completions and responses),
Anthropic, Gemini and Google ADK, LangChain and LangGraph, plain lists of messages, and texts.
"""

from __future__ import annotations

import re
from typing import Any

from traceloc_plugins.spans.dialect import Content
from traceloc_plugins.spans.messages import Call, Message, clean_id, read_messages
from traceloc_plugins.spans.returned import json_text
from traceloc_plugins.spans.values import decoded

_TASK_KEYS = (
    *("input", "inputs", "question", "query", "task", "prompt", "content", "text", "request"),
    *("user_input", "user_message", "message"),
)
_ANSWER_KEYS = (
    *("output", "outputs", "answer", "response", "result", "content", "text", "final_output"),
    *("completion", "message"),
)
_SPEAKER = re.compile(r"^(system|developer|user|assistant|tool): ", re.MULTILINE)
"""A conversation as one text, as Langfuse shows the inputs of instrumented SDKs."""
_DEPTH = 3


def read_payloads(given: Any, gave: Any) -> Content:
    """Messages of what a model call, or an agent, was given and of what it answered."""
    return Content(read_request(given), read_response(gave))


def read_request(raw: Any, depth: int = _DEPTH) -> list[Message]:
    """Messages of a request."""
    value = decoded(raw)
    if isinstance(value, str):
        return _conversation(value)
    if isinstance(value, list):
        return read_messages([item for item in value if offered_tool(item) is None])
    if not isinstance(value, dict) or depth == 0:
        return []
    if _is_message(value):
        return [] if value.get("content") == "role" else read_messages(value)
    found: list[Message] = []
    config = value.get("config")
    for system in (
        value.get("system"),
        value.get("instructions"),
        value.get("system_instruction") or value.get("systemInstruction"),
        config.get("system_instruction") if isinstance(config, dict) else None,
    ):
        if system and isinstance(system, str | list | dict):
            found.extend(read_messages(system, "system"))
    for key in ("messages", "contents", "new_message"):
        if value.get(key):
            return found + read_messages(value[key])
    arguments = value.get("args")
    if isinstance(arguments, list) and "kwargs" in value:
        arguments = [*arguments, *([value["kwargs"]] if value["kwargs"] else [])]
    if isinstance(arguments, list) and len(arguments) == 1:
        return found + read_request(arguments[0], depth - 1)
    for key in _TASK_KEYS:
        inner = value.get(key)
        if isinstance(inner, str) and inner.strip():
            return [*found, Message("user", inner)]
        if isinstance(inner, list | dict) and inner:
            return found + read_request(inner, depth - 1)
    return found


def read_response(raw: Any, depth: int = _DEPTH) -> list[Message]:
    """Messages of an answer: what was said last, where the answer repeats what was before."""
    value = decoded(raw)
    if isinstance(value, str):
        return [Message("assistant", value)] if value.strip() else []
    if isinstance(value, list):
        return _from_list(value)
    if not isinstance(value, dict) or not value:
        return []
    found = _from_answer(value, depth) if depth else None
    if found is not None:
        return found
    return [Message("assistant", raw if isinstance(raw, str) else json_text(value))]


def _from_answer(value: dict[str, Any], depth: int) -> list[Message] | None:
    """What a known shape says; ``None`` for an object that is itself the answer."""
    if _is_message(value):
        return [m for m in read_messages(value, "assistant") if m.role in ("assistant", "other")]
    for key in ("choices", "candidates"):
        if isinstance(choices := value.get(key), list):
            return [message for choice in choices[:1] for message in _choice(choice)]
    if isinstance(generations := value.get("generations"), list):
        return read_messages(generations, "assistant")
    for key in ("messages", "output"):
        if isinstance(inner := value.get(key), list) and inner:
            return _from_list(inner)
    if isinstance(content := value.get("content"), list | dict) and content:
        return read_messages(content, "assistant")
    if isinstance(words := value.get("raw"), str):
        return [Message("assistant", words)]
    inner = next((value[key] for key in _ANSWER_KEYS if value.get(key)), None)
    if isinstance(inner, str) and (len(value) == 1 or not _is_prose(value)):
        return [Message("assistant", inner)]
    return read_response(inner, depth - 1) if isinstance(inner, dict) else None


def _is_prose(value: dict[str, Any]) -> bool:
    """Whether all an object holds are texts, as in an answer that was asked for as JSON."""
    return all(isinstance(inner, str) for inner in value.values())


def offered_tool(message: Any) -> dict[str, Any] | None:
    """The tool that Langfuse's callback for LangChain lists among the messages of a request."""
    if not isinstance(message, dict) or message.get("role") != "tool":
        return None
    content = decoded(message.get("content"))
    if isinstance(content, dict) and isinstance(function := content.get("function"), dict):
        return function if content.get("type") == "function" else None
    return None


def _from_list(items: list[Any]) -> list[Message]:
    if items and isinstance(items[0], dict) and "toolName" in items[0]:
        calls = [_vercel_call(item) for item in items if isinstance(item, dict)]
        return [Message("assistant", calls=calls)]
    found = read_messages(items, "assistant")
    if any(message.role not in ("assistant", "other") for message in found):
        # A whole conversation: only its end is new.
        return [message for message in found if message.role == "assistant"][-1:]
    return found


def _vercel_call(item: dict[str, Any]) -> Call:
    arguments = decoded(item.get("args", item.get("input")))
    return Call(str(item["toolName"]), clean_id(item.get("toolCallId")), arguments)


def _choice(choice: Any) -> list[Message]:
    if not isinstance(choice, dict):
        return []
    for key in ("message", "delta", "content"):
        if isinstance(inner := choice.get(key), dict):
            return read_messages(inner, "assistant")
    text = choice.get("text")
    return [Message("assistant", text)] if isinstance(text, str) and text.strip() else []


def _conversation(text: str) -> list[Message]:
    """One text, or the speeches it is made of."""
    if not text.strip():
        return []
    if not _SPEAKER.match(text):
        return [Message("user", text)]
    parts = _SPEAKER.split(text)[1:]
    return [
        message
        for role, words in zip(parts[::2], parts[1::2], strict=True)
        for message in read_messages(words.strip(), "system" if role == "developer" else role)
    ]


def _is_message(value: dict[str, Any]) -> bool:
    """Whether an object is one message, and not a request or response around messages."""
    if "messages" in value:
        return False
    if isinstance(value.get("role"), str) or ("lc" in value and "kwargs" in value):
        return True
    if value.keys() == {"content"} and isinstance(value["content"], str):
        return True
    return isinstance(value.get("type"), str) and bool({"content", "data"} & value.keys())
