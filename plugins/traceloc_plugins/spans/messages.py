"""Chat messages in every spelling that instrumentations use, as one shape.

Known spellings: GenAI ``parts``, OpenAI (``content``/``tool_calls``), OpenAI Responses items,
Anthropic and Bedrock blocks, Gemini parts, LangChain (three serialisations), OpenInference's dotted
keys, and the Python ``repr`` that the OpenAI Agents and smolagents instrumentations leave behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from traceloc.loading import parse_arguments, text_of
from traceloc.trace import Role
from traceloc_plugins.literals import read_literal
from traceloc_plugins.roles import ROLES
from traceloc_plugins.spans.ai_sdk import plain_part
from traceloc_plugins.spans.returned import json_text, result_text
from traceloc_plugins.spans.values import decoded, media_in_words

_ROLES: dict[str, Role] = {
    **ROLES,
    "chatbot": "assistant",
    "tool-response": "tool",
    "tool-call": "assistant",
}
_PAIRED = frozenset({"user", "human", "assistant", "ai", "system", "developer"})
_CLASS_ROLES = {"HumanMessage": "user", "AIMessage": "assistant", "AIMessageChunk": "assistant"}
_CLASS_ROLES |= {"SystemMessage": "system", "ToolMessage": "tool", "FunctionMessage": "tool"}
_CALL_REPR = re.compile(r"\s*Response(?:Function|Custom)ToolCall\((?P<fields>.*)\)\s*", re.DOTALL)
_REPR_FIELD = re.compile(
    r"\b(?P<key>arguments|call_id|name|input)=(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
)
_CALLING = re.compile(r"\s*Calling tools:\s*(?P<calls>\[.*\])\s*", re.DOTALL)
_PACKED = re.compile(r'\s*\[\s*\{\s*"(?:text|toolUse|toolResult|reasoningContent)"\s*:')
_THINKING = frozenset({"reasoning", "thinking", "thought", "redacted_thinking"})


class Call(NamedTuple):
    """A tool call as a message states it."""

    name: str
    id: str | None
    arguments: Any


@dataclass(slots=True)
class Message:
    """One message; ``role`` is system, user, assistant, tool or other."""

    role: str
    text: str = ""
    calls: list[Call] = field(default_factory=list)
    call_id: str | None = None
    """For tool messages: the call that is answered."""
    name: str | None = None
    """Tool of a tool message, agent of another."""
    reasoning: str = ""
    failed: bool = False
    """A tool message that declares an error."""

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not (self.text or self.calls or self.reasoning or self.call_id)


def role_of(raw: Any, default: str) -> str:
    """One of our roles for whatever an exporter calls it."""
    return _ROLES.get(raw.strip().lower(), "other") if isinstance(raw, str) and raw else default


def read_messages(raw: Any, role: str = "user") -> list[Message]:
    """Messages of a list, a single message, a text, or a JSON string of any of these."""
    value = decoded(raw)
    if isinstance(value, dict) and isinstance(inner := value.get("messages"), list):
        value = inner
    if isinstance(value, list):
        if _is_pair(value):
            value = [value]
        elif value and all(isinstance(item, list) for item in value) and not _is_pair(value[0]):
            value = [part for item in value for part in item]  # LangChain batches: [[...]]
        if _are_parts(value):
            return _from_content(role, value)
        found: list[Message] = []
        for item in value:
            found.extend(_read_one(item, role))
        return found
    return _read_one(value, role)


def _is_pair(value: Any) -> bool:
    """LangChain's short form of a message: ``["user", "Hello"]``."""
    if not isinstance(value, list) or len(value) != 2:
        return False
    return all(isinstance(part, str) for part in value) and value[0] in _PAIRED


def _read_one(item: Any, role: str) -> list[Message]:
    if isinstance(item, str):
        return [Message(role, item)] if item.strip() else []
    if _is_pair(item):
        return [Message(_ROLES[item[0]], item[1])]
    if not isinstance(item, dict):
        return []
    if "lc" in item and isinstance(item.get("kwargs"), dict):
        kind = item.get("id")
        name = kind[-1] if isinstance(kind, list) and kind else ""
        return _read_one(item["kwargs"], _CLASS_ROLES.get(str(name), role))
    if isinstance(item.get("data"), dict) and isinstance(item.get("type"), str):
        return _read_one({"type": item["type"], **item["data"]}, role)
    if isinstance(item.get("kwargs"), dict) and "role" not in item:
        return _read_one(item["kwargs"], role)
    if isinstance(item.get("message"), dict) and "role" not in item and "parts" not in item:
        return _read_one(item["message"], role)
    kind = item.get("type")
    if isinstance(kind, str) and "role" not in item:
        if kind in _RESPONSES_ITEMS:
            return _from_content("assistant", [item])
        role = _ROLES.get(kind, role)
    role = role_of(item.get("role"), role)
    content = item.get("parts")
    if content is None:
        content = item.get("content")
    if content is None:
        content = item.get("text")
    messages = _from_content(role, content)
    own = messages[0] if messages else Message(role)
    if not messages:
        messages = [own]
    for calls in (item.get("tool_calls"), item.get("toolCalls")):
        if isinstance(calls, list):
            own.calls.extend(call for raw in calls if (call := read_call(raw)) is not None)
    extra = item.get("additional_kwargs")
    if isinstance(extra, dict) and isinstance(calls := extra.get("tool_calls"), list):
        if not own.calls:  # LangChain before it had a field for them
            own.calls.extend(call for raw in calls if (call := read_call(raw)) is not None)
    if isinstance(item.get("function_call"), dict) and not own.calls:
        own.calls.extend(filter(None, (read_call(item["function_call"]),)))
    if isinstance(reason := item.get("reasoning_content") or item.get("reasoning"), str):
        own.reasoning = own.reasoning or reason
    if role == "tool" and own.call_id is None:
        own.call_id = clean_id(item.get("tool_call_id") or item.get("id") or item.get("call_id"))
        own.failed = own.failed or item.get("status") == "error" or item.get("is_error") is True
    if isinstance(item.get("name"), str):
        own.name = item["name"]
    if own.role == "user":
        messages.append(messages.pop(0))  # results come first where they share a user's message
    return [message for message in messages if not message.is_empty]


_RESPONSES_ITEMS = frozenset(
    {"function_call", "function_call_output", "reasoning", "custom_tool_call", "tool_use"}
    | {"custom_tool_call_output", "tool_result", "output_text", "input_text"}
)


def _are_parts(items: list[Any]) -> bool:
    """Whether a list holds the parts of one message and not messages."""
    first = items[0] if items else None
    if not isinstance(first, dict) or {"role", "parts", "lc", "data", "message"} & first.keys():
        return False
    if _word(first.get("type")) in _ROLES:
        return False
    return bool(
        {"text", "toolUse", "toolResult", "functionCall", "function_call"} & first.keys()
    ) or (isinstance(first.get("type"), str) and "tool_calls" not in first)


def _from_content(role: str, content: Any) -> list[Message]:
    """The message that a content makes, followed by the tool results that were packed into it."""
    own = Message(role)
    results: list[Message] = []
    texts: list[str] = []
    if isinstance(content, str):
        if role != "tool" and _PACKED.match(content):
            blocks = decoded(content)
            if isinstance(blocks, list):
                return _from_content(role, blocks)
        _add_text(own, content, texts)
    elif role == "tool" and _is_data(content):
        texts.append(json_text(content))
    elif isinstance(content, list):
        for part in content:
            _add_part(own, part, texts, results)
    elif content is not None:
        _add_part(own, content, texts, results)
    own.text = "\n".join(texts)
    if len(results) == 1 and own.text in ("", results[0].text) and not own.calls:
        return results
    return ([] if own.is_empty else [own]) + results


_RESULT_KEYS = ("toolResult", "functionResponse", "function_response", "toolUse", "response")


def _is_data(content: Any) -> bool:
    """Whether a tool's message holds what it returned, and not parts of a message."""
    parts = content if isinstance(content, list) else [content]
    return bool(parts) and all(
        isinstance(part, dict) and not {"type", "text", "content", *_RESULT_KEYS} & part.keys()
        for part in parts
    )


def _add_part(own: Message, part: Any, texts: list[str], results: list[Message]) -> None:
    if isinstance(part, str):
        texts.append(part)
        return
    if not isinstance(part, dict):
        return
    part = plain_part(part)
    kind = _word(part.get("type"))
    if kind in _THINKING or part.get("thought") is True or "reasoningContent" in part:
        own.reasoning += _reasoning(part)
    elif kind in ("tool_call_response", "tool_result", "function_call_output", "tool_response"):
        results.append(_result(part))
    elif isinstance(packed := part.get("toolResult"), dict):
        results.append(_result(packed))
    elif isinstance(packed := part.get("functionResponse") or part.get("function_response"), dict):
        results.append(_result(packed))
    elif kind == "custom_tool_call_output":
        results.append(_result(part))
    elif (call := read_call(part)) is not None:
        own.calls.append(call)
    elif (media := media_in_words(part)) is not None:
        texts.append(media)
    elif isinstance(text := part.get("content", part.get("text")), str):
        _add_text(own, text, texts)
    elif (text := text_of(part)) and part.keys() - {"thought_signature", "cachePoint"}:
        texts.append(text)


def _add_text(own: Message, text: str, texts: list[str]) -> None:
    """Text, unless it is the ``repr`` of a call, a text part or a message."""
    if own.role != "assistant":
        texts.append(text)
        return
    if call := _CALL_REPR.fullmatch(text):
        fields = {m["key"]: _literal(m["value"]) for m in _REPR_FIELD.finditer(call["fields"])}
        arguments = parse_arguments(fields.get("arguments", fields.get("input")))
        own.calls.append(Call(fields.get("name") or "", fields.get("call_id"), arguments))
    elif calls := _CALLING.fullmatch(text):
        listed = decoded(calls["calls"])
        if isinstance(listed, list):
            own.calls.extend(filter(None, (read_call(raw) for raw in listed)))
        else:
            texts.append(text)
    elif text.startswith("{'") and any(mark in text for mark in _MESSAGE_REPR):
        for said in read_messages(decoded(text), "assistant"):
            own.calls.extend(said.calls)
            texts.extend([said.text] if said.text else ())
    else:
        texts.append(text)


_MESSAGE_REPR = ("'type': 'output_text'", "'role': 'assistant'")


def _literal(quoted: str) -> str:
    try:
        return str(read_literal(quoted))
    except ValueError:
        return quoted[1:-1]


def read_call(raw: Any) -> Call | None:
    """A tool call in any of the known shapes."""
    if not isinstance(raw, dict):
        return None
    for key in ("toolUse", "functionCall", "function_call", "tool_call"):
        if isinstance(inner := raw.get(key), dict):
            return read_call({"type": "tool_call", **inner})
    kind = _word(raw.get("type"))
    function = raw.get("function")
    call_id = raw.get("call_id") or raw.get("id") or raw.get("tool_call_id") or raw.get("toolUseId")
    if isinstance(function, dict):
        name, arguments = function.get("name"), function.get("arguments")
    elif isinstance(raw.get("name"), str) and (
        kind in ("tool_call", "tool_use", "function_call", "server_tool_call", "custom_tool_call")
        or {"arguments", "args", "input", "toolUseId"} & raw.keys()
    ):
        name = raw["name"]
        arguments = next((raw[k] for k in ("arguments", "args", "input") if k in raw), None)
    else:
        return None
    if not isinstance(name, str):
        return None
    if isinstance(arguments, str):
        arguments = decoded(parse_arguments(arguments))
    return Call(name, clean_id(call_id), arguments)


def _result(part: dict[str, Any]) -> Message:
    call_id = next(
        (
            part[key]
            for key in ("id", "tool_call_id", "call_id", "tool_use_id", "toolUseId")
            if part.get(key)
        ),
        None,
    )
    value = next(
        (part[key] for key in ("response", "result", "output", "content") if key in part), None
    )
    failed = part.get("is_error") is True or part.get("status") == "error"
    name = part.get("name")
    return Message(
        "tool",
        result_text(value),
        call_id=clean_id(call_id),
        name=name if isinstance(name, str) else None,
        failed=failed,
    )


def _reasoning(part: dict[str, Any]) -> str:
    for key in ("content", "text", "thinking", "summary"):
        if isinstance(value := part.get(key), str | list):
            return text_of(value)
    inner = part.get("reasoningContent")
    if isinstance(inner, dict):
        return text_of(inner.get("reasoningText") or "")
    return ""


def _word(raw: Any) -> str:
    return raw if isinstance(raw, str) else ""


def clean_id(raw: Any) -> str | None:
    """A call id without stray blanks; Google ADK says where there is none."""
    return raw.strip() or None if isinstance(raw, str) and raw != "<not specified>" else None


def merged(messages: Iterable[Message]) -> Message | None:
    """One model response that was exported as several messages."""
    found = [message for message in messages if message.role in ("assistant", "other")]
    if not found:
        return None
    first = found[0]
    for message in found[1:]:
        if message.text and message.text != first.text:
            first.text = f"{first.text}\n{message.text}" if first.text else message.text
        first.calls.extend(message.calls)
        first.reasoning = first.reasoning or message.reasoning
    return first
