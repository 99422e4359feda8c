"""What the content of a chat message holds, in the dialects of several model APIs.

Understands OpenAI messages (``tool_calls``, the older ``function_call``, ``role: tool``) and
response items (``type: function_call``), AG2's ``tool_responses``, Anthropic's content blocks
(``tool_use``, ``tool_result``, ``thinking``) and Bedrock's (``toolUse``, ``toolResult``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from traceloc.loading import parse_arguments, text_of
from traceloc.trace import Role, ToolCall
from traceloc_plugins.records import bounded

_WRAPPED = {"toolUse": "tool_use", "toolResult": "tool_result"}


class Result(NamedTuple):
    """One tool's answer inside a message."""

    text: str
    call_id: str | None = None
    tool: str | None = None
    failed: bool = False


class Content(NamedTuple):
    """What the content of a message holds."""

    text: str
    reasoning: str | None = None
    calls: tuple[ToolCall, ...] = ()
    results: tuple[Result, ...] = ()


def as_message(item: Any) -> Any:
    """A chat message for an item of the responses API; anything else as it stands."""
    kind = item.get("type") if isinstance(item, dict) and "role" not in item else None
    if kind == "function_call":
        call = {"id": item.get("call_id"), "function": item}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind == "function_call_output":
        return {
            "role": "tool",
            "content": item.get("output"),
            "tool_call_id": item.get("call_id"),
        }
    if kind == "reasoning":
        words = item.get("summary") or item.get("content")
        return {"role": "assistant", "content": None, "reasoning": words}
    return item


def read_content(message: dict[str, Any]) -> Content:
    """The words, reasoning, calls and results of a message."""
    content = message.get("content")
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    reasoning = text_of(reasoning) if reasoning else None
    calls = tuple(_calls(message))
    if content is None:
        content = _unwritten(message)
    if not isinstance(content, list):
        return Content(text_of(bounded(content)), reasoning, calls)
    if all(isinstance(line, str) for line in content):
        return Content("\n".join(content), reasoning, calls)
    words: list[str] = []
    thoughts = [reasoning] if reasoning else []
    made, results = list(calls), []
    for block in bounded(content):
        body, kind = _block(block)
        if kind == "tool_use":
            id = body.get("id", body.get("toolUseId"))
            made.append(_call(body.get("name"), body.get("input"), id))
        elif kind == "tool_result":
            id = body.get("tool_use_id", body.get("toolUseId"))
            failed = body.get("is_error") is True or body.get("status") == "error"
            results.append(Result(text_of(body.get("content")), _id(id), failed=failed))
        elif kind in ("thinking", "reasoning"):
            thoughts.append(text_of(body.get("thinking") or body.get("text") or ""))
        else:
            words.append(text_of([block]))
    return Content(
        "\n".join(filter(None, words)),
        "\n".join(filter(None, thoughts)) or None,
        tuple(made),
        tuple(results),
    )


def _unwritten(message: dict[str, Any]) -> str | None:
    """What was said where there is no content: a refusal, or the words of a recording."""
    audio = message.get("audio")
    spoken = audio.get("transcript") if isinstance(audio, dict) else None
    for words in (message.get("refusal"), spoken):
        if isinstance(words, str) and words:
            return words
    return None


def _block(block: Any) -> tuple[dict[str, Any], str | None]:
    """A content block and its type, also where the type is the only key around the rest."""
    if not isinstance(block, dict):
        return {}, None
    for key, meaning in _WRAPPED.items():
        if isinstance(inner := block.get(key), dict):
            return inner, meaning
    kind = block.get("type")
    return block, kind if isinstance(kind, str) else None


def results_of(message: dict[str, Any], content: Content, role: Role) -> Iterator[Result]:
    """The answers of tools that a message carries."""
    responses = message.get("tool_responses")
    if isinstance(responses, list) and any(isinstance(item, dict) for item in responses):
        # The content repeats them, run together.
        for item in responses:
            if isinstance(item, dict):
                yield Result(text_of(bounded(item.get("content"))), _id(item.get("tool_call_id")))
    elif content.results:
        yield from content.results
    elif role == "tool":
        name = message.get("name")
        yield Result(
            content.text,
            _id(message.get("tool_call_id")),
            name if isinstance(name, str) and name else None,
            failed=message.get("is_error") is True,
        )


def _calls(message: dict[str, Any]) -> Iterator[ToolCall]:
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        for item in calls:
            if isinstance(item, dict):
                body = item.get("function")
                body = body if isinstance(body, dict) else item
                arguments = body.get("arguments", body.get("input", body.get("args")))
                yield _call(body.get("name"), arguments, item.get("id"))
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        yield _call(legacy.get("name"), legacy.get("arguments"), None)


def _call(name: Any, arguments: Any, id: Any) -> ToolCall:
    return ToolCall(
        name=name if isinstance(name, str) and name else "unknown",
        id=_id(id),
        arguments=bounded(parse_arguments(arguments)),
    )


def _id(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None
