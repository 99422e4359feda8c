"""The whole way of a trace to its answer: graph, measurements, scores, candidates, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import AgentShare, Attribution, Candidate, Evidence, Window
from traceloc.categories import find_category
from traceloc.contracts import Signal
from traceloc.errors import StoreError
from traceloc.graph import TraceGraph
from traceloc.labels.adapting import Adapter
from traceloc.quoting import quote_step
from traceloc.ranking.abstention import REASONS
from traceloc.ranking.evidence import gather_evidence
from traceloc.ranking.model import RankingModel, Scores, load_model
from traceloc.ranking.symptom import find_symptom
from traceloc.ranking.table import FeatureTable, describe, measure
from traceloc.registry import Registry
from traceloc.repeats import Cohort, join_evidence, weigh_with_cohort
from traceloc.trace import Diagnostic, Trace

if TYPE_CHECKING:
    from traceloc.labels.store import LabelStore
    from traceloc.memory import FailureMemory
    from traceloc.memory.recall import Recollection
    from traceloc.memory.sketch import TraceSketch

TOP_K = 5


class Localizer:
    """Finds the decisive error step of traces. Holds no state between them; threads may share it.

    Args:
        model: Ranking model, or the file of one; the shipped model if left out.
        signals: Signals to measure; all installed ones if left out.
        registry: Plugins to use where ``signals`` is left out.
        top_k: How many candidates to give.
        coverage: Give a window of steps that holds the error with this probability, above 0 and
            below 1, where the model can promise it.
        strict: Raise on a trace that cannot be measured and on a signal that fails. Otherwise the
            answer says what went wrong.
        labels: Store of answers to learn from: the model is adapted to each system that has labels
            there. They are those at this moment; a new localizer sees newer ones.
        memory: Failures to recognise. What they look like is said as evidence; they change the
            ranking only of a system where that has proved to help.

    Raises:
        ModelError: If the model cannot be read or was fitted on other signals.
        StoreError: If there is a store of labels that cannot be read.
        PluginError: Under ``strict`` settings of the registry, if a signal is broken.
    """

    def __init__(
        self,
        model: RankingModel | str | Path | None = None,
        *,
        signals: Sequence[Signal] | None = None,
        registry: Registry | None = None,
        top_k: int = TOP_K,
        coverage: float | None = None,
        strict: bool = False,
        labels: LabelStore | None = None,
        memory: FailureMemory | None = None,
    ) -> None:
        broken: dict[str, str] = {}
        if signals is None:
            registry = registry or Registry()
            signals = registry.all("signals")
            broken = registry.broken("signals")
        self.model = model if isinstance(model, RankingModel) else load_model(model)
        self._features = describe(signals)
        self.model.check(self._features)
        self.signals = tuple(signals)
        self._adapter = Adapter(self.model, self.signals, labels)
        self.memory = memory
        self._families = {signal.name: signal for signal in self.signals}
        self.top_k = top_k
        self.coverage = coverage
        self.strict = strict
        self._broken = tuple(
            Diagnostic(kind="skipped", message=f"signal {name!r}: {error}")
            for name, error in broken.items()
        )

    def localize(self, trace: Trace, *, cohort: Cohort | None = None) -> Attribution:
        """Rank the steps of a trace by how likely each is the decisive error.

        Never raises unless ``strict``: a trace that cannot be measured gets the status
        ``unmeasured`` and the reason.

        Args:
            trace: The run.
            cohort: Other runs of its task, to compare it with; a scan finds them.
        """
        try:
            return self._localize(trace, cohort)
        except Exception as error:  # a broken trace must not end a scan: it becomes a record
            if self.strict:
                raise
            return self._unmeasured(trace, f"{type(error).__name__}: {error}")

    def _localize(self, trace: Trace, cohort: Cohort | None) -> Attribution:
        if not trace.steps:
            return self._unmeasured(trace, "the trace has no steps")
        if not any(step.text or step.tool_calls or step.reasoning for step in trace.steps):
            return self._unmeasured(trace, "the trace holds structure only: no step has content")
        graph = TraceGraph(trace)
        table = measure(graph, self.signals, features=self._features, strict=self.strict)
        if not graph.is_acting[table.candidates].any():
            return self._unmeasured(trace, "the trace has no step that an agent took")
        system = trace.system
        adapted = self._adapter.of(trace)
        model = adapted.model
        alone = model.score(table, system=system)
        recalled, lost = self._recall(trace, graph, table, alone)
        scores, added = alone, None
        if recalled is not None:
            from traceloc.memory.recall import weigh_with_memory

            scores = weigh_with_memory(scores, recalled)
        if cohort is not None:
            scores, added = weigh_with_cohort(graph, table, scores, cohort)
        candidates = self._candidates(graph, table, scores, model)
        if cohort is not None and added is not None:
            candidates = _with_cohort(candidates, graph, cohort, scores, added)
        seen: tuple[Evidence, ...] = ()
        if recalled is not None:
            from traceloc.memory.recall import list_recalled

            candidates = _with_recall(candidates, graph, recalled, scores)
            seen = list_recalled(graph, recalled, table.candidates)
        top = candidates[0].step
        silence = model.silence(table, scores, system=system)
        abstained = silence is not None
        return Attribution(
            trace_id=trace.id,
            locator=trace.locator(None if abstained else top),
            system=trace.system,
            format=trace.format,
            status="abstained" if abstained else "located",
            silence=silence,
            reason=REASONS[silence] if silence is not None else None,
            candidates=candidates,
            agents=_agents(graph, table, scores),
            symptom=None if abstained else find_symptom(graph, table, origin=top),
            category=None if abstained else find_category(graph, table, self._families, step=top),
            # What the runs beside it add was not there when the model was calibrated.
            window=None if abstained else self._window(table, alone, system, model),
            recalled=seen,
            answer=adapted.answer_for(trace),
            learned_from=adapted.learned_from,
            n_steps=len(graph),
            n_candidates=len(table.candidates),
            p_no_error=scores.p_no_error,
            calibrated=scores is alone and system in model.calibrated_systems,
            model=model.name,
            diagnostics=(*self._broken, *table.diagnostics, *adapted.diagnostics, *lost),
        )

    def _candidates(
        self, graph: TraceGraph, table: FeatureTable, scores: Scores, model: RankingModel
    ) -> tuple[Candidate, ...]:
        """The first ``top_k`` candidates, at least one, with their evidence."""
        positions = [int(i) for i in scores.order[: max(self.top_k, 1)]]
        contributions = model.contributions(table, positions)
        candidates = []
        for place, position in enumerate(positions):
            step = int(table.candidates[position])
            candidates.append(
                Candidate(
                    rank=place + 1,
                    step=step,
                    native_index=int(table.native[position]),
                    agent=graph.steps[step].agent,
                    kind=graph.steps[step].kind,
                    quote=quote_step(graph.steps[step]),
                    score=float(scores.scores[position]),
                    probability=float(scores.probabilities[position]),
                    evidence=gather_evidence(
                        graph,
                        table,
                        self._families,
                        step=step,
                        contributions=contributions[place],
                        strict=self.strict,
                    ),
                )
            )
        return tuple(candidates)

    def sketch(
        self, trace: Trace, *, group: str | None = None, system: str | None = None
    ) -> TraceSketch:
        """What a failure memory learns from: masked steps, with what the model says of them now.

        Args:
            trace: The run.
            group: Its question; from the task if left out.
            system: Where it comes from; as the labels call it if left out.
        """
        from traceloc.memory.sketch import sketch_trace

        graph = TraceGraph(trace)
        table = measure(graph, self.signals, features=self._features, strict=self.strict)
        model = self._adapter.of(trace).model
        scores = model.score(table, system=trace.system).scores
        return sketch_trace(trace, graph, table, scores=scores, group=group, system=system)

    def _recall(
        self, trace: Trace, graph: TraceGraph, table: FeatureTable, alone: Scores
    ) -> tuple[Recollection | None, tuple[Diagnostic, ...]]:
        """What the memory says, if there is one with anything in it, or why it cannot."""
        if self.memory is None:
            return None, ()
        from traceloc.memory.sketch import sketch_trace

        try:
            if self.memory.empty:
                return None, ()
            limit = self.memory.settings.max_recalled
            sketch = sketch_trace(trace, graph, table, scores=alone.scores, limit=limit)
            return self.memory.recall(sketch, n_candidates=len(table.candidates)), ()
        except StoreError as error:
            # The ranking stands without it; a server may be away for a while.
            if self.strict:
                raise
            return None, (Diagnostic(kind="skipped", message=f"failure memory: {error}"),)

    def _window(
        self, table: FeatureTable, scores: Scores, system: str | None, model: RankingModel
    ) -> Window | None:
        if self.coverage is None:
            return None
        found = model.window(scores, system=system, coverage=self.coverage)
        if found is None:
            return None
        first, last, known = found
        return Window(
            first=int(table.candidates[first]),
            last=int(table.candidates[last]),
            coverage=self.coverage,
            n=known.n,
            pooled=known.system is None,
        )

    def _unmeasured(self, trace: Trace, reason: str) -> Attribution:
        return Attribution(
            trace_id=trace.id,
            locator=trace.locator(),
            system=trace.system,
            format=trace.format,
            status="unmeasured",
            reason=reason,
            n_steps=len(trace.steps),
            model=self.model.name,
            diagnostics=self._broken,
        )


def localize(
    trace: Trace,
    *,
    model: RankingModel | str | Path | None = None,
    top_k: int = TOP_K,
    strict: bool = False,
) -> Attribution:
    """Rank the steps of one trace with the installed signals; see :class:`Localizer`."""
    if model is None:
        return _shipped(top_k, strict).localize(trace)
    # A file may hold another model by the next call; who has many traces keeps a Localizer.
    return Localizer(model, top_k=top_k, strict=strict).localize(trace)


@lru_cache(maxsize=8)
def _shipped(top_k: int, strict: bool) -> Localizer:
    return Localizer(top_k=top_k, strict=strict)


def _with_recall(
    candidates: tuple[Candidate, ...],
    graph: TraceGraph,
    recalled: Recollection,
    scores: Scores,
) -> tuple[Candidate, ...]:
    """The candidates with what they look like among their evidence."""
    from traceloc.memory.recall import join_recall

    return tuple(
        candidate.model_copy(
            update={
                "evidence": join_recall(
                    candidate.evidence,
                    graph,
                    recalled,
                    position=int(position),
                    step=candidate.step,
                )
            }
        )
        for candidate, position in zip(candidates, scores.order, strict=False)
    )


def _with_cohort(
    candidates: tuple[Candidate, ...],
    graph: TraceGraph,
    cohort: Cohort,
    scores: Scores,
    added: NDArray[np.float64],
) -> tuple[Candidate, ...]:
    """The candidates with what the other runs of the task say among their evidence."""
    return tuple(
        candidate.model_copy(
            update={
                "evidence": join_evidence(
                    candidate.evidence, graph, cohort, step=candidate.step, added=added[position]
                )
            }
        )
        for candidate, position in zip(candidates, scores.order, strict=False)
    )


def _agents(graph: TraceGraph, table: FeatureTable, scores: Scores) -> tuple[AgentShare, ...]:
    """Agents by the sum over their candidates; of equals the one that acts first."""
    owner = graph.agent_of[table.candidates]
    total = np.bincount(owner, weights=scores.probabilities, minlength=len(graph.agent_names))
    blamed = np.unique(owner)
    suspects = blamed[np.argsort(-np.round(total[blamed], 12), kind="stable")].tolist()
    return tuple(
        AgentShare(agent=graph.agent_names[i], probability=float(total[i])) for i in suspects
    )
