"""Reads ShareGPT rows: ``conversations`` of ``{from, value}``, or of ``{role, content}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, parse_arguments
from traceloc.trace import Trace
from traceloc_plugins.openai_chat.messages import ChatReader
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import drain, id_field, keep_fields, read_traces, text_field

_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "function_call": "assistant",
    "observation": "tool",
    "function_response": "tool",
    "tool_response": "tool",
}


class ShareGPTLoader:
    """Loader of ShareGPT rows."""

    name = "sharegpt"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the first turn with `from` as `human`",
        "agents": "write `agent` of the row",
        "instructions": "write `system` of the row",
        "schemas": "write `tools` of the row",
        "calls": "write turns of `function_call`",
        "results": "write turns of `observation`",
        "inputs": "the format does not hold it",
        "outcome": "write `reward` or `success` of the row, which no signal reads",
        "times": "the format does not hold them",
        "usage": "the format does not hold them",
    }

    def sniff(self, head: Head) -> float:
        """A list called ``conversations`` whose items say from whom they are."""
        return 0.95 if any(_is_row(record) for record in head.records[:1]) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each row."""
        return read_traces(self.name, sources, is_trace=_is_row, read=_read_row)


def _is_row(value: Any) -> bool:
    turns = value.get("conversations") if isinstance(value, dict) else None
    return isinstance(turns, list) and any(
        isinstance(turn, dict) and ({"from", "value"} <= turn.keys() or "role" in turn)
        for turn in turns[:20]
    )


def _read_row(builder: TraceBuilder, row: dict[str, Any]) -> Trace:
    row = dict(row)
    turns = row.pop("conversations")
    agent = text_field(row, "agent") or "assistant"
    builder.agent(
        agent,
        kind="worker",
        attribution="role",
        model=text_field(row, "model"),
        instructions=text_field(row, "system"),
    )
    add_tools(builder, row.pop("tool_definitions", None) or row.pop("tools", None))
    chat = ChatReader(builder, agent=agent)
    plain = _Plain(builder, turns)
    for index, turn in drain(turns):
        chat.add(plain.read(_as_message(turn), index), index)
    return builder.build(
        id=id_field(row, "id", "conversation_id"),
        session_id=id_field(row, "run_id"),
        task=chat.first_request,
        attributes=keep_fields(builder, row),
    )


class _Plain:
    """Rows that know but users and assistants: calls stand in tags, and a user brings results.

    Args:
        builder: The trace under construction.
        turns: All turns of the row.
    """

    def __init__(self, builder: TraceBuilder, turns: Sequence[Any]) -> None:
        roles = [_role(turn) for turn in turns]
        self._builder = builder
        self._plain = not {"tool", "function", "system"} & set(roles)
        answered = roles.index("assistant") if "assistant" in roles else len(roles)
        self._prompted = roles[:answered].count("user") > 1
        self._called = False

    def read(self, message: Any, index: int) -> Any:
        """The message with the role that its place in the row tells."""
        if not self._plain or not isinstance(message, dict):
            return message
        role, text = message.get("role"), message.get("content")
        if role == "user" and self._called:
            self._builder.note("inferred", "what followed a call was taken for its result")
            message = {**message, "role": "tool"}
        elif role == "user" and index == 0 and self._prompted and _addresses_a_model(text):
            self._builder.note("inferred", "the first of several requests was taken for a prompt")
            message = {**message, "role": "system"}
        self._called = role == "assistant" and bool(message.get("tool_calls"))
        return message


def _role(turn: Any) -> Any:
    if not isinstance(turn, dict):
        return None
    said = turn.get("from", turn.get("role"))
    return _ROLES.get(said, said) if isinstance(said, str) else None


def _addresses_a_model(text: Any) -> bool:
    return isinstance(text, str) and text.lstrip()[:8].lower() == "you are "


def _as_message(turn: Any) -> Any:
    """The turn as a chat message; calls written as JSON, or in tags, become calls."""
    if not isinstance(turn, dict):
        return turn
    if "from" not in turn:
        words = turn.get("content")
        tagged = turn.get("role") == "assistant" and not turn.get("tool_calls")
        if tagged and isinstance(words, str) and (calls := _calls(_tagged(words))):
            return {**turn, "tool_calls": calls}
        return turn
    speaker, value = turn["from"], turn.get("value")
    message = {key: inner for key, inner in turn.items() if key not in ("from", "value")}
    message["role"] = _ROLES.get(speaker, speaker) if isinstance(speaker, str) else speaker
    message["content"] = value
    if not isinstance(value, str):
        return message
    if speaker == "function_call":
        calls = _calls([value])
        if calls:
            message.update(content=None, tool_calls=calls)
    elif message["role"] == "assistant" and "<tool_call>" in value:
        message["tool_calls"] = _calls(_tagged(value))
    return message


def _tagged(text: str) -> list[str]:
    pieces = text.split("<tool_call>")[1:]
    return [piece.partition("</tool_call>")[0].strip() for piece in pieces]


def _calls(texts: Sequence[str]) -> list[dict[str, Any]]:
    calls = []
    for text in texts:
        parsed = parse_arguments(text)
        for call in parsed if isinstance(parsed, list) else [parsed]:
            if isinstance(call, dict) and "name" in call:
                calls.append(call)
    return calls
