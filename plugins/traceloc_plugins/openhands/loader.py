"""Reads what OpenHands records of a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.openhands.conversation import (
    is_event,
    is_later_event,
    is_state,
    read_conversations,
)
from traceloc_plugins.openhands.trajectory import history_of, is_v0_event, read_trajectories

_FOLDERS = ("events", "llm_completions")


class OpenHandsLoader:
    """Trajectories of V0, rows of its evaluation, and conversations of V1."""

    name = "openhands"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "nothing to switch on: a conversation has one agent and V1 gives it no name",
        "instructions": "a trajectory of V0 holds them since it has a `system` action; V1 always "
        "does",
        "schemas": "no event holds them, only names and descriptions",
        "calls": "nothing to switch on: each call is an event; without any the run made none",
        "results": "nothing to switch on: each result is an event",
        "inputs": "no event holds it; it follows from condensations and delegations",
        "outcome": "scan `output.jsonl` of an evaluation, whose report says it",
        "usage": "V1: `LLM(log_completions=True)` with its folder beside the events; V0 has them "
        "in the calls",
    }

    def sniff(self, head: Head) -> float:
        """Events with a source, and an action or observation, or a kind of V1."""
        for record in head.records[:3]:
            if is_event(record):
                return 0.95
            if is_v0_event(record):
                return 0.93
            if is_state(record):
                return 0.9
            if is_later_event(record):
                return 0.8
            if _is_completion(record):
                return 0.6
            inner = history_of(record)
            if inner is not None and any(map(is_v0_event, inner[:20])):
                return 0.92
        first = head.first
        if isinstance(first, list) and first and isinstance(first[0], list):
            return 0.9 if any(is_v0_event(item, bare=True) for item in first[0][:2]) else 0.0
        return 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        """The folder of the conversation, for its state, its events and its model calls."""
        if any(map(is_v0_event, source.head().records[:3])):
            return ()
        return [str(folder_of(source).absolute())]

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace a conversation."""
        v1: list[Source] = []
        v0: list[Source] = []
        for source in sources:
            records = source.head().records[:3]
            new = any(any(is_new(r) for is_new in _NEW) for r in records)
            (v1 if new else v0).append(source)
        yield from read_conversations(v1, folder_of)
        yield from read_trajectories(v0)


def folder_of(source: Source) -> Path:
    """The folder of the conversation a file belongs to."""
    folder = Path(source.path).parent
    return folder.parent if folder.name in _FOLDERS else folder


def _is_completion(record: dict[str, Any]) -> bool:
    """Whether a record is one model call, as the SDK logs it beside a conversation."""
    response = record.get("response")
    if not {"messages", "context_window"} <= record.keys() or not isinstance(response, dict):
        return False
    return word(response.get("id")) is not None


_NEW = (is_event, is_state, is_later_event, _is_completion)
"""What the files of a conversation of V1 hold."""
