"""The database of ``SqliteSaver``: checkpoints of every thread and graph, and what nodes wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc.loading import Source, TraceBuilder, declared_error
from traceloc.trace import Trace
from traceloc_plugins.databases import Database
from traceloc_plugins.facts import word
from traceloc_plugins.langgraph.messages import Failure
from traceloc_plugins.langgraph.packed import Unpacker
from traceloc_plugins.langgraph.states import Gathered, asked_in, from_chat
from traceloc_plugins.langgraph.writing import write_trace

_PLACE = ("thread_id", "checkpoint_ns", "checkpoint_id")
_CHECKPOINT = (*_PLACE, "type", "checkpoint", "metadata")
_WRITE = (*_PLACE, "task_id", "idx", "channel", "type", "value")
_OWN = frozenset({"source", "step", "parents", "writes"})
"""Metadata of a checkpoint that LangGraph writes itself."""
_LAST = "\uffff"
"""Behind every checkpoint: what was written and never became part of one."""


def read_threads(name: str, source: Source) -> Iterator[Trace]:
    """Yield a trace for each thread of a checkpointer's database."""
    database = Database(source)
    try:
        threads: dict[str, _Thread] = {}
        unpacker = Unpacker(source)
        for row in database.rows("checkpoints", _CHECKPOINT, order="thread_id checkpoint_id"):
            thread = str(row["thread_id"])
            threads.setdefault(thread, _Thread(unpacker)).add_checkpoint(row)
        order = "thread_id checkpoint_id task_id idx"
        for row in database.rows("writes", _WRITE, order=order):
            thread = str(row["thread_id"])
            threads.setdefault(thread, _Thread(unpacker)).add_write(row)
    finally:
        database.close()
    for thread in list(threads):
        builder = TraceBuilder(format=name, source=source.path, dialect="checkpoints")
        for kind, count in sorted(unpacker.strange.items()):
            builder.note("skipped", f"{count} values of type {kind!r} cannot be read")
        database.note_unread_log(builder)
        found = threads.pop(thread)
        trace = write_trace(
            builder,
            found.gather().numbered(),
            id=thread,
            session_id=thread,
            fields=found.about,
        )
        if trace.steps:
            yield trace


class _Thread:
    """The rows of one thread, as they come."""

    def __init__(self, unpacker: Unpacker) -> None:
        self.about: dict[str, Any] = {}
        self._unpacker = unpacker
        self._parts: list[tuple[tuple[str, int, int], str, str | None, Any]] = []
        self._graphs: dict[str, list[str]] = {}
        self._writes: list[tuple[str, str, str, Any]] = []

    def add_checkpoint(self, row: dict[str, Any]) -> None:
        graph, id = str(row["checkpoint_ns"] or ""), str(row["checkpoint_id"])
        self._graphs.setdefault(graph, []).append(id)
        value = self._unpacker.read(row["type"], row["checkpoint"])
        if not isinstance(value, dict):
            return
        time = word(value.get("ts"))
        self._parts.append(((id, 1, len(self._parts)), graph, time, value.get("channel_values")))
        about = self._unpacker.read("json", row["metadata"])
        if isinstance(about, dict) and not graph:
            self.about.update((key, about[key]) for key in about if key not in _OWN)

    def add_write(self, row: dict[str, Any]) -> None:
        channel = str(row["channel"])
        if channel.startswith("branch:") or channel == "__pregel_tasks":
            return  # which node comes next, with the state that it will be given
        value = self._unpacker.read(row["type"], row["value"])
        if channel == "messages" and isinstance(value, list):
            # A channel of changes keeps no whole state, and what was put in as it was put in.
            value = [from_chat(item) or item for item in value]
        if value is not None:
            graph = str(row["checkpoint_ns"] or "")
            self._writes.append((graph, str(row["checkpoint_id"]), channel, value))

    def gather(self) -> Gathered:
        """What was said, in order: a write takes effect right before the graph's next checkpoint.

        Until then the node may have run whole graphs of its own.
        """
        following: dict[tuple[str, str], str] = {}
        for graph, ids in self._graphs.items():
            following.update(
                ((graph, id), after) for id, after in zip(ids, [*ids[1:], _LAST], strict=True)
            )
        parts: list[tuple[tuple[str, int, int], str, str | None, Any, str]] = [
            (*part, "") for part in self._parts
        ]
        for number, (graph, id, channel, value) in enumerate(self._writes):
            at = following.get((graph, id), id)
            parts.append(((at, 0, number), graph, None, value, channel))
        found = Gathered()
        for _, graph, time, value, channel in sorted(parts, key=lambda part: part[0]):
            if channel in ("__error__", "__interrupt__"):
                _add_stop(found, graph, channel, value)
            else:
                found.add_state(value, 0, namespace=graph, time=time)
        return found


def _add_stop(found: Gathered, graph: str, channel: str, value: Any) -> None:
    if channel == "__error__":
        text = value if isinstance(value, str) else repr(value)[:4000]
        found.add_failure(Failure("", text, declared_error(text), 0, graph))
        return
    for stop in value if isinstance(value, list) else [value]:
        found.add_failure(Failure("", asked_in(stop), None, 0, graph))
