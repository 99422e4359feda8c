"""Saved memories, turns of role plays, and records of tool calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traceloc.loading import TraceBuilder, text_of
from traceloc.trace import ToolCall, Trace
from traceloc_plugins.records import bounded, id_field, keep_fields, keep_rest, text_field
from traceloc_plugins.spans.messages import Message, read_call, role_of
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.turns import Thread, Turns

_OF_A_RECORD = frozenset(
    ("uuid", "message", "role_at_backend", "extra_info", "timestamp", "agent_id")
)
_OF_A_CALL = frozenset(("tool_name", "args", "result", "tool_call_id", "images"))
_PLACEHOLDERS = frozenset(("System", "User", "Assistant", "assistant", "user", ""))
"""Role names that a message bears where nobody gave its agent one."""


def is_memory(value: Any) -> bool:
    """Whether a JSON value is a record of a memory."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("role_at_backend"), str)
        and isinstance(value.get("message"), dict)
    )


def is_turn(value: Any) -> bool:
    """Whether a JSON value is a turn of a role play: what both sides said."""
    return isinstance(value, dict) and any(
        isinstance(side := value.get(key), dict) and {"role_name", "role_type"} <= side.keys()
        for key in ("assistant", "user")
    )


def is_tool_call(value: Any) -> bool:
    """Whether a JSON value is a record of a tool call."""
    return isinstance(value, dict) and {"tool_name", "args", "result", "tool_call_id"} <= set(value)


def read_memory(builder: TraceBuilder, records: Sequence[Any]) -> Trace:
    """A memory. The role that counts is the backend's: an assistant's calls claim to be system."""
    builder.dialect = "memory"
    turns = Turns(builder)
    ids = {i for r in records if is_memory(r) and (i := id_field(r, "agent_id"))}
    owners = _owners(records)
    task = next(filter(None, map(_stated_task, records)), None)
    threads: dict[str, Thread] = {}
    for index, record in enumerate(records):
        if not is_memory(record):
            builder.note("skipped", "items that are no record of a memory")
            continue
        keep_rest(builder, record, _OF_A_RECORD, place=f"records[{index}]")
        inner = bounded(record["message"])
        message = _message(inner, record["role_at_backend"])
        id = id_field(record, "agent_id") or "assistant"
        agent = owners.get(id) or (id if len(ids) > 1 else "assistant")
        name = text_field(inner, "role_name") or ""
        if message.role == "assistant" and name not in _PLACEHOLDERS:
            agent = name
        if agent == "assistant":
            builder.agent(agent, kind="worker", attribution="role")
        thread = threads.setdefault(agent, Thread(turns, agent, private=len(ids) > 1))
        extra = record.get("extra_info")
        fields: dict[str, Any] = {
            "timestamp": moment(nanoseconds(record.get("timestamp"))),
            "attributes": {"extra_info": bounded(extra)} if extra else None,
        }
        try:
            if message.role == "user" and task and name not in {*_PLACEHOLDERS, agent}:
                # The other side of a role play, which is an agent too.
                turns.say(name, message.text, kind="message", to=(agent,), native_index=index)
            else:
                thread.add(message, native_index=index, **fields)
        except (ValueError, RecursionError):
            builder.note("skipped", "records that cannot be represented")
    only = next(iter(ids)) if len(ids) == 1 else None
    return builder.build(id=only, task=task or turns.first_request)


def _owners(records: Sequence[Any]) -> dict[str, str]:
    """Whose each memory is: the name on what its agent said, by the agent's id."""
    found: dict[str, str] = {}
    for record in records:
        if is_memory(record) and record["role_at_backend"] == "assistant":
            name = text_field(record["message"], "role_name") or ""
            if name not in _PLACEHOLDERS:
                found.setdefault(id_field(record, "agent_id") or "assistant", name)
    return found


def _stated_task(record: Any) -> str | None:
    """What a role play is for, which the rules of each side state."""
    return text_field(record["message"], "task") if is_memory(record) else None


def _message(inner: dict[str, Any], backend: str) -> Message:
    message = Message(role_of(backend, "other"), text_of(inner.get("content")))
    calls = inner.get("tool_calls")
    if isinstance(calls, list):
        message.calls = [call for raw in calls if (call := read_call(raw)) is not None]
    if message.role == "assistant" and inner.get("func_name") and not message.calls:
        raw = {"type": "tool_call", "name": inner["func_name"], "args": inner.get("args")}
        call = read_call({**raw, "id": inner.get("tool_call_id")})
        message.calls = [call] if call else []
    if message.role == "tool":
        message.call_id = id_field(inner, "tool_call_id")
        message.name = text_field(inner, "func_name")
        message.text = result_text(inner["result"]) if "result" in inner else message.text
    if isinstance(reason := inner.get("reasoning_content"), str):
        message.reasoning = reason
    return message


def read_turns(builder: TraceBuilder, rows: Sequence[Any]) -> Trace:
    """A role play: in each turn the user's side instructs, and the assistant's side answers."""
    builder.dialect = "role play"
    turns = Turns(builder)
    for index, row in enumerate(rows):
        if not is_turn(row):
            builder.note("skipped", "items that are no turn of a role play")
            continue
        keep_rest(builder, row, frozenset(_SIDES), place=f"turns[{index}]")
        sides = [
            side if isinstance(side := row.get(k), dict) else {} for k in ("user", "assistant")
        ]
        names = [text_field(side, "role_name") or k for side, k in zip(sides, _SIDES, strict=True)]
        for side, name, other in zip(sides, names, reversed(names), strict=True):
            if text := text_of(bounded(side.get("content"))):
                turns.say(name, text, kind="message", to=(other,), native_index=index)
    return builder.build(task=builder.steps[0].text if builder.steps else None)


_SIDES = ("user", "assistant")


def read_tool_calls(builder: TraceBuilder, rows: Sequence[Any]) -> Trace:
    """The tool calls of one answer, without what was said."""
    builder.dialect = "tool calls"
    turns = Turns(builder)
    builder.agent("assistant", kind="worker", attribution="role")
    builder.note(
        "missing",
        "what was said: these are records of tool calls only; agent.save_memory(…) or "
        "CAMEL_MODEL_LOG_ENABLED=true keeps the rest",
    )
    for index, row in enumerate(rows):
        if not is_tool_call(row):
            builder.note("skipped", "items that are no record of a tool call")
            continue
        keep_rest(builder, row, _OF_A_CALL, place=f"calls[{index}]")
        name, id = text_field(row, "tool_name") or "unknown", id_field(row, "tool_call_id")
        value = bounded(row.get("result"))
        call = ToolCall(name=name, id=id, arguments=bounded(row.get("args")))
        turns.say("assistant", "", calls=[call], native_index=index)
        turns.answer(result_text(value), call_id=id, tool=name, value=value, native_index=index)
    return builder.build(attributes=keep_fields(builder, {}))
