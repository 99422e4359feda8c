"""Reasoning: inferences drawn, grounds given, and appeals to what is usual.

A step that concludes, rests on a stated ground or goes by what is usual decides something; one that
reads, reports or passes on does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.signals.family import Family, quote_step
from traceloc.signals.phrases import found_phrase, themes


class ReasoningSignal(Family):
    """How a step argues."""

    name = "reasoning"
    features = (
        Feature("infers", "draws an inference", sign=1, prior=0.3),
        Feature("grounds", "says what it goes by", sign=1, prior=0.2),
        Feature("expects", "goes by what is usual or ought to be", sign=1, prior=0.2),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        theme = themes(graph)
        return {feature.name: np.log1p(theme[feature.name]) for feature in self.features}

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        phrase = found_phrase(graph, step, feature)
        if phrase is None:
            return None
        return f"{phrase.strip()!r}", [quote_step(graph, step, pattern=phrase)]
