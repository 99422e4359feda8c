"""Files into sessions: resumed ones continue each other, sub-agents follow who started them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from traceloc.loading import Source
from traceloc_plugins.codex.lines import Line, read_lines
from traceloc_plugins.facts import word


@dataclass(slots=True)
class Thread:
    """What one agent recorded."""

    id: str | None
    path: str
    parent: str | None = None
    """Session of the agent that started it."""
    name: str | None = None
    lines: list[Line] = field(default_factory=list)
    repeated: int = 0
    """Lines that were met a second time."""
    helpers: dict[str, Thread] = field(default_factory=dict)
    """Sub-agents by the id of their session."""


def linked_ids(line: Line) -> list[str]:
    """Sessions a line's file belongs to; empty unless the line introduces the file."""
    if line.kind != "session_meta":
        return []
    return [id for id in (word(line.payload.get("id")), _parent(line.payload)) if id]


def read_sessions(sources: Sequence[Source]) -> Iterable[Thread]:
    """Threads that nobody else's thread started, with their sub-agents below them."""
    threads: dict[str, Thread] = {}
    offset = 0
    # A session that was resumed goes on in a later file, however the files are listed.
    for source, lines in sorted(((s, list(read_lines(s))) for s in sources), key=_order):
        for line in lines:
            line.native += offset
        offset = max((line.native + 1 for line in lines), default=offset)
        meta = next((line.payload for line in lines if line.kind == "session_meta"), {})
        id = word(meta.get("id"))
        thread = threads.setdefault(id or source.path, Thread(id, source.path))
        thread.parent = thread.parent or _parent(meta)
        thread.name = thread.name or _name(meta)
        _extend(thread, lines)
    roots = []
    for thread in threads.values():
        boss = threads.get(thread.parent or "")
        if boss is not None and thread.id is not None and not _is_below(boss, thread, threads):
            boss.helpers[thread.id] = thread
        else:
            roots.append(thread)
    return roots


def _order(file: tuple[Source, list[Line]]) -> tuple[str, str]:
    source, lines = file
    return next((line.time.isoformat() for line in lines if line.time), ""), source.path


def _extend(thread: Thread, lines: list[Line]) -> None:
    """Add the lines of a file; of a session's second file only what is new."""
    if not thread.lines:
        thread.lines = lines
        return
    known = {line.mark() for line in thread.lines}
    fresh = [line for line in lines if line.mark() not in known]
    thread.repeated += len(lines) - len(fresh)
    thread.lines += fresh


def _is_below(thread: Thread, other: Thread, threads: dict[str, Thread]) -> bool:
    """Whether one thread stands under the other, which damaged files may claim of both."""
    seen: set[int] = set()
    place: Thread | None = thread
    while place is not None and id(place) not in seen:
        if place is other:
            return True
        seen.add(id(place))
        place = threads.get(place.parent or "")
    return False


def _spawned(meta: dict[str, Any]) -> dict[str, Any]:
    """How a sub-agent was started: ``source.subagent.thread_spawn``."""
    place: Any = meta.get("source")
    for key in ("subagent", "thread_spawn"):
        place = place.get(key) if isinstance(place, dict) else None
    return place if isinstance(place, dict) else {}


def _parent(meta: dict[str, Any]) -> str | None:
    return word(_spawned(meta).get("parent_thread_id")) or word(meta.get("parent_thread_id"))


def _name(meta: dict[str, Any]) -> str | None:
    spawned = _spawned(meta)
    for key in ("agent_nickname", "agent_role"):
        if name := word(meta.get(key)) or word(spawned.get(key)):
            return name
    return None
