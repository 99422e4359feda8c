"""Adds the events of an agent workflow to a trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traceloc.loading import TraceBuilder, declared_error, parse_arguments, text_of
from traceloc.trace import ErrorKind
from traceloc_plugins.records import bounded, id_field, keep_rest, text_field
from traceloc_plugins.spans.messages import Call, Message, read_call, role_of
from traceloc_plugins.turns import Turns, as_tool_calls

TYPES = frozenset(
    ("AgentInput", "AgentSetup", "AgentStream", "AgentOutput", "ToolCall", "ToolCallResult")
)
_OF_AN_EVENT = frozenset(("type", "data", "qualified_name", "value", "__is_pydantic"))
_ENDS = ("StopEvent", "AgentWorkflowStartEvent", "StartEvent")
_FAILURES = ("WorkflowFailedEvent", "WorkflowTimedOutEvent")
_ASKING = ("InputRequiredEvent", "HumanResponseEvent")
_FIELDS = {
    "AgentInput": {"input", "current_agent_name"},
    "AgentOutput": {"response", "current_agent_name", "tool_calls"},
    "ToolCallResult": {"tool_name", "tool_output", "tool_id"},
    "ToolCall": {"tool_name", "tool_kwargs", "tool_id"},
}


def read_event(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Type and fields of an event; ``None`` for anything else.

    Seen: ``{"type", "data"}``, the workflow's own serialisation (``qualified_name``, ``value``),
    and the bare fields.
    """
    if not isinstance(value, dict):
        return None
    kind, data = value.get("type"), value.get("data")
    if isinstance(name := value.get("qualified_name"), str):
        kind, data = name.rpartition(".")[2], value.get("value")
    if isinstance(kind, str) and isinstance(data, dict):
        known = kind in TYPES or kind in _ENDS or kind in _ASKING or kind.endswith("Event")
        return (kind, data) if known else None
    for kind, fields in _FIELDS.items():
        if fields <= value.keys():
            return kind, value
    return None


def is_agent_event(value: Any) -> bool:
    """Whether a JSON value is an event that only agent workflows have."""
    event = read_event(value)
    return (
        event is not None
        and event[0] in TYPES
        and not event[1].keys().isdisjoint(("current_agent_name", "tool_kwargs", "tool_output"))
    )


def read_message(message: Any) -> Message:
    """A chat message, made of blocks or of a content."""
    if not isinstance(message, dict):
        return Message("other")
    found = Message(role_of(message.get("role"), "other"))
    words, thoughts = [], []
    blocks = message.get("blocks")
    for block in blocks if isinstance(blocks, list) else ():
        kind = block.get("block_type") if isinstance(block, dict) else None
        if kind == "tool_call":
            name = text_field(block, "tool_name") or "unknown"
            arguments = parse_arguments(block.get("tool_kwargs"))
            found.calls.append(Call(name, id_field(block, "tool_call_id"), arguments))
        elif kind == "thinking":
            thoughts.append(text_of(block.get("content")))
        elif kind == "text":
            words.append(text_of(block.get("text")))
        elif isinstance(kind, str):
            words.append(f"[{kind}]")
    if not isinstance(blocks, list):
        words.append(text_of(message.get("content")))
    found.text, found.reasoning = "\n".join(filter(None, words)), "\n".join(thoughts)
    others = message.get("additional_kwargs")
    others = others if isinstance(others, dict) else {}
    if found.role == "tool":
        found.call_id = id_field(others, "tool_call_id")
    calls = others.get("tool_calls")
    if not found.calls and isinstance(calls, list):
        found.calls = [call for raw in calls if (call := read_call(raw)) is not None]
    return found


class EventReader:
    """Adds the events of one run.

    Args:
        builder: The trace under construction.
        events: Everything the file holds.
    """

    def __init__(self, builder: TraceBuilder, events: Sequence[Any]) -> None:
        self._builder = builder
        self._raw = events
        self._events = [read_event(event) for event in events]
        names = (e[1].get("current_agent_name") for e in self._events if e)
        self.turns = Turns(builder, (n for n in names if isinstance(n, str) and n))
        self._given: list[Message] | None = None

    def read(self) -> None:
        """Add every event; what cannot be read is noted, and nothing is raised."""
        for index, event in enumerate(self._events):
            if event is None:
                self._builder.note("skipped", "items that are no event of a workflow")
                continue
            kind, data = event
            if data is not (raw := self._raw[index]):
                keep_rest(self._builder, raw, _OF_AN_EVENT, place=f"events[{index}]")
            try:
                self._add(kind, bounded(data), index)
            except (ValueError, RecursionError):
                self._builder.note("skipped", "events that cannot be represented")

    def _add(self, kind: str, data: dict[str, Any], index: int) -> None:
        agent = text_field(data, "current_agent_name") or "agent"
        if kind == "AgentInput":
            given = data.get("input")
            self._given = [read_message(m) for m in given] if isinstance(given, list) else None
            self._read_input(agent, index)
        elif kind == "AgentOutput":
            self._add_output(agent, data, index)
        elif kind == "ToolCallResult":
            self._add_result(data, index)
        elif kind == "StopEvent":
            result = data.get("result")
            response = result.get("response") if isinstance(result, dict) else None
            text = read_message(response).text if response else text_of(result)
            if text and not self.turns.has_said("assistant", text):
                who = text_field(result, "current_agent_name") if isinstance(result, dict) else None
                self.turns.say(who or "workflow", text, native_index=index)
        elif kind == "InputRequiredEvent" and (asked := text_field(data, "prefix")):
            self.turns.tell(asked, native_index=index)
        elif kind in _FAILURES:
            self._add_failure(kind, data, index)
        elif kind == "HumanResponseEvent":
            self.turns.ask(text_field(data, "response") or "", native_index=index)
        elif kind in ("ToolCall", "AgentSetup", "AgentStream", *_ENDS):
            self._builder.note("skipped", f"events of type {kind!r}, told by others too")
        else:
            self._builder.note("skipped", f"events of type {kind[:60]!r}")

    def _add_failure(self, kind: str, data: dict[str, Any], index: int) -> None:
        """What ended the run; the agents' own events do not say it."""
        text = text_field(data, "exception_message", "reason") or kind
        told = text_field(data, "exception_type")
        limit: ErrorKind | None = "timeout" if kind == "WorkflowTimedOutEvent" else None
        error = declared_error(text, type=told, kind=limit)
        self.turns.tell(text, native_index=index, error=error)
        self._builder.outcome("failed", source="error", detail=text[:500])

    def _read_input(self, agent: str, index: int) -> None:
        """Steps for what nobody has said yet: instructions, and what the user asked."""
        for message in self._given or ():
            if message.text and not self.turns.has_said(message.role, message.text):
                if message.role == "system":
                    self.turns.instruct(agent, message.text, native_index=index)
                elif message.role == "user" and not self.turns.has_said("assistant", message.text):
                    self.turns.ask(message.text, native_index=index)

    def _add_output(self, agent: str, data: dict[str, Any], index: int) -> None:
        message = read_message(data.get("response"))
        calls = [
            Call(name, id_field(call, "tool_id"), call.get("tool_kwargs"))
            for call in (data["tool_calls"] if isinstance(data.get("tool_calls"), list) else ())
            if isinstance(call, dict) and (name := text_field(call, "tool_name"))
        ]
        raw = data.get("raw")
        self.turns.say(
            agent,
            message.text,
            calls=as_tool_calls(calls or message.calls),
            reasoning=message.reasoning,
            native_index=index,
            inputs=self.turns.given(self._given) if self._given is not None else None,
            model=text_field(raw, "model") if isinstance(raw, dict) else None,
        )
        self._given = None

    def _add_result(self, data: dict[str, Any], index: int) -> None:
        output = data.get("tool_output")
        output = output if isinstance(output, dict) else {"content": output}
        value = output.get("raw_output")
        text = read_message({"role": "tool", **output}).text
        self.turns.answer(
            text or text_of(value),
            call_id=id_field(data, "tool_id"),
            tool=text_field(data, "tool_name"),
            value=value if isinstance(value, dict) else None,
            failed=output.get("is_error") is True,
            native_index=index,
        )
