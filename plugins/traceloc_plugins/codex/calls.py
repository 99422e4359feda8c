"""Calls of tools and what came back, in the shapes several versions of Codex gave them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from traceloc.loading import parse_arguments, result_error, text_of
from traceloc.loading.tool_errors import error_kind
from traceloc.trace import ErrorKind, StepError, ToolCall
from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded, integer

CALLS = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call"}
)
OUTPUTS = frozenset(
    {
        "function_call_output",
        "custom_tool_call_output",
        "local_shell_call_output",
        "mcp_tool_call_output",
        "tool_search_output",
    }
)
SPAWNING = frozenset({"spawn_agent", "send_input", "resume_agent"})
"""Tools that set another agent to work."""

_FAILURES = re.compile(
    r"(?P<abort>aborted by user)|err: |(?:exec_command|write_stdin|apply_patch verification) failed"
    r"|failed to parse function arguments|unsupported (?:custom tool )?call: |execution error: ",
)
"""What the harness says in place of a result; whether the call succeeded is not written."""
_EXIT = re.compile(r"(?:Exit code|Process exited with code)[: ]+(-?\d{1,9})")


class Returned(NamedTuple):
    """What a call gave back."""

    text: str
    error: StepError | None = None
    facts: dict[str, Any] = {}  # noqa: RUF012  # never written to
    value: Any = None
    exit_code: int | None = None


def read_call(item: dict[str, Any]) -> ToolCall:
    """The call an item makes."""
    kind = word(item.get("type")) or ""
    name, arguments = word(item.get("name")), item.get("arguments", item.get("input"))
    if kind in ("local_shell_call", "web_search_call"):
        name = name or kind.removesuffix("_call")
        arguments = item.get("action", arguments)
    return ToolCall(
        name=name or kind.removesuffix("_call") or "unknown",
        id=word(item.get("call_id")) or word(item.get("id")),
        arguments=bounded(parse_arguments(arguments)),
    )


def read_output(item: dict[str, Any]) -> Returned:
    """What an output item says; a shell's words stand in a JSON text with its exit code."""
    output = item.get("output", item.get("tools"))
    if isinstance(output, dict) and "content" in output:
        text = text_of(bounded(output["content"]))
        failed = output.get("success") is False
        error = StepError(kind="tool", message=text[:500]) if failed else None
        return Returned(text, error)
    value = parse_arguments(output) if isinstance(output, str) else output
    if isinstance(value, dict) and isinstance(value.get("metadata"), dict) and "output" in value:
        facts = bounded(value["metadata"])
        text, exit_code = text_of(bounded(value["output"])), integer(facts.get("exit_code"))
        return Returned(text, facts=facts, exit_code=exit_code)
    text = text_of(bounded(output))
    if stated := _EXIT.search(text[:400]):
        return Returned(text, value=value, exit_code=int(stated[1]))
    return Returned(text, result_error(value) or _failure(text), value=value)


def _failure(text: str) -> StepError | None:
    told = _FAILURES.match(text)
    if told is None:
        return None
    kind: ErrorKind = "user_rejection" if told["abort"] else error_kind(text)
    return StepError(kind=kind, message=text[:500], declared=False)
