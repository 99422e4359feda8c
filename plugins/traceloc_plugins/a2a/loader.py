"""Reads tasks of the A2A protocol, as of versions 0.3 and 1.0.

A document is a task, the JSON-RPC answer that carries one, a page of tasks, or what a stream sent:
tasks, messages, updates of status and of artifacts, one a line or as the events that came over the
wire (``data: …``). What belongs to one task becomes one trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from pydantic_core import from_json

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.loading.head import decode
from traceloc.trace import Trace
from traceloc_plugins.a2a.stream import looks_like_stream, read_stream
from traceloc_plugins.a2a.tasks import TaskReader, as_item, listed, merge


class A2ALoader:
    """Loader of A2A tasks."""

    name = "a2a"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the client's message too, which `history` of the task holds where "
        "`historyLength` asks for it",
        "agents": "put `agent_name` into the metadata of the agent's messages",
        "instructions": "the protocol does not hold them; keep the log of the agent's own "
        "framework beside it",
        "schemas": "the protocol does not hold them; keep the log of the agent's own framework "
        "beside it",
        "calls": "the protocol does not hold them; keep the log of the agent's own framework "
        "beside it",
        "results": "the protocol does not hold them; keep the log of the agent's own framework "
        "beside it",
        "inputs": "the protocol does not hold it; keep the log of the agent's own framework "
        "beside it",
        "outcome": "only a failed or rejected task says so; that one is completed does not say "
        "it is right",
        "times": "only updates of a status bear times: write the events of the stream, not "
        "messages alone",
        "usage": "the protocol does not hold them; keep the log of the agent's own framework "
        "beside it",
    }

    def sniff(self, head: Head) -> float:
        """Tasks with a context and a state of the protocol; updates of tasks."""
        records = head.records[:1]
        if head.first is None and looks_like_stream(head.text):
            records = [value for value in map(_parsed, _sent(head.text)) if value is not None][:1]
        found = listed(records[0])[:1] if records else []
        return 0.95 if any(as_item(item) is not None for item in found) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each task."""
        for source in sources:
            tasks: dict[str, dict[str, Any]] = {}
            for value, line in _documents(source):
                for raw in value if isinstance(value, list) else listed(value):
                    item = as_item(raw)
                    if item is None:
                        source.report("a record is no part of a task", code="TL120", line=line)
                    else:
                        merge(tasks, item)
            for task in tasks.values():
                builder = TraceBuilder(format=self.name, source=source.path)
                trace = TaskReader(builder).read(task)
                if trace.steps:
                    yield trace


def _documents(source: Source) -> Iterator[tuple[Any, int | None]]:
    """The documents of a file, or those that its events carry."""
    head = source.head()
    if head.first is not None or not looks_like_stream(head.text):
        yield from source.documents()
        return
    for event in read_stream(decode(source.read())[0].lstrip("\ufeff")):
        value = _parsed(event.data)
        if value is None:
            source.report("the data of an event is not JSON", code="TL103", line=event.line)
        else:
            yield value, event.line


def _sent(text: str) -> Iterator[str]:
    """The data of the first events; the last of them may be cut off."""
    return (event.data for event in islice(read_stream(text), 20))


def _parsed(data: str) -> dict[str, Any] | None:
    try:
        value = from_json(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
