"""Documents that hold what was said and no runs: messages, states, histories, streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.langgraph.messages import Entry, Failure, is_message
from traceloc_plugins.langgraph.states import (
    Gathered,
    content_of,
    holds_messages,
    is_snapshot,
    is_streamed,
    place_of,
    read_history,
    read_list,
    read_stream,
    snapshot_values,
)
from traceloc_plugins.langgraph.writing import write_trace
from traceloc_plugins.records import id_field

_LOOKED_AT = 20
_OF_AN_ITEM = frozenset(
    ("values", "channel_values", "metadata", "created_at", "ts", "thread_id", "interrupts", "id")
) | {"type", "data", "ns", "step", "payload", "timestamp", "v", "channel_versions"}
_OF_AN_ITEM |= {"versions_seen", "updated_channels", "pending_sends"}
_PLACES = frozenset(("config", "parent_config", "checkpoint", "parent_checkpoint", "tasks", "next"))
_OF_AN_ITEM |= _PLACES


def messages_of(value: Any) -> list[Any] | None:
    """The list of messages that a document is, or that its state holds."""
    if isinstance(value, dict):
        state = snapshot_values(value)
        value = value if state is None else state
        value = value.get("messages") if isinstance(value, dict) else value
    if isinstance(value, list) and any(map(is_message, value[:_LOOKED_AT])):
        return value
    return None


def is_conversation(value: Any) -> bool:
    """Whether a document, or each of a list of them, is a conversation by itself."""
    if messages_of(value) is not None or is_snapshot(value):
        return True
    return isinstance(value, list) and any(
        isinstance(item, dict) and (is_snapshot(item) or messages_of(item) is not None)
        for item in value[:_LOOKED_AT]
    )


class Conversations:
    """Turns the documents of one file into traces.

    Args:
        name: Name of the loader.
        path: The file, as the user named it.
    """

    def __init__(self, name: str, path: str) -> None:
        self.strange = 0
        """Documents that are none of these."""
        self._name = name
        self._path = path
        self._messages: list[Any] = []
        self._snapshots: dict[str, list[dict[str, Any]]] = {}
        self._streamed: list[tuple[Any, int | None]] = []
        self._growing: tuple[str, Gathered, dict[str, Any]] | None = None

    def add(self, value: Any, line: int | None) -> Iterator[Trace]:
        """Take in a document; yields the traces that are complete with it."""
        if is_streamed(value) and messages_of(value) is None:
            self._streamed.append((value, line))
        elif is_snapshot(value):
            self._snapshots.setdefault(place_of(value)[0] or "", []).append(value)
        elif is_message(value):
            self._messages.append(value)
        elif (messages := messages_of(value)) is not None:
            yield from self._add_state(value, messages)
        elif isinstance(value, list) and value:
            if all(isinstance(item, list) for item in value[:_LOOKED_AT]):
                self._streamed.extend((item, line) for item in value)
                return
            for item in value:
                if isinstance(item, dict):
                    yield from self.add(item, line)
                else:
                    self.strange += 1
        else:
            self.strange += 1

    def finish(self) -> Iterator[Trace]:
        """Yield what only the end of the file completes."""
        yield from self._let_go()
        if self._messages:
            yield self._write(list(read_list(self._messages)), "messages")
        for thread, snapshots in self._snapshots.items():
            found = read_history(snapshots).numbered()
            fields = _fields_of(snapshots[0]) if len(snapshots) == 1 else _beside(snapshots)
            dialect = "history" if len(snapshots) > 1 else "state"
            yield self._write(found, dialect, id=thread or None, fields=fields)
        if self._streamed:
            found = read_stream(self._streamed).entries
            fields = _beside(filter(None, (content_of(item) for item, _ in self._streamed)))
            yield self._write(found, "stream", id=_thread_of(self._streamed), fields=fields)

    def _add_state(self, value: Any, messages: list[Any]) -> Iterator[Trace]:
        first = messages[0] if isinstance(messages[0], dict) else {}
        inner = first.get("kwargs", first.get("data", first))
        key = id_field(inner, "id") if isinstance(inner, dict) else None
        if isinstance(value, dict) and key:
            # A stream of values says the whole state again each time.
            if self._growing is None or self._growing[0] != key:
                yield from self._let_go()
                self._growing = (key, Gathered(), value)
            self._growing[1].add_state(messages, 0)
            self._growing = (key, self._growing[1], value)
            return
        entries = list(read_list(messages))
        yield self._write(entries, *self._kind(value), fields=_fields_of(value))

    def _let_go(self) -> Iterator[Trace]:
        if self._growing is not None:
            _, found, value = self._growing
            self._growing = None
            messages = messages_of(value) or []
            entries: list[Any] = list(read_list(messages))
            if len(entries) < len(found.entries):
                entries = found.numbered()
            yield self._write(
                entries, "state", id=id_field(value, "thread_id"), fields=_fields_of(value)
            )

    @staticmethod
    def _kind(value: Any) -> tuple[str, str | None]:
        if isinstance(value, dict):
            return "state", id_field(value, "thread_id")
        return "messages", None

    def _write(
        self,
        entries: list[Any],
        dialect: str,
        id: str | None = None,
        fields: dict[str, Any] | None = None,
    ) -> Trace:
        builder = TraceBuilder(format=self._name, source=self._path, dialect=dialect)
        known: list[Entry | Failure] = [entry for entry in entries if entry is not None]
        for _ in range(len(entries) - len(known)):
            builder.note("skipped", "items that are no message")
        return write_trace(builder, known, id=id, session_id=id, fields=fields)


def _beside(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What snapshots or streamed items say beside their own fields; of each name the first."""
    found: dict[str, Any] = {}
    for item in items:
        for key in item if not item.keys() <= _OF_AN_ITEM else ():
            if key not in _OF_AN_ITEM:
                found.setdefault(key, item[key])
    return found


def _fields_of(value: Any) -> dict[str, Any]:
    """What a document says beside its messages."""
    if not isinstance(value, dict):
        return {}
    state = snapshot_values(value)
    fields = {
        key: inner
        for key, inner in value.items()
        if key not in ("messages", "values", "channel_values", "thread_id") and key not in _PLACES
    }
    if isinstance(state, dict):
        # Other channels may hold the same messages, which are steps already.
        more = {k: v for k, v in state.items() if k != "messages" and not holds_messages(v)}
        fields = {**more, **fields}
    return fields


def _thread_of(items: list[tuple[Any, int | None]]) -> str | None:
    """The thread a stream belongs to, as its checkpoints say."""
    for item, _ in items[:_LOOKED_AT]:
        content = item[-1] if isinstance(item, list) and item else item
        payload = content.get("payload", content) if isinstance(content, dict) else None
        if isinstance(payload, dict) and (thread := place_of(payload)[0]):
            return thread
    return None
