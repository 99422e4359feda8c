"""What the memory sees of a trace: its candidates as masked text, with what shows beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traceloc.graph import TraceGraph
from traceloc.labels.recording import hash_content, name_group, name_system
from traceloc.memory.masking import mask_step, names_of
from traceloc.memory.schema import Context, Phase, Signature
from traceloc.ranking.table import FeatureTable
from traceloc.trace import Role, Step, StepKind, Trace

MAX_SIGNALS = 6
FIRED_ABOVE = 1.0
"""Standard deviations above the mean step of the trace at which a signal counts as fired."""
_EDGE = 0.2
_BEFORE = 2


@dataclass(frozen=True)
class StepSketch:
    """One candidate."""

    step: int
    native: int
    text: str
    role: Role
    kind: StepKind
    tool: str | None
    phase: Phase
    score: float | None
    """What the ranker alone gave it; ``None`` where it was not asked."""

    @property
    def environment(self) -> bool:
        """Whether it came back from a tool."""
        return self.kind == "result" or self.role == "tool"


@dataclass(frozen=True)
class TraceSketch:
    """A trace without its text."""

    trace: str
    """Hash of the content."""
    group: str
    system: str
    locator: str
    """Without a step."""
    steps: tuple[StepSketch, ...]
    """In step order; all candidates, or the most suspicious ones of a very long trace."""
    positions: NDArray[np.int64]
    """Of each among the candidates of the trace."""
    fired: tuple[tuple[str, ...], ...]
    """Signals that fired in each, strongest first; empty where nothing was measured."""

    def find(self, native: int) -> int | None:
        """Position in ``steps`` of the candidate with this native index."""
        for i, step in enumerate(self.steps):
            if step.native == native:
                return i
        return None

    def signature(self, i: int) -> Signature:
        """What the step must look like to be seen again."""
        one = self.steps[i]
        return Signature(
            text=one.text,
            role=one.role,
            kind=one.kind,
            tool=one.tool,
            phase=one.phase,
            signals=self.fired[i] if self.fired else (),
        )

    def context(self, i: int) -> Context:
        """What stands around the step."""
        before = tuple(each.text for each in self.steps[max(0, i - _BEFORE) : i])
        after = self.steps[i + 1].text if i + 1 < len(self.steps) else ""
        return Context(before=before, after=after)

    def locate(self, i: int) -> str:
        """Locator of the step."""
        return f"{self.locator}#{self.steps[i].step}"


def sketch_trace(
    trace: Trace,
    graph: TraceGraph,
    table: FeatureTable,
    *,
    scores: Sequence[float] | NDArray[np.float64] | None = None,
    limit: int | None = None,
    group: str | None = None,
    system: str | None = None,
) -> TraceSketch:
    """Sketch a measured trace.

    Args:
        trace: The run.
        graph: Its graph.
        table: Its measurements.
        scores: What the ranker alone gives each candidate.
        limit: Candidates to keep; of more, those with the highest scores.
        group: Its question; from the task if left out.
        system: Where it comes from; as the labels call it if left out.
    """
    names = names_of(graph)
    positions = np.arange(len(table.candidates))
    if limit is not None and len(positions) > limit:
        order = positions if scores is None else np.argsort(-np.asarray(scores), kind="stable")
        positions = np.sort(order[:limit])
    phases = _Phases(graph)
    steps = []
    for position in positions.tolist():
        row = int(table.candidates[position])
        step = graph.steps[row]
        steps.append(
            StepSketch(
                step=row,
                native=int(table.native[position]),
                text=mask_step(step, names),
                role=step.role,
                kind=step.kind,
                tool=_tool(step),
                phase=phases.of(row),
                score=None if scores is None else float(scores[position]),
            )
        )
    return TraceSketch(
        trace=hash_content(trace),
        group=group or name_group(trace),
        system=system or name_system(trace),
        locator=trace.locator(),
        steps=tuple(steps),
        positions=positions,
        fired=_fired(table, positions),
    )


def _tool(step: Step) -> str | None:
    if step.tool_calls:
        return step.tool_calls[0].name
    return step.tool_result.name if step.tool_result is not None else None


class _Phases:
    """Phase of a row, by acting steps."""

    def __init__(self, graph: TraceGraph) -> None:
        self.rank = np.cumsum(graph.is_acting) - 1
        self.total = int(graph.is_acting.sum())

    def of(self, row: int) -> Phase:
        if self.total <= 1:
            return "only"
        share = max(int(self.rank[row]), 0) / (self.total - 1)
        return "opening" if share < _EDGE else "closing" if share > 1 - _EDGE else "middle"


def _fired(table: FeatureTable, positions: NDArray[np.int64]) -> tuple[tuple[str, ...], ...]:
    """The signals that stand out in each candidate, strongest first."""
    if not len(table.features) or not len(positions):
        return ()
    rows = table.matrix[table.candidates].astype(np.float64)
    spread = rows.std(axis=0)
    alive = np.flatnonzero(spread > 0)
    chosen = rows[positions][:, alive]
    above = (chosen - rows[:, alive].mean(axis=0)) / spread[alive]
    above[chosen <= 0] = 0.0
    names = [table.features[int(column)].name for column in alive]
    found = []
    for row in above:
        order = np.argsort(-row, kind="stable")[:MAX_SIGNALS]
        found.append(tuple(names[int(j)] for j in order if row[j] >= FIRED_ABOVE))
    return tuple(found)
