"""Where in the run a step stands: learned for each system on its own, used by no other family."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.signals.family import Family

EARLY = 8
"""Acting steps from the start that have a column of their own."""


class PositionSignal(Family):
    """Position among the steps that agents take, and in time."""

    name = "position"
    features = (
        Feature("fraction", "stands late in the run", "system"),
        Feature("fraction_squared", "stands very late in the run", "system"),
        Feature("log_index", "comes after many steps", "system"),
        Feature("log_from_end", "comes long before the end", "system"),
        *(Feature(f"acting_{i}", f"is acting step {i} of the run", "system") for i in range(EARLY)),
        Feature("end_0", "is the last acting step", "system"),
        Feature("end_1", "is the last acting step but one", "system"),
        Feature("end_2", "is the last acting step but two", "system"),
        Feature("agent_visits", "comes after many steps of the same agent", "system"),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        index = np.arange(n, dtype=np.float32)
        acting = graph.is_acting
        rank = np.where(acting, np.cumsum(acting) - 1, -1)
        back = np.where(acting, np.cumsum(acting[::-1])[::-1] - 1, -1)
        fraction = index / max(n - 1, 1)
        visits = np.zeros(n, np.float32)
        counts: dict[str, int] = {}
        for s in graph.steps:
            visits[s.index] = counts.get(s.agent, 0)
            counts[s.agent] = counts.get(s.agent, 0) + 1
        columns: dict[str, NDArray[Any]] = {
            "fraction": fraction,
            "fraction_squared": fraction**2,
            "log_index": np.log1p(index),
            "log_from_end": np.log1p(n - 1 - index),
            "agent_visits": np.log1p(visits),
        }
        columns |= {f"acting_{i}": rank == i for i in range(EARLY)}
        columns |= {f"end_{i}": back == i for i in range(3)}
        return columns
