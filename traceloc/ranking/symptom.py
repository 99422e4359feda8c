"""Where a failure first shows, as against where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from traceloc.attribution import Symptom
from traceloc.ranking.table import FeatureTable

if TYPE_CHECKING:
    from traceloc.graph import TraceGraph

SHOWS = {
    "claims.complain": "finds fault",
    "claims.give_up": "gives up",
    "handoff.stall_noted": "notes that no progress is made",
}
"""Features that tell of a failure which has already happened, and what to say of them."""

_MESSAGE_CHARS = 120


def find_symptom(graph: TraceGraph, table: FeatureTable, *, origin: int) -> Symptom | None:
    """The first step after the origin where the failure can be seen.

    That is an error, or words of an agent that something is wrong; ``None`` without any. A run that
    ends wrongly and never says so shows nothing.

    Args:
        graph: The trace.
        table: Its measurements; features that are not measured show nothing.
        origin: Step that is blamed.
    """
    later = graph.steps[origin + 1 :]
    step, claim = len(graph), ""
    for one in later:
        if one.error is not None and one.error.kind != "control_flow":
            message = " ".join(one.error.message[: 4 * _MESSAGE_CHARS].split())[:_MESSAGE_CHARS]
            step, claim = one.index, f"fails: {message}" if message else "fails"
            break
    columns = {feature.name: i for i, feature in enumerate(table.features)}
    acting = graph.is_acting[origin + 1 :]
    for name, words in SHOWS.items():
        if name in columns:
            fires = np.flatnonzero((table.matrix[origin + 1 :, columns[name]] > 0) & acting)
            if len(fires) and origin + 1 + int(fires[0]) < step:
                step, claim = origin + 1 + int(fires[0]), words
    return Symptom(step=step, claim=claim) if step < len(graph) else None
