"""Reception: what those who act next make of a step.

A decisive error is mostly let through: the next agent vouches for it, reports it as done or reasons
on from it. Nobody vouches for a step that only reads or plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.signals.family import Family, at, quote_step
from traceloc.signals.phrases import found_phrase, themes

_THEMES = {"vouched_for": ("verify", "agree"), "reported_done": ("done",), "built_on": ("infers",)}
"""Themes of :mod:`traceloc.signals.phrases` that tell each reception."""


class ReceptionSignal(Family):
    """How a step is received."""

    name = "reception"
    features = (
        Feature("vouched_for", "is vouched for by who acts next", sign=1, prior=0.25),
        Feature("reported_done", "is reported as done by who acts next", sign=1, prior=0.2),
        Feature("built_on", "is what the next inference is drawn from", sign=1, prior=0.15),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        acting, theme = graph.is_acting, themes(graph)
        said = {
            feature: np.sum([np.log1p(theme[name]) for name in names], axis=0)
            for feature, names in _THEMES.items()
        }
        following = graph.following(acting)
        after = np.append(following, len(graph))[np.minimum(following, len(graph))]
        columns = {feature: at(column, following) * acting for feature, column in said.items()}
        columns["vouched_for"] += 0.5 * at(said["vouched_for"], after) * acting
        return columns

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        following = graph.following(graph.is_acting)
        later = int(following[step])
        for _ in range(2 if feature == "vouched_for" else 1):
            if later >= len(graph):
                break
            for theme in _THEMES[feature]:
                if phrase := found_phrase(graph, later, theme):
                    quoted = quote_step(graph, later, pattern=phrase)
                    return f"{phrase.strip()!r} in #{later}", [quote_step(graph, step), quoted]
            later = int(following[later])
        return "", [quote_step(graph, step)]
