"""A trace out of the entries that a source gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.langgraph.messages import Entry, Failure
from traceloc_plugins.langgraph.scribe import Scribe
from traceloc_plugins.records import keep_fields


def write_trace(
    builder: TraceBuilder,
    entries: Sequence[Entry | Failure],
    *,
    id: str | None = None,
    session_id: str | None = None,
    fields: dict[str, Any] | None = None,
) -> Trace:
    """The trace of a conversation.

    Args:
        builder: Takes the steps.
        entries: What was said, in order.
        id: Id in the source.
        session_id: The thread.
        fields: What the source says beside it.
    """
    scribe = Scribe(builder, entries)
    for entry in entries:
        scribe.write(entry)
    last = entries[-1] if entries else None
    if isinstance(last, Failure) and last.error and last.error.kind != "control_flow":
        builder.outcome("failed", source="error", detail=last.error.message[:500])
    attributes = keep_fields(builder, fields or {})
    return builder.build(
        id=id,
        task=scribe.turns.first_request,
        session_id=session_id,
        attributes=attributes,
    )
