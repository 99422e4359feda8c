"""Messages out of states: one state, the history of a thread, a stream of updates.

States repeat everything that was said before. What counts is each message once, in the place where
it first occurs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from traceloc.loading import declared_error
from traceloc_plugins.facts import word
from traceloc_plugins.langgraph.chunks import Chunks
from traceloc_plugins.langgraph.messages import Entry, Failure, unwrap
from traceloc_plugins.records import bounded, id_field
from traceloc_plugins.spans.returned import json_text

_DEPTH = 4
"""Levels below a state at which lists of messages are looked for."""
MODES = frozenset(
    ("updates", "values", "debug", "messages", "custom", "tasks", "checkpoints", "messages-tuple")
)


class Gathered:
    """What was said, each message once."""

    def __init__(self) -> None:
        self.entries: list[Entry | Failure] = []
        self._places: dict[Any, int] = {}
        self._nameless: dict[Any, list[int]] = {}
        """Places of messages that had no id yet: a graph gives one when it takes them in."""
        self._failures: set[tuple[str, str]] = set()

    def add_state(
        self, state: Any, position: int, *, namespace: Any = None, time: Any = None, **place: Any
    ) -> None:
        """Take in the messages of a state, of an update, or of what a node wrote."""
        counts: dict[Any, int] = {}
        for fields in messages_in(state):
            key = _identity(fields)
            counts[key] = counts.get(key, 0) + 1
            self._add((*key, counts[key]), Entry(fields, position, namespace, time, **place))

    def add_message(self, fields: dict[str, Any], position: int, namespace: Any) -> None:
        """Take in one message."""
        self._add((*_identity(fields), 1), Entry(fields, position, namespace))

    def add_failure(self, failure: Failure) -> None:
        """Take in what a node raised; the nodes above it raise the same again."""
        key = ("" if failure.error is None else failure.error.message, failure.text)
        if key not in self._failures:
            self._failures.add(key)
            self.entries.append(failure)

    def _add(self, key: Any, entry: Entry) -> None:
        known = self._places.get(key)
        if known is None:
            words = _words(entry.fields)
            if key[0] == "words":
                self._nameless.setdefault(words, []).append(len(self.entries))
            elif waiting := self._nameless.get(words):
                self._places[key] = place = waiting.pop(0)
                before = self.entries[place]
                if isinstance(before, Entry):
                    time = entry.time if before.time is None else before.time
                    self.entries[place] = before._replace(fields=entry.fields, time=time)
                return
            self._places[key] = len(self.entries)
            self.entries.append(entry)
            return
        before = self.entries[known]
        if before.time is None and entry.time is not None:
            self.entries[known] = before._replace(time=entry.time)

    def numbered(self) -> list[Entry | Failure]:
        """The entries with their positions among all that was said."""
        return [entry._replace(position=index) for index, entry in enumerate(self.entries)]


def _identity(fields: dict[str, Any]) -> tuple[str, Any]:
    """What makes two messages the same one; the same words alone do not, within one state."""
    if fields["type"] == "tool" and (call := id_field(fields, "tool_call_id")):
        return "tool", call
    if name := id_field(fields, "id"):
        return "id", name
    return "words", _words(fields)


def _words(fields: dict[str, Any]) -> tuple[str, str, str]:
    return fields["type"], repr(fields["content"])[:2000], repr(fields.get("tool_calls"))[:2000]


def messages_in(value: Any, depth: int = _DEPTH) -> Iterator[dict[str, Any]]:
    """The fields of the messages in a state, wherever its schema keeps them."""
    fields = unwrap(value)
    if fields is not None:
        yield fields
    elif isinstance(value, list):
        for item in value:
            if (fields := unwrap(item)) is not None:
                yield fields
    elif isinstance(value, dict) and depth and "lc" not in value:
        # The schema's usual key first: other keys may hold a part of the same conversation.
        for key in sorted(value, key=lambda key: key != "messages"):
            yield from messages_in(value[key], depth - 1)


def holds_messages(value: Any) -> bool:
    """Whether a JSON value is a state with messages."""
    return next(messages_in(value), None) is not None


def read_list(messages: list[Any]) -> Iterator[Entry | None]:
    """Entries of a plain list; ``None`` for items that are no messages."""
    seen: set[str] = set()
    for position, item in enumerate(messages):
        fields = unwrap(item) or from_chat(item)
        if fields is None:
            yield None
            continue
        name = id_field(fields, "id") or ""
        yield Entry(fields, position, repeated=bool(name) and name in seen)
        seen.add(name)


def from_chat(item: Any) -> dict[str, Any] | None:
    """A message in OpenAI's words or a pair, which LangChain takes as input beside its own."""
    if isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item):
        item = {"role": item[0], "content": item[1]}
    if not isinstance(item, dict) or "content" not in item or not isinstance(item.get("role"), str):
        return None
    kind = {"user": "human", "assistant": "ai", "developer": "system"}.get(item["role"])
    return unwrap({**item, "type": kind or item["role"]})


def snapshot_values(value: Any) -> Any:
    """The state in a snapshot or checkpoint; ``None`` for anything else."""
    if not isinstance(value, dict):
        return None
    state = value.get("values", value.get("channel_values"))
    return state if isinstance(state, dict | list) else None


def is_snapshot(value: Any) -> bool:
    """Whether a JSON value is one state of a thread's history."""
    return snapshot_values(value) is not None and not value.keys().isdisjoint(
        ("next", "config", "checkpoint", "parent_config", "parent_checkpoint", "channel_versions")
    )


def read_history(snapshots: Iterable[dict[str, Any]]) -> Gathered:
    """The messages of a thread, whichever way round its history was written."""
    found = Gathered()
    for snapshot in sorted(snapshots, key=_age):
        time = snapshot.get("created_at", snapshot.get("ts"))
        found.add_state(snapshot_values(snapshot), 0, namespace=place_of(snapshot)[1], time=time)
        tasks = snapshot.get("tasks")
        for task in tasks if isinstance(tasks, list) else ():
            if isinstance(task, dict):
                _add_outcome(found, task, 0, namespace=None, time=time)
    return found


def _age(snapshot: dict[str, Any]) -> tuple[str, int]:
    about = snapshot.get("metadata")
    step = about.get("step") if isinstance(about, dict) else None
    time = snapshot.get("created_at", snapshot.get("ts"))
    number = step if isinstance(step, int) and abs(step) < 1 << 60 else 0
    return time if isinstance(time, str) else "", number


def place_of(snapshot: dict[str, Any]) -> tuple[str | None, str]:
    """Thread and namespace of a snapshot."""
    for key in ("config", "checkpoint", "parent_config"):
        about = snapshot.get(key)
        inner = about.get("configurable", about) if isinstance(about, dict) else None
        if isinstance(inner, dict) and (thread := id_field(inner, "thread_id")):
            return thread, id_field(inner, "checkpoint_ns") or ""
    return id_field(snapshot, "thread_id"), ""


def is_streamed(value: Any) -> bool:
    """Whether a JSON value is an item of ``stream`` with its mode, or a bare update."""
    part = _part(value)
    return part is not None


def _part(value: Any) -> tuple[Any, str, Any] | None:
    """Namespace, mode and content of a streamed item."""
    if isinstance(value, list) and 2 <= len(value) <= 3:
        *namespace, mode, content = value
        if isinstance(mode, str) and mode in MODES:
            if not namespace or isinstance(namespace[0], list):
                return (namespace or [None])[0], mode, content
        if len(value) == 2 and isinstance(mode, list) and isinstance(content, dict):
            return (mode, "updates", content) if _is_update(content) else None
        return None
    if not isinstance(value, dict):
        return None
    if word(value.get("type")) in MODES and "data" in value:
        return value.get("ns"), value["type"], value["data"]
    if {"step", "payload", "type"} <= value.keys() and isinstance(value["payload"], dict):
        return None, "debug", value
    return (None, "updates", value) if _is_update(value) else None


def content_of(value: Any) -> dict[str, Any] | None:
    """The object of a streamed item whose fields are the framework's, and no names of nodes."""
    part = _part(value)
    if part is None or (part[1] == "updates" and part[2] is value):
        return None
    if isinstance(value, dict):
        return value
    debugged = part[1] in ("debug", "tasks", "checkpoints") and isinstance(part[2], dict)
    return part[2] if debugged else None


def _is_update(value: dict[str, Any]) -> bool:
    """Whether an object holds what nodes wrote, by their names."""
    return bool(value) and all(
        inner is None
        or (isinstance(inner, dict) and isinstance(inner.get("messages"), list | dict))
        or key == "__interrupt__"
        for key, inner in value.items()
    )


def read_stream(items: Iterable[tuple[Any, int | None]]) -> Gathered:
    """The messages of a stream, each where it first came through."""
    found, chunks = Gathered(), Chunks()
    for position, (item, line) in enumerate(items):
        part = _part(item)
        if part is None:
            continue
        namespace, mode, content = part
        if mode in ("messages", "messages-tuple"):
            chunks.add(content, position)
        elif mode == "values":
            found.add_state(content, position, namespace=namespace, line=line)
        elif mode == "updates" and isinstance(content, dict):
            for node, written in content.items():
                within = [*namespace, node] if isinstance(namespace, list) else [node]
                found.add_state(written, position, namespace=within, line=line)
        elif mode in ("debug", "tasks", "checkpoints") and isinstance(content, dict):
            _add_debug(found, namespace, content, position, line)
    for fields, position, namespace in chunks.merged():
        found.add_message(fields, position, namespace)
    return found


def _add_debug(
    found: Gathered, namespace: Any, content: dict[str, Any], position: int, line: int | None
) -> None:
    payload = content.get("payload", content)
    if not isinstance(payload, dict):
        return
    time = content.get("timestamp")
    if "values" in payload:
        found.add_state(payload["values"], position, namespace=namespace, time=time, line=line)
    elif "result" in payload or "error" in payload:
        node = payload.get("name")
        within = [*namespace, node] if isinstance(namespace, list) else [node]
        found.add_state(payload.get("result"), position, namespace=within, time=time, line=line)
        _add_outcome(found, payload, position, namespace=namespace, time=time, line=line)


def _add_outcome(found: Gathered, task: dict[str, Any], position: int, **place: Any) -> None:
    """What a task raised, and what it stopped for."""
    node = id_field(task, "name") or "unknown"
    if error := id_field(task, "error"):
        found.add_failure(Failure(node, error, declared_error(error), position, **place))
    stops = task.get("interrupts")
    for stop in stops if isinstance(stops, list) else ():
        found.add_failure(Failure(node, asked_in(stop), None, position, **place))


def asked_in(stop: Any) -> str:
    """What a graph that stopped wants to know, also where only its ``repr`` was written."""
    if isinstance(stop, dict):
        stop = stop.get("value", stop.get("repr", stop))
    return stop if isinstance(stop, str) else json_text(bounded(stop))[:4000]
