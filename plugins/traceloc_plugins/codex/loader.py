"""Reads what the Codex CLI records of a session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.codex.lines import ITEMS, read_lines
from traceloc_plugins.codex.sessions import linked_ids, read_sessions
from traceloc_plugins.codex.stream import is_stream_line, write_stream
from traceloc_plugins.codex.writing import write_session
from traceloc_plugins.facts import word

_WRITTEN = frozenset({"session_meta", "turn_context", "event_msg", "response_item", "compacted"})


class CodexLoader:
    """Rollout files, with the files of sub-agents, and ``exec --json`` output."""

    name = "codex"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "`exec --json` does not hold it; the rollout below ~/.codex/sessions does",
        "agents": "nothing to switch on: there is one agent, called `codex`; sub-agents bear "
        "their names",
        "instructions": "`exec --json` has none; a rollout has what its `session_meta` states",
        "schemas": "no file holds them",
        "calls": "nothing to switch on: each call is written; the run made none",
        "results": "nothing to switch on: each result is written; the run made no call",
        "times": "`exec --json` has none; the rollout below ~/.codex/sessions has one on each line",
        "usage": "`exec --json` counts by finished turn; the rollout below ~/.codex/sessions by "
        "response",
    }

    def sniff(self, head: Head) -> float:
        """A payload under a type only Codex writes, or an item of its event stream."""
        return max((_score(record) for record in head.records[:50]), default=0.0) or _legacy(head)

    def group_keys(self, source: Source) -> Iterable[str]:
        """Its own session and, of a sub-agent, the one that started it."""
        for line in read_lines(source):
            if found := linked_ids(line):
                return found
            if line.number is not None and line.number > 50:
                break
        return ()

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace a session."""
        rollouts = []
        for source in sources:
            if any(is_stream_line(record) for record in _records(source.head())):
                yield write_stream(source)
            else:
                rollouts.append(source)
        for session in read_sessions(rollouts):
            trace = write_session(session)
            if trace.steps:
                yield trace


def _records(head: Head) -> list[dict[str, Any]]:
    """The first lines, also where somebody put them into one document."""
    first = head.first
    if isinstance(first, dict) and isinstance(inner := first.get("events"), list):
        return [item for item in inner if isinstance(item, dict)]
    return head.records


def _score(record: dict[str, Any]) -> float:
    kind = word(record.get("type"))
    payload = record.get("payload")
    if isinstance(payload, dict) and kind in _WRITTEN:
        if kind == "session_meta" and ("cwd" in payload or "originator" in payload):
            return 0.98
        return 0.95 if kind == "response_item" or "timestamp" in record else 0.8
    if is_stream_line(record):
        return 0.97
    inner = record.get("events")
    if isinstance(inner, list) and any(is_stream_line(item) for item in inner[:5]):
        return 0.6
    return 0.0


def _legacy(head: Head) -> float:
    """Before 0.32 the first line was bare facts, and items of the responses API came after it."""
    if not head.records or not head.is_json_lines:
        return 0.0
    first, *others = head.records
    bare = {"id", "timestamp"} <= first.keys() and "type" not in first
    if not bare or not ("instructions" in first or "git" in first):
        return 0.0
    items = (word(r.get("type")) in ITEMS or r.get("record_type") == "state" for r in others[:10])
    return 0.9 if others and all(items) else 0.0
