"""What the built-in families share: columns into a matrix, and evidence that quotes its step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation, Evidence
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.quoting import quote_step as describe_step
from traceloc.signals.versions import read_version

MAX_QUOTE = 160


class Family:
    """Base of the built-in signals.

    A family names its features and gives a column for each; :meth:`cite` may point at more than the
    step itself.
    """

    name: str
    api_version = 1
    features: tuple[Feature, ...]

    @property
    def version(self) -> str:
        """Changes whenever the code that measures does; see :mod:`traceloc.signals.versions`."""
        return read_version(type(self).__module__)

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """One column of shape ``(n_steps,)`` for each feature, by name."""
        raise NotImplementedError

    def measure(self, graph: TraceGraph) -> NDArray[np.float32]:
        """See :class:`traceloc.contracts.Signal`."""
        matrix = np.zeros((len(graph), len(self.features)), np.float32)
        if len(graph):
            columns = self.columns(graph)
            for position, feature in enumerate(self.features):
                matrix[:, position] = columns[feature.name]
        return matrix

    def explain(self, graph: TraceGraph, step: int, feature: str) -> Evidence | None:
        """See :class:`traceloc.contracts.Signal`."""
        claim = next(f.claim for f in self.features if f.name == feature)
        found = self.cite(graph, step, feature)
        if found is None:
            return None
        detail, cites = found
        return Evidence(
            signal=f"{self.name}.{feature}",
            claim=f"{claim}: {detail}" if detail else claim,
            cites=tuple(cites),
        )

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """What the claim says of this step in particular, and the places it rests on."""
        return "", [quote_step(graph, step)]


def quote_step(graph: TraceGraph, step: int, *, pattern: str | None = None) -> Citation:
    """A citation of a step, around a pattern or its first occurrence of words.

    Args:
        graph: The trace.
        step: Which step.
        pattern: Literal text to quote around, matched without case.
    """
    text = graph.steps[step].text
    start = 0
    if pattern:
        found = re.search(re.escape(pattern), text, re.IGNORECASE)
        if found:
            start = max(0, found.start() - 40)
            if start:
                start = text.find(" ", start, found.start()) + 1 or found.start()
    else:
        start = len(text) - len(text.lstrip())
    end = min(len(text), start + MAX_QUOTE)
    if not text[start:end].strip():
        # Nothing was said; what was called is then what can be quoted.
        return Citation(step=step, quote=describe_step(graph.steps[step])[:MAX_QUOTE])
    return Citation(step=step, start=start, end=end, quote=text[start:end])


def at(column: NDArray[Any], index: NDArray[Any]) -> NDArray[Any]:
    """Values of a column at other steps; 0 where the index is -1 or past the end."""
    n = len(column)
    inside = (index >= 0) & (index < n)
    values = np.zeros(len(index), np.float32)
    values[inside] = column[index[inside]]
    return values


def before(column: NDArray[Any]) -> NDArray[Any]:
    """Sum of a column over all earlier steps."""
    total = np.cumsum(column, dtype=np.float64)
    return np.asarray(total - column, np.float32)


def first(mask: NDArray[Any]) -> NDArray[Any]:
    """The first step under a mask, alone."""
    only = np.zeros_like(mask)
    where = np.flatnonzero(mask)
    if len(where):
        only[where[0]] = True
    return only


def last(mask: NDArray[Any]) -> NDArray[Any]:
    """The last step under a mask, alone."""
    return first(mask[::-1])[::-1]


def share(column: NDArray[Any]) -> NDArray[Any]:
    """A column divided by its sum over the trace; zeros where that is 0."""
    total = float(column.sum())
    return (column / total if total > 0 else np.zeros(len(column))).astype(np.float32)
