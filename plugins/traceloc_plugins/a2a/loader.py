"""Reads tasks of the A2A protocol, as of versions 0.3 and 1.0.

A document is a task, the JSON-RPC answer that carries one, a page of tasks, or what a stream sent:
tasks, messages, updates of status and of artifacts, one a line. What belongs to one task becomes
one trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.a2a.tasks import TaskReader, as_item, listed, merge


class A2ALoader:
    """Loader of A2A tasks."""

    name = "a2a"
    api_version = 1

    def sniff(self, head: Head) -> float:
        """Tasks with a context and a state of the protocol; updates of tasks."""
        found = listed(head.records[0])[:1] if head.records else []
        return 0.95 if any(as_item(item) is not None for item in found) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each task."""
        for source in sources:
            tasks: dict[str, dict[str, Any]] = {}
            for value, line in source.documents():
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
