"""Influence: how much of what happens later rests on a step, along the ``uses`` edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.signals.family import Family, quote_step, share

TAKERS = 5
"""Steps beyond which it does not matter how many take up a word."""
FEW_WORDS = 5
"""New words below which a step's mean would say little."""
DAMPING = 0.7
"""How much of a step's own influence goes back to the steps it rests on."""


class InfluenceSignal(Family):
    """Who rests on whom."""

    name = "influence"
    features = (
        Feature("used_later", "brings in values that later steps use", sign=1),
        Feature("users", "is used by many later steps", sign=1),
        Feature("reach", "is what much of the rest of the run rests on", sign=1),
        Feature("reach_share", "carries a large share of the run's reliance", sign=1),
        Feature("rests_on_environment", "rests on what tools returned", sign=1),
        Feature("rests_on_agents", "rests on what other agents said, not on any tool", sign=1),
        Feature("isolated", "neither uses nor is used"),
        Feature("adopted", "brings in words that later steps take up", sign=1, prior=0.2),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting = graph.is_acting
        source, target, weight = graph.edges("uses")
        used = np.bincount(source, weights=weight, minlength=n)
        users = np.bincount(source, minlength=n)
        incoming = np.bincount(target, weights=weight, minlength=n)
        from_tools = graph.is_environment[source]
        tools = np.bincount(target[from_tools], weights=weight[from_tools], minlength=n)
        agents = acting[source]
        said = np.bincount(target[agents], weights=weight[agents], minlength=n)
        reach = _reach(source, target, weight / np.maximum(incoming[target], 1), n)
        return {
            "used_later": np.log1p(used) * acting,
            "users": np.log1p(users) * acting,
            "reach": np.log1p(reach) * acting,
            "reach_share": share(reach * acting),
            "rests_on_environment": (tools / np.maximum(incoming, 1)) * acting,
            "rests_on_agents": (said / np.maximum(incoming, 1)) * acting,
            "isolated": acting & (used == 0) & (incoming == 0),
            "adopted": _adopted(graph),
        }

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        edges = graph.edges("uses")
        cites = [quote_step(graph, step)]
        if feature.startswith("rests"):
            others = edges.source[edges.target == step]
            return "", cites + [quote_step(graph, int(j)) for j in others[-2:]]
        others = edges.target[edges.source == step]
        if not len(others):
            return "", cites
        values = graph.shared_values(step, int(others[-1]), limit=3)
        return ", ".join(values), cites + [quote_step(graph, int(j)) for j in others[-2:]]


def _adopted(graph: TraceGraph) -> NDArray[Any]:
    """Mean number of later steps, at most :data:`TAKERS`, that say a word the step brings in."""
    index, n = graph.lexical, len(graph)
    new = index.first_step[index.tokens] == index.step_of
    takers = np.minimum(index.frequency[index.tokens[new]] - 1, TAKERS)
    taken = np.bincount(index.step_of[new], weights=takers, minlength=n)
    return np.asarray(taken / np.maximum(index.count(new), FEW_WORDS) * graph.is_acting)


def _reach(source: NDArray[Any], target: NDArray[Any], part: NDArray[Any], n: int) -> NDArray[Any]:
    """Damped reliance on each step: every user counts one, and passes on what rests on itself.

    Edges lead forward, so one pass from the last target to the first sees each step complete.
    """
    reach = [0.0] * n
    order = np.argsort(-target, kind="stable")
    edges = zip(source[order].tolist(), target[order].tolist(), part[order].tolist(), strict=True)
    for s, t, p in edges:
        reach[s] += p * (1.0 + DAMPING * reach[t])
    return np.asarray(reach)
