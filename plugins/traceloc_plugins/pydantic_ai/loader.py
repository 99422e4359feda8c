"""Reads message histories of Pydantic AI: ``result.all_messages_json()``, alone or in a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.pydantic_ai.histories import History, keys_of, read_histories
from traceloc_plugins.pydantic_ai.messages import is_message
from traceloc_plugins.records import first_records

_HOLDERS = ("messages", "all_messages", "message_history", "new_messages")


class PydanticAILoader:
    """Loader of Pydantic AI's message histories."""

    name = "pydantic_ai"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write `all_messages_json()`, which begins with the request",
        "agents": "messages name none; `Agent(name=…)` and `Agent.instrument_all()` do, in "
        "OpenTelemetry",
        "instructions": "write `all_messages_json()`, whose requests hold them; without any the "
        "agent has none",
        "schemas": "messages hold none; `Agent.instrument_all()` writes them to OpenTelemetry",
        "calls": "write `all_messages_json()`, which holds each call; without any the run made "
        "none",
        "results": "write `all_messages_json()`, which holds each result",
        "times": "write `all_messages_json()` of a recent version: each message bears `timestamp`",
        "usage": "write `all_messages_json()`: responses bear `usage`, where the model states it",
    }

    def sniff(self, head: Head) -> float:
        """Requests and responses made of parts that tell their kind."""
        records = first_records(head)
        if not records:
            return 0.0
        held = _held(records[0])
        sample = held if held is not None else records
        return 0.97 if any(map(is_message, sample[:5])) else 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        """Tasks that agents of this file got, or gave to others."""
        for history in _histories(source):
            yield from keys_of(history)

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run, with the agents it set to work."""
        found: list[History] = []
        for source in sources:
            before = len(found)
            found += _histories(source)
            if len(found) == before:
                source.report("holds no messages of Pydantic AI", code="TL106")
        for trace in read_histories(self.name, found):
            if trace.steps:
                yield trace


def _held(value: Any) -> list[Any] | None:
    if isinstance(value, dict):
        for key in _HOLDERS:
            if isinstance(found := value.get(key), list):
                return found
    return None


def _histories(source: Source) -> Iterator[History]:
    loose: list[Any] = []
    for value, _ in source.documents():
        if is_message(value):
            loose.append(value)
        elif isinstance(value, list) and any(map(is_message, value[:20])):
            yield History(value, source.path)
        else:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, list) and any(map(is_message, item[:20])):
                    yield History(item, source.path)
                elif (held := _held(item)) is not None:
                    fields = {key: kept for key, kept in item.items() if kept is not held}
                    yield History(held, source.path, fields)
                else:
                    source.report("records that are no message history", code="TL120")
    if loose:
        yield History(loose, source.path)
