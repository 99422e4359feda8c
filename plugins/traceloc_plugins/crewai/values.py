"""Values as the event bus writes them: below a certain depth as Python ``repr``."""

from __future__ import annotations

from typing import Any

from traceloc.loading import text_of
from traceloc.trace import ToolCall, Usage
from traceloc_plugins.literals import read_literal
from traceloc_plugins.records import bounded, integer
from traceloc_plugins.spans.messages import read_call
from traceloc_plugins.spans.values import decoded
from traceloc_plugins.turns import as_tool_calls


def read_response(response: Any) -> tuple[str, tuple[ToolCall, ...]]:
    """Words and calls of a model's response."""
    response = bounded(response)
    if isinstance(response, list) and response:
        calls = [call for item in response if (call := read_call(unquoted(item))) is not None]
        if calls:
            return "", as_tool_calls(calls)
    return text_of(response), ()


def unquoted(value: Any, depth: int = 12) -> Any:
    """What the event bus wrote as ``repr``: quoted texts inside deeper objects."""
    if isinstance(value, dict) and depth:
        return {key: unquoted(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [unquoted(inner, depth - 1) for inner in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        try:
            return read_literal(value)
        except ValueError:
            return value
    if isinstance(value, str) and value[:2] in ("{'", '{"', "[{") and depth:
        inner = decoded(value)
        return unquoted(inner, depth - 1) if isinstance(inner, dict | list) else value
    return value


def read_usage(usage: dict[str, Any]) -> Usage:
    """Tokens of a model call."""
    return Usage(
        input=integer(usage.get("prompt_tokens")),
        output=integer(usage.get("completion_tokens")),
        cache_read=integer(usage.get("cached_prompt_tokens")),
        reasoning=integer(usage.get("reasoning_tokens")),
    )
