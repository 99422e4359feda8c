"""Message histories of one run: an agent's own, and those of agents it set to work.

Every agent has a history of its own, and no message says whose it is. Where a call hands over work,
the history that begins with the call's words and ends with its result is the other agent's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from traceloc.loading import TraceBuilder, parse_arguments, text_of
from traceloc.trace import ToolCall, Trace
from traceloc_plugins.pydantic_ai.messages import MessageReader, is_message
from traceloc_plugins.records import bounded, id_field, keep_fields
from traceloc_plugins.spans.delegation import handoff_target
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.turns import Turns

_SHORTEST = 4
"""A task of fewer letters would join what does not belong together."""


@dataclass
class History:
    """The messages of one agent, and the file they were found in."""

    messages: list[Any]
    source: str
    fields: dict[str, Any] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = [
            part
            for message in self.messages
            if is_message(message)
            for part in message["parts"]
            if isinstance(part, dict)
        ]

    def of_kind(self, kind: str) -> Iterator[dict[str, Any]]:
        """The parts of a kind."""
        return (part for part in self.parts if part.get("part_kind") == kind)

    @property
    def task(self) -> str:
        """What the agent was asked first."""
        return next(
            (text_of(bounded(p.get("content"))).strip() for p in self.of_kind("user-prompt")), ""
        )

    @property
    def answer(self) -> str:
        """What it said last."""
        last = self.parts[-1] if self.parts else {}
        return (
            text_of(bounded(last.get("content"))).strip() if last.get("part_kind") == "text" else ""
        )

    @property
    def orders(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Calls that may set another agent to work, with the words of their arguments."""
        for part in self.of_kind("tool-call"):
            arguments = parse_arguments(part.get("args"))
            values = arguments.values() if isinstance(arguments, dict) else [arguments]
            for value in values:
                if isinstance(value, str) and len(value.strip()) >= _SHORTEST:
                    yield part, value.strip()


def keys_of(history: History) -> Iterator[str]:
    """What histories that may belong together share: a task, as a hash."""
    for text in {history.task, *(text for _, text in history.orders)}:
        if len(text) >= _SHORTEST:
            yield hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def read_histories(name: str, histories: Iterable[History]) -> Iterator[Trace]:
    """Yield a trace for each history that no other one started, with those it started inside."""
    listed = list(histories)
    started = _match(listed)
    children = {child for found in started.values() for child in found.values()}
    for index in range(len(listed)):
        if index not in children:
            yield _read(name, listed, index, started)


def _match(histories: list[History]) -> dict[int, dict[str, int]]:
    """By history and call id: the history that the call started."""
    tasks: dict[str, list[int]] = {}
    for index, history in enumerate(histories):
        tasks.setdefault(history.task, []).append(index)
    found: dict[int, dict[str, int]] = {}
    taken: set[int] = set()
    for index, history in enumerate(histories if len(histories) > 1 else ()):
        results = {
            id: (result_text(bounded(part.get("content"))).strip(), part)
            for part in history.of_kind("tool-return")
            if (id := id_field(part, "tool_call_id"))
        }
        for part, text in history.orders:
            id = id_field(part, "tool_call_id")
            if id is None or id not in results or id in found.get(index, {}):
                continue
            answer, returned = results[id]
            for child in tasks.get(text, ()):
                other = histories[child]
                if child in taken or child == index or other.answer != answer:
                    continue
                if not _inside(other, returned) or _leads_to(found, child, index):
                    continue
                found.setdefault(index, {})[id] = child
                taken.add(child)
                break
    return found


def _inside(child: History, returned: dict[str, Any]) -> bool:
    """Whether a history ended before its result came back; true where times are missing."""
    times = [m.get("timestamp") for m in child.messages if isinstance(m, dict)]
    last = next((t for t in reversed(times) if isinstance(t, str)), None)
    end = returned.get("timestamp")
    return last is None or not isinstance(end, str) or last <= end


def _leads_to(found: dict[int, dict[str, int]], start: int, goal: int) -> bool:
    waiting, seen = [start], set[int]()
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            waiting += found.get(here, {}).values()
    return False


def _read(
    name: str, histories: list[History], index: int, started: dict[int, dict[str, int]]
) -> Trace:
    root = histories[index]
    builder = TraceBuilder(format=name, source=root.source)
    turns = Turns(builder)
    builder.note("inferred", "messages do not name their agent; its name is 'assistant'")
    builder.agent("assistant", kind="worker", attribution="role")
    counted = [0]

    def write(at: int, agent: str, boss: str | None) -> None:
        history, offset = histories[at], counted[0]
        counted[0] += len(history.messages)

        def interlude(call: ToolCall) -> None:
            child = started.get(at, {}).get(call.id or "")
            if child is not None:
                target = handoff_target(call.name, call.arguments) or call.name
                builder.agent(target, kind="worker", parent=agent)
                write(child, target, agent)

        reader = MessageReader(
            turns, agent, offset=offset, boss=boss, interlude=interlude if at in started else None
        )
        for position, message in enumerate(history.messages):
            reader.add(message, position)

    write(index, "assistant", None)
    first: dict[str, Any] = next((m for m in root.messages if is_message(m)), {})
    return builder.build(
        id=id_field(first, "run_id"),
        session_id=id_field(first, "conversation_id"),
        task=turns.first_request,
        attributes=keep_fields(builder, root.fields),
    )
