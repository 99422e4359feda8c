"""Reads LlamaIndex agent workflows: their streamed events, and saved contexts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.llamaindex.events import EventReader, is_agent_event, read_event, read_message
from traceloc_plugins.records import first_records, keep_fields, keep_rest, read_traces
from traceloc_plugins.spans.delegation import handoff_target
from traceloc_plugins.spans.values import decoded
from traceloc_plugins.turns import Thread, Turns

_DEPTH = 8
_OF_A_CONTEXT = frozenset(("version", "globals", "state", "streaming_queue", "queues"))


class LlamaIndexLoader:
    """Loader of LlamaIndex agent workflows."""

    name = "llamaindex"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "keep the streamed events: `AgentInput` holds what was asked",
        "agents": "give agents a `name`: streamed events bear it as `current_agent_name`",
        "instructions": "keep the streamed events: `AgentInput` holds the system message",
        "schemas": "no event holds them; spans of OpenInference do, for the loader `otel`",
        "calls": "keep the streamed events: a saved context without a memory holds no calls",
        "results": "keep the streamed events: a saved context without a memory holds no results",
        "inputs": "keep the streamed events: `AgentInput` is what an agent was given",
        "times": "no event holds them; spans of OpenInference do, for the loader `otel`",
        "usage": "no event holds them; spans of OpenInference do, for the loader `otel`",
    }

    def sniff(self, head: Head) -> float:
        """Events with the agent's name or a tool's arguments; a workflow's context."""
        if isinstance(head.first, dict) and _state(head.first) is not None:
            return 0.95
        return 0.96 if any(map(is_agent_event, first_records(head)[:20])) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run."""
        return read_traces(self.name, sources, is_trace=_is_run, is_item=_is_item, read=_read)


def _is_item(value: Any) -> bool:
    return read_event(value) is not None


def _is_run(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(is_agent_event, value[:50]))
    return isinstance(value, dict) and _state(value) is not None


def _state(document: dict[str, Any]) -> dict[str, Any] | None:
    """What a context remembers; ``None`` if the document is no context of agents."""
    if "version" not in document:
        return None
    places = [document.get("globals")]
    if isinstance(state := document.get("state"), dict):
        data = state.get("state_data")
        places += [state, data, data.get("_data") if isinstance(data, dict) else None]
    for place in places:
        if isinstance(place, dict) and "current_agent_name" in place and "agents" in place:
            return place
    return None


def _read(builder: TraceBuilder, value: Any) -> Trace:
    if isinstance(value, dict):
        return _read_context(builder, value)
    reader = EventReader(builder, value)
    reader.read()
    return builder.build(task=reader.turns.first_request)


def _read_context(builder: TraceBuilder, document: dict[str, Any]) -> Trace:
    """A saved context: who is there, what was asked, and the memory where it was kept."""
    builder.dialect = "context"
    keep_rest(builder, document, _OF_A_CONTEXT, place="context", whole_trace=True)
    state = {key: decoded(kept) for key, kept in (_state(document) or {}).items()}
    agents = state.pop("agents", None)
    names = [name for name in agents if isinstance(name, str)] if isinstance(agents, list) else []
    turns = Turns(builder, names)
    for name in names:
        turns.introduce(name)
    messages = _messages(state.pop("memory", None))
    current = names[0] if names else "agent"
    for index, raw in enumerate(messages):
        message = read_message(raw)
        if not message.is_empty:
            Thread(turns, current).add(message, native_index=index)
        for call in message.calls:
            target = handoff_target(call.name, call.arguments)
            current = target if target in names else current
    if messages:
        builder.note("inferred", "who said what was told by hand-offs: a memory does not say")
    asked = state.get("user_msg_str")
    if isinstance(asked, str) and asked and not turns.has_said("user", asked):
        turns.ask(asked, native_index=len(messages))
    if not messages:
        builder.note(
            "missing",
            "structure only: the context does not hold what agents said; keep the events "
            "of handler.stream_events()",
        )
    return builder.build(task=turns.first_request, attributes=keep_fields(builder, state))


def _messages(value: Any, depth: int = _DEPTH) -> list[Any]:
    """The chat messages somewhere inside a memory."""
    value = decoded(value)
    if isinstance(value, list):
        kept = [item for item in value if isinstance(item, dict) and "role" in item]
        if kept:
            return kept
    if isinstance(value, dict) and depth:
        for inner in value.values():
            if found := _messages(inner, depth - 1):
                return found
    return []
