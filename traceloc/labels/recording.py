"""From a step of a trace to a row of the label store."""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from traceloc.contracts import Signal
from traceloc.errors import Location, UsageError, suggest
from traceloc.graph import TraceGraph
from traceloc.labels.events import Event, Kind, Subject
from traceloc.labels.measurements import keep_measurements
from traceloc.ranking.table import measure
from traceloc.trace import Trace

if TYPE_CHECKING:
    from traceloc.labels.store import LabelStore

MAX_NAMES = 12
"""Agents that a message lists."""


class Recorded(NamedTuple):
    """What was written down."""

    event: Event
    learnable: bool
    """Whether the step is a candidate, so that a fit can learn from it."""


def record_answer(
    store: LabelStore,
    kind: Kind,
    trace: Trace,
    step: int,
    *,
    signals: Sequence[Signal],
    agent: str | None = None,
    category: str | None = None,
    note: str | None = None,
    who: str | None = None,
) -> Recorded:
    """Write down what somebody says of a step, with the measurements of its trace.

    Args:
        store: Where to.
        kind: What is said of the step.
        trace: The run.
        step: Index of the step.
        signals: Signals to measure the trace with.
        agent: Who is to blame, where that is not who took the step.
        category: Kind of failure.
        note: Whatever else there is to say; kept as it is.
        who: Who says so; the user of this process if left out.

    Raises:
        IndexError: If there is no such step.
        UsageError: ``TL510`` if no agent of the trace is called ``agent``.
        StoreError: If the store cannot be written.
    """
    chosen = trace.steps[step]
    if agent is not None:
        _require_agent(trace, agent)
    system = name_system(trace)
    content_hash = hash_content(trace)
    table = measure(TraceGraph(trace), signals)
    known = [e.native_index for e in store.events(system=system) if e.content_hash == content_hash]
    event = store.add(
        kind,
        Subject(
            system=system,
            trace_id=trace.id,
            content_hash=content_hash,
            group=name_group(trace),
            locator=_locate(trace, step),
            native_index=chosen.native_index,
            step=step,
            agent=agent or chosen.agent,
        ),
        measurements=keep_measurements(table, signals, named=[*known, chosen.native_index]),
        category=category,
        note=note,
        who=who or name_user(),
    )
    return Recorded(event, bool(np.isin(chosen.native_index, table.native)))


def _locate(trace: Trace, step: int) -> str:
    """A locator that leads to the step from any folder, where there is a file."""
    source = Path(trace.source)
    try:
        is_file = trace.source not in ("", "-") and source.exists()
    except OSError:  # a source may be any words, also such as are too long for a path
        is_file = False
    if not is_file:
        return trace.locator(step)
    return trace.model_copy(update={"source": str(source.absolute())}).locator(step)


def _require_agent(trace: Trace, agent: str) -> None:
    """A typo here would teach that somebody who never was there is to blame."""
    names = dict.fromkeys((*(each.name for each in trace.agents), *(s.agent for s in trace.steps)))
    if agent in names:
        return
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    listed = f"there are: {', '.join(list(names)[:MAX_NAMES])}{more}"
    raise UsageError(
        f"there is no agent {agent!r} in the trace",
        code="TL510",
        hint=suggest(agent, names, listed=listed),
        location=Location(trace.locator()),
    )


def name_system(trace: Trace) -> str:
    """The system whose labels count for a trace; its format where it has no system."""
    return trace.system or f"{trace.format}:"


def hash_content(trace: Trace) -> str:
    """Digest of what the steps say and do; where the file lies does not count."""
    found = hashlib.blake2b(digest_size=16)
    for step in trace.steps:
        calls = [(call.name, call.arguments) for call in step.tool_calls]
        row = (step.native_index, step.kind, step.agent, step.text, calls)
        found.update(repr(row).encode("utf-8", "replace") + b"\x1e")
    return found.hexdigest()


def name_group(trace: Trace) -> str:
    """Digest of the task: runs of one task are one group. Of the content where there is none."""
    text = " ".join((trace.task or "").split()).casefold() or hash_content(trace)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def name_user() -> str:
    """Who runs this process, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
