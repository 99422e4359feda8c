"""What the content of an AgentChat message holds: words, pictures, tool calls and results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic_core import to_json

from traceloc.loading import declared_error, parse_arguments
from traceloc.trace import StepError, ToolCall, Usage
from traceloc_plugins.records import bounded, id_field, integer


class Result(NamedTuple):
    """What one call gave back."""

    text: str
    call_id: str | None
    tool: str
    error: StepError | None
    exit_code: int | None = None


def calls_of(content: Any) -> tuple[ToolCall, ...]:
    """The calls among the items of a content."""
    return tuple(
        ToolCall(
            name=name,
            id=id_field(item, "id"),
            arguments=bounded(parse_arguments(item["arguments"])),
        )
        for item in _items(content)
        if "arguments" in item and (name := id_field(item, "name"))
    )


def results_of(content: Any) -> Iterator[Result]:
    """The results among the items of a content."""
    for item in _items(content):
        if "call_id" not in item:
            continue
        text = words_of(item.get("content"))
        error = declared_error(text) if item.get("is_error") is True else None
        yield Result(text, id_field(item, "call_id"), id_field(item, "name") or "tool", error)


def code_result(message: dict[str, Any]) -> Result:
    """What executed code printed, and whether it failed."""
    result = message.get("result")
    result = result if isinstance(result, dict) else {"output": message.get("content")}
    text = words_of(result.get("output"))
    exit_code = integer(result.get("exit_code"))
    error = declared_error(text or f"exit code {exit_code}") if exit_code else None
    return Result(text, None, "code", error, exit_code)


def words_of(content: Any) -> str:
    """The words of a content; a picture is named and not spelt out."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "\n".join(filter(None, map(_part, content)))
    return _part(content)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        if isinstance(part.get("data"), str) and len(part) <= 2:
            return "[image]"
        if isinstance(part.get("content"), str) and "mime_type" in part:
            return str(part["content"])  # an entry of a memory
    return to_json(bounded(part), inf_nan_mode="constants").decode()


def usage_of(message: dict[str, Any]) -> Usage | None:
    """Tokens of the model call that a message came from."""
    usage = message.get("models_usage")
    if not isinstance(usage, dict):
        return None
    return Usage(
        input=integer(usage.get("prompt_tokens")), output=integer(usage.get("completion_tokens"))
    )


def _items(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, list):
        yield from (item for item in content if isinstance(item, dict))
