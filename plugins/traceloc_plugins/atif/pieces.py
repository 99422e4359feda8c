"""Calls and errors of a step."""

from __future__ import annotations

from typing import Any

from traceloc.loading import declared_error
from traceloc.trace import StepError, ToolCall
from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded


def read_calls(step: dict[str, Any]) -> list[ToolCall]:
    """The calls a step makes."""
    calls = step.get("tool_calls")
    return [
        ToolCall(
            name=word(call.get("function_name")) or "unknown",
            id=word(call.get("tool_call_id")),
            arguments=bounded(call.get("arguments")),
        )
        for call in (calls if isinstance(calls, list) else ())
        if isinstance(call, dict)
    ]


def read_error(extra: dict[str, Any], text: str, *, failed: bool) -> StepError | None:
    """The error of a result: the format has no place for it, and producers use ``extra``."""
    if failed:
        return declared_error(text[:4000] or "the tool failed")
    told = extra.get("error")
    return declared_error(told) if isinstance(told, str) and told else None
