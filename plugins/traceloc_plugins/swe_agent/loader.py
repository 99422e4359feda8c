"""Reads ``.traj`` files of SWE-agent and its demonstrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded, keep_fields, read_traces
from traceloc_plugins.swe_agent.history import read_history


class SweAgentLoader:
    """Loader of SWE-agent's trajectories."""

    name = "swe_agent"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "nothing to switch on: a run has one agent, called `swe-agent`",
        "instructions": "nothing to switch on: the history begins with the system message",
        "schemas": "no `.traj` holds them",
        "calls": "nothing to switch on: each action is written",
        "results": "nothing to switch on: each observation is written",
        "outcome": "no `.traj` says whether the patch is right: keep runs in folders `passed` "
        "and `failed`",
        "times": "no `.traj` holds them",
        "usage": "no `.traj` holds them by step, only for the whole run",
    }

    def sniff(self, head: Head) -> float:
        """Actions with observations, or messages that name their agent and their type."""
        for record in head.records[:1]:
            if _has_turns(record.get("trajectory")):
                return 0.97
            if _has_messages(record.get("history")):
                return 0.9
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run."""
        return read_traces(self.name, sources, is_trace=_is_run, read=_read_run)


def _is_run(value: Any) -> bool:
    return isinstance(value, dict) and (
        _has_turns(value.get("trajectory")) or _has_messages(value.get("history"))
    )


def _has_turns(turns: Any) -> bool:
    first = turns[0] if isinstance(turns, list) and turns else None
    # One of the three that follow; the observation may be cut off by the end of what is looked at.
    return (
        isinstance(first, dict)
        and "action" in first
        and not first.keys().isdisjoint(("observation", "response", "thought"))
        and isinstance(first["action"], str)
    )


def _has_messages(history: Any) -> bool:
    items = history[:5] if isinstance(history, list) else []
    known = [i for i in items if isinstance(i, dict) and {"role", "content", "agent"} <= i.keys()]
    return bool(known) and any(
        not item.keys().isdisjoint(("message_type", "is_demo", "thought", "action"))
        for item in known
    )


def _read_run(builder: TraceBuilder, run: dict[str, Any]) -> Trace:
    history, turns = run.get("history"), run.get("trajectory")
    task = read_history(
        builder,
        history if isinstance(history, list) else [],
        turns if isinstance(turns, list) else [],
    )
    facts = {key: value for key, value in run.items() if key not in ("history", "trajectory")}
    info = facts.get("info")
    status = word(info.get("exit_status")) if isinstance(info, dict) else None
    attributes = keep_fields(builder, bounded(facts))
    if status and not status.startswith("submitted"):
        builder.outcome("failed", source="error", detail=status)
    return builder.build(task=task, attributes=attributes)
