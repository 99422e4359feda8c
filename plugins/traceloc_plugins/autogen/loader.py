"""Reads what AutoGen 0.4 and later leaves behind.

A document is a ``TaskResult``, a list of AgentChat messages, the state of a saved team, or an event
log; a file holds one, a list of them, one a line, or a message a line as ``run_stream`` gives them.
What the console printed is read too, and event logs whose lines begin with a logger's own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.loading.head import decode
from traceloc.trace import Trace
from traceloc_plugins.autogen.console import looks_like_console, read_console
from traceloc_plugins.autogen.events import is_event, read_events
from traceloc_plugins.autogen.messages import MessageReader, is_message
from traceloc_plugins.records import keep_fields, read_traces, state_end, text_field

_HOLDERS = ("messages", "message_thread", "agent_states", "agent_state", "llm_context")
_STATES = ("TeamState", "AssistantAgentState", "ChatAgentContainerState", "SocietyOfMindAgentState")


class AutoGenLoader:
    """Loader of AutoGen AgentChat runs."""

    name = "autogen"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the messages of `run_stream(task=…)` or the `TaskResult`, which begin "
        "with it",
        "instructions": "log `autogen_core.EVENT_LOGGER_NAME`: its `LLMCall` events hold the "
        "system messages",
        "schemas": "log `autogen_core.EVENT_LOGGER_NAME`: its `LLMCall` events hold the tools of "
        "a request",
        "calls": "write the `TaskResult`, which holds each call; without any the run made none",
        "results": "write the `TaskResult`, which holds each result",
        "inputs": "the format does not hold it; every agent of a team gets every message that is "
        "not filtered",
        "times": "write `result.model_dump_json()`: messages bear `created_at`, the console "
        "shows none",
        "usage": "write `result.model_dump_json()`: messages bear `models_usage`",
    }

    def sniff(self, head: Head) -> float:
        """Messages whose type is one of AgentChat's; a team's state; lines of an event log."""
        first = head.first
        if first is None:
            logged = sum(map(is_event, map(_logged, head.text.split("\n", 20)[:20])))
            return 0.95 if logged else looks_like_console(head.text)
        if isinstance(first, list) and first and not isinstance(first[0], dict):
            first = first[0]
        if isinstance(first, dict) and first.get("type") in _STATES:
            return 0.97 if _messages(first) else 0.0
        holder = first[0] if isinstance(first, list) and first else first
        messages = holder.get("messages") if _is_result(holder) else None
        if not isinstance(messages, list):
            messages = first if isinstance(first, list) else list(head.documents[:50])
        found = sum(map(_is_item, messages[:50]))
        return 0.97 if found and found * 2 >= len(messages[:50]) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run."""
        for source in sources:
            if source.head().first is None and source.head().text.strip():
                yield from self._load_text(source)
            else:
                yield from read_traces(
                    self.name, [source], is_trace=_is_run, is_item=_is_item, read=_read_run
                )

    def _load_text(self, source: Source) -> Iterator[Trace]:
        text, _ = decode(source.read())
        items: list[Any] = [record for line in text.split("\n") if (record := _logged(line))]
        dialect = "events"
        if not any(map(is_event, items)):
            items, dialect = read_console(text), "console"
        builder = TraceBuilder(format=self.name, source=source.path, dialect=dialect)
        if items and (trace := _read_run(builder, items)).steps:
            yield trace


def _logged(line: str) -> Any:
    """The record in a line of a log, after what its logger wrote in front."""
    start = line.find("{", 0, 200)
    if start < 0 or '"type"' not in line:
        return None
    try:
        return from_json(line[start:])
    except ValueError:
        return None


def _is_item(value: Any) -> bool:
    return is_event(value) or is_message(value)


def _is_run(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_item, value[:20]))
    messages = _messages(value)
    return bool(messages) and any(map(_is_item, messages[:20]))


def _is_result(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("messages"), list) and not is_event(value)
    )


def _messages(document: Any) -> list[Any]:
    """The messages of a result, of a saved team's thread, or of the model's context."""
    if not isinstance(document, dict):
        return []
    found = document.get("messages", document.get("message_thread"))
    if isinstance(found, list):
        return found
    states = document.get("agent_states")
    if isinstance(states, dict):
        threads = [_messages(state) for state in states.values()]
        # Who leads the team keeps the whole thread; an agent alone has but its model's context.
        return max(threads, key=len, default=[])
    for key in ("agent_state", "llm_context"):
        if found := _messages(document.get(key)):
            return found
    return []


def _read_run(builder: TraceBuilder, value: Any) -> Trace:
    document: dict[str, Any] = {}
    if isinstance(value, list):
        # A stream ends with its result, which says everything again.
        items = [None if _is_result(item) else item for item in value]
        for item in value:
            if _is_result(item):
                document = {key: kept for key, kept in item.items() if key != "messages"}
        while items and items[-1] is None:
            items.pop()
    else:
        items = _messages(value)
        document = {key: kept for key, kept in value.items() if key not in _HOLDERS}
        builder.dialect = "state" if value.get("type") in _STATES else None
    if any(map(is_event, items[:20])):
        builder.dialect = "events"
    reader = MessageReader(builder, list(read_events(builder, items)))
    reader.read()
    state_end(builder)
    if builder.steps and reader.first_request is None:
        builder.note(
            "missing",
            "what the team was asked: the log begins after it; the TaskResult and the messages of "
            "run_stream(…) begin with it",
        )
    task = text_field(document, "task") or reader.first_request
    attributes = keep_fields(builder, {k: v for k, v in document.items() if v != task})
    return builder.build(task=task, attributes=attributes)
