"""Reads mini-SWE-agent's trajectories: messages, alone or with what the run came to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, declared_error, text_of
from traceloc.trace import ErrorKind, StepError, ToolCall, Trace, Usage
from traceloc_plugins.facts import amount, moment, usage_from, word
from traceloc_plugins.openai_chat.content import read_content
from traceloc_plugins.openai_chat.messages import is_message
from traceloc_plugins.records import (
    bounded,
    drain,
    integer,
    keep_fields,
    keep_rest,
    read_traces,
    split_truth,
)
from traceloc_plugins.turns import Turns

_OF_A_MESSAGE = frozenset(
    ("role", "content", "extra", "timestamp", "tool_calls", "tool_call_id", "name", "object")
) | {"function_call", "reasoning_content", "thinking_blocks", "output", "type", "id"}
MAIN = "mini-swe-agent"
_HANDED_IN = "submitted"
_BLOCK = re.compile(r"```(?:mswea_bash_command|bash|sh)[^\S\n]*\n(.*?)\n?```", re.DOTALL)
_SEEN = re.compile(r"\s*(?:<returncode>|<exception>|<output>|Observation:)")
_USAGE = {"prompt_tokens": "input", "completion_tokens": "output"}


class MiniSweAgentLoader:
    """Loader of mini-SWE-agent's trajectories."""

    name = "mini_swe_agent"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the whole trajectory (`-o run.traj.json`): its first request holds it",
        "agents": "nothing to switch on: there is one agent, called `mini-swe-agent`",
        "instructions": "write the whole trajectory (`-o run.traj.json`): it begins with the "
        "system message",
        "schemas": "no trajectory holds them; the one tool is `bash`",
        "calls": "nothing to switch on: each command is written",
        "results": "nothing to switch on: each output is written",
        "times": "run version 2, whose format 1.1 has them; older ones have none",
        "usage": "run version 2, whose format 1.1 keeps the responses; older ones have none",
    }

    def sniff(self, head: Head) -> float:
        """The format's own name, the program's version, or its way to run and report commands."""
        first = head.first
        if isinstance(first, dict):
            if _names_format(first):
                return 0.99
            info = first.get("info")
            if isinstance(info, dict) and "mini_version" in info:
                return 0.95
            return 0.8 if _is_session(first.get("messages")) else 0.0
        return 0.7 if _is_session(first) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run."""
        return read_traces(self.name, sources, is_trace=_is_run, read=_read_run)


def _names_format(value: dict[str, Any]) -> bool:
    return str(value.get("trajectory_format", "")).startswith("mini-swe-agent")


def _is_session(messages: Any) -> bool:
    """Whether commands stand in code blocks, and users answer with return codes."""
    items = [m for m in messages[:20] if is_message(m)] if isinstance(messages, list) else []
    commands = any(
        m["role"] == "assistant" and _BLOCK.search(text_of(bounded(m.get("content"))))
        for m in items
    )
    return commands and any(
        m["role"] == "user" and text_of(bounded(m.get("content"))).startswith("<returncode>")
        for m in items
    )


def _is_run(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("messages"), list)
    return isinstance(value, list) and any(is_message(item) for item in value[:5])


def _read_run(builder: TraceBuilder, value: Any) -> Trace:
    run = {"messages": value} if isinstance(value, list) else dict(value)
    reader = _Reader(builder)
    for native, message in drain(run.pop("messages")):
        reader.add(message, native)
    info = run.get("info")
    info = bounded(info) if isinstance(info, dict) else {}
    attributes = keep_fields(builder, {**run, "info": info})
    status = word(info.get("exit_status")) or reader.status
    if status and status.lower() != _HANDED_IN:
        builder.outcome("failed", source="error", detail=status)
    return builder.build(task=reader.turns.first_request, attributes=attributes)


class _Reader:
    def __init__(self, builder: TraceBuilder) -> None:
        self.builder = builder
        self.turns = Turns(builder)
        self.status: str | None = None
        self._open: dict[str, str] = {}
        self._acted = False

    def add(self, message: Any, native: int) -> None:
        """Add a message."""
        if not isinstance(message, dict):
            self.builder.note("skipped", "items that are no message")
            return
        try:
            self._add(message, native)
        except (ValueError, RecursionError):
            self.builder.note("skipped", "messages that cannot be represented")

    def _add(self, message: dict[str, Any], native: int) -> None:
        keep_rest(self.builder, message, _OF_A_MESSAGE, place=f"messages[{native}]")
        role, text = message.get("role"), text_of(bounded(message.get("content")))
        extra = message.get("extra")
        extra = bounded(extra) if isinstance(extra, dict) else {}
        place: dict[str, Any] = {
            "native_index": native,
            "timestamp": moment(extra.get("timestamp", message.get("timestamp"))),
        }
        if status := word(extra.get("exit_status")):
            self.status = status
        if role == "assistant":
            self._emit(message, extra, text, place)
            return
        kept = {k: v for k, v in extra.items() if k not in ("timestamp", "response", "raw_output")}
        place["attributes"] = split_truth(kept).attributes or None
        if role == "system":
            self.turns.instruct(MAIN, text, **place)
        elif role == "exit":
            said = text or self.status or ""
            self.turns.tell(said, error=_ended_by(self.status, said), **place)
        elif self._open and (role == "tool" or not self._is_feedback(text)):
            self._result(message, extra, text, place)
        elif self._acted:
            # The answer of no command: the program could not read the one it was given.
            self.turns.tell(text, error=_misread(text), **place)
        else:
            self.turns.ask(text, to=(MAIN,), **place)

    def _emit(
        self, message: dict[str, Any], extra: dict[str, Any], text: str, place: dict[str, Any]
    ) -> None:
        self._acted = True
        content = read_content(message)
        calls, said = list(content.calls), content.text
        blocks = _BLOCK.findall(text)
        if not calls and len(blocks) == 1:
            id = f"action {place['native_index']}"
            calls = [ToolCall(name="bash", id=id, arguments={"command": blocks[0]})]
            said = _BLOCK.sub("", text).strip()
        self._open = {call.id: call.name for call in calls if call.id}
        response = extra.get("response")
        response = response if isinstance(response, dict) else {}
        usage = usage_from(response.get("usage"), _USAGE)
        cost = amount(extra.get("cost"))
        if cost is not None:
            usage = (usage or Usage()).model_copy(update={"cost_usd": cost})
        self.turns.say(
            MAIN,
            said,
            calls=calls,
            reasoning=content.reasoning,
            model=word(response.get("model")),
            usage=usage,
            **place,
        )

    def _is_feedback(self, text: str) -> bool:
        """Whether a person, or the program, speaks while a command waits for its answer."""
        return bool(text) and not _SEEN.match(text) and "EXACTLY ONE" in text

    def _result(
        self, message: dict[str, Any], extra: dict[str, Any], text: str, place: dict[str, Any]
    ) -> None:
        named = word(message.get("tool_call_id"))
        call_id = named if named in self._open else next(iter(self._open))
        code = integer(extra.get("returncode"))
        tool = self._open.pop(call_id)
        self.turns.answer(text, call_id=call_id, tool=tool, exit_code=code, **place)


def _ended_by(status: str | None, said: str) -> StepError | None:
    """What ended a run that handed nothing in: a limit, or an exception."""
    if not status or status.lower() == _HANDED_IN:
        return None
    limit: ErrorKind | None = "limit" if "limit" in status.lower() else None
    return declared_error(said, type=status, kind=limit)


def _misread(text: str) -> StepError:
    return StepError(kind="parse", message=text.strip()[:300] or "no command", declared=False)
