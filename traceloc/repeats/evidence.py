"""Signals that need the other runs of a task, and how they join the ranking of one trace.

They stand beside the plugin contract of single traces: what they see is a
:class:`~traceloc.repeats.cohort.Cohort`, made in a first pass over a scan, and they are asked only
where there is one. Their weights are the documented priors of their features. Labels of runs with
passing twins are too few to fit them; a fitted model of single traces stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation, Evidence
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.quoting import shorten
from traceloc.ranking.evidence import MAX_EVIDENCE, MIN_CONTRIBUTION, NEUTRAL, order_evidence
from traceloc.ranking.model import Scores, rank, settle, softmax
from traceloc.ranking.table import FeatureTable
from traceloc.repeats.cohort import Cohort
from traceloc.repeats.divergence import Divergence, find_divergence
from traceloc.repeats.sketch import Item, RunSketch
from traceloc.repeats.spectrum import FORMULAS, Counts, count_actions

Floats = NDArray[np.float64]

_ACTION_CHARS = 70


class CohortSignal(Protocol):
    """A family of measurements over a trace and the other runs of its task."""

    name: str
    features: tuple[Feature, ...]
    """``prior`` is the weight: log-odds that a value of 1 adds."""

    def measure(self, graph: TraceGraph, cohort: Cohort) -> NDArray[np.float32]:
        """One row per step, one finite number per feature: shape ``(n_steps, len(features))``."""
        ...

    def explain(
        self, graph: TraceGraph, cohort: Cohort, step: int, feature: str
    ) -> Evidence | None:
        """The evidence behind a value, or ``None`` where there is nothing to point at."""
        ...


class RepeatsSignal:
    """What failing runs do and passing ones do not, and where the run leaves a passing one.

    Every value is scaled by how alike the runs are: free text of two runs differs everywhere, and
    a difference then says nothing.
    """

    name = "repeats"
    features: tuple[Feature, ...] = (
        Feature(
            "diverges",
            "is where the run leaves a passing run for good",
            sign=1,
            prior=2.0,
            fault=True,
        ),
        Feature(
            "before_divergence", "comes before the run leaves a passing run", sign=-1, prior=-1.0
        ),
        Feature("ochiai", "does what failing runs of this task do", sign=1, prior=1.0, fault=True),
        # The same counts in other formulas: shown by `traceloc repeats`, weighed once.
        Feature("tarantula", "does what failing runs of this task do", sign=1, fault=True),
        Feature("dstar", "does what failing runs of this task do", sign=1, fault=True),
    )

    def measure(self, graph: TraceGraph, cohort: Cohort) -> NDArray[np.float32]:
        """See :class:`CohortSignal`."""
        matrix = np.zeros((len(graph), len(self.features)), np.float32)
        comparison = compare(graph, cohort)
        likeness = comparison.divergence.likeness
        where = blamed_position(cohort.run, comparison.divergence)
        if where is not None:
            matrix[cohort.run.items[where].step, 0] = likeness
            matrix[[item.step for item in cohort.run.items[:where]], 1] = likeness
        seen: set[str] = set()
        for item in cohort.run.items:
            # Doing it again is no new cause: only the first time counts.
            if item.acting and item.action not in seen:
                seen.add(item.action)
                counts = comparison.counts[item.action]
                matrix[item.step, 2:] = [likeness * excess(counts, each) for each in FORMULAS]
        return matrix

    def explain(
        self, graph: TraceGraph, cohort: Cohort, step: int, feature: str
    ) -> Evidence | None:
        """See :class:`CohortSignal`."""
        position = cohort.position_of.get(step)
        if position is None or feature == "before_divergence":
            return None
        comparison = compare(graph, cohort)
        if feature == "diverges":
            claim = _tell_divergence(comparison.divergence, cohort, position)
        else:
            action = cohort.run.items[position].action
            shown = shorten(action, _ACTION_CHARS)
            claim = f"{shown!r} appears in {tell_counts(comparison.counts[action])}"
        return Evidence(signal=f"{self.name}.{feature}", claim=claim, cites=(_quote(graph, step),))


BUILT_IN: tuple[CohortSignal, ...] = (RepeatsSignal(),)


class Comparison:
    """A run against its cohort, made once for all features."""

    def __init__(self, cohort: Cohort) -> None:
        divergence = find_divergence(cohort.run, cohort.passing)
        if divergence is None:
            raise ValueError("a cohort holds at least one passing run")
        self.divergence = divergence
        self.counts: dict[str, Counts] = count_actions(
            dict.fromkeys(item.action for item in cohort.run.items),
            failing=[_actions(run) for run in (cohort.run, *cohort.failing)],
            passing=[_actions(run) for run in cohort.passing],
        )


def compare(graph: TraceGraph, cohort: Cohort) -> Comparison:
    """The comparison of a run with its cohort, made once for its graph."""
    return graph.memo("repeats", lambda _: Comparison(cohort))


def weigh_with_cohort(
    graph: TraceGraph,
    table: FeatureTable,
    scores: Scores,
    cohort: Cohort,
    *,
    signals: Sequence[CohortSignal] = BUILT_IN,
) -> tuple[Scores, Floats]:
    """Add what the cohort says to the scores of the model.

    The weight of "no decisive error here" stays: it is a matter of the trace alone.

    Args:
        graph: The trace.
        table: Its measurements.
        scores: What the model says.
        cohort: Other runs of the task.
        signals: Which signals to ask.

    Returns:
        The scores, and what each feature adds to each candidate against the mean candidate, in
        log-odds: shape ``(n_candidates, n_features)``.
    """
    terms = []
    for signal in signals:
        values = signal.measure(graph, cohort)[table.candidates].astype(np.float64)
        priors = np.array([feature.prior for feature in signal.features])
        terms.append((values - values.mean(axis=0)) * priors)
    added = np.concatenate(terms, axis=1)
    total = settle(scores.scores + added.sum(axis=1))
    probabilities = softmax(total) * (1.0 - scores.p_no_error)
    return Scores(total, probabilities, scores.p_no_error, rank(total)), added


def join_evidence(
    evidence: Sequence[Evidence],
    graph: TraceGraph,
    cohort: Cohort,
    *,
    step: int,
    added: Floats,
    signals: Sequence[CohortSignal] = BUILT_IN,
) -> tuple[Evidence, ...]:
    """The claims for one step with those of the cohort among them, strongest first.

    Args:
        evidence: What the signals of the trace alone say.
        graph: The trace.
        cohort: Other runs of the task.
        step: The candidate's row.
        added: What each feature adds to it, as :func:`weigh_with_cohort` gives it.
        signals: The signals that were asked.
    """
    found = []
    names = [(signal, feature) for signal in signals for feature in signal.features]
    for (signal, feature), contribution in zip(names, added.tolist(), strict=True):
        if contribution < MIN_CONTRIBUTION:
            continue
        one = signal.explain(graph, cohort, step, feature.name)
        if one is not None:
            measured = {"contribution": contribution, "fault": feature.fault}
            found.append(one.model_copy(update=measured))
    if not found:
        return tuple(evidence)
    found.extend(each for each in evidence if each.signal != NEUTRAL)
    return order_evidence(found)[:MAX_EVIDENCE]


def excess(counts: Counts, formula: str) -> float:
    """How much more suspicious an action is than one that every run holds, at most 1.

    Where failures have several causes, what only some of them do scores below what everybody does.
    That is no reason to suspect what everybody does.
    """
    everywhere = Counts(counts.failing, counts.passing, counts.failing, counts.passing)
    top = counts.failing**2 + 1 if formula == "dstar" else 1
    return max(0.0, FORMULAS[formula](counts) - FORMULAS[formula](everywhere)) / top


def tell_counts(counts: Counts) -> str:
    """Counts in words: ``5 of 6 failing and 0 of 9 passing runs``."""
    return (
        f"{counts.ef} of {counts.failing} failing and {counts.ep} of {counts.passing} passing runs"
    )


def _actions(run: RunSketch) -> frozenset[str]:
    return frozenset(item.action for item in run.items)


def blamed_position(run: RunSketch, divergence: Divergence) -> int | None:
    """Who is behind a divergence: the act that brought about what a tool or a person says."""
    position = divergence.position
    if position is None:
        return None
    for i in range(position, -1, -1):
        if run.items[i].acting:
            return i
    return position


def _tell_divergence(divergence: Divergence, cohort: Cohort, position: int) -> str:
    sibling = divergence.sibling.locator
    expected: Item | None = divergence.expected
    if expected is None:
        return f"goes on where passing run {sibling} has ended, and does not come back"
    ours = cohort.run.items[position].action
    place = f"{sibling}#{expected.step}"
    if expected.action == ours:
        return f"leaves passing run {place} in what it says, and does not come back"
    return f"leaves passing run {place}, which does {shorten(expected.action, _ACTION_CHARS)!r}"


def _quote(graph: TraceGraph, step: int) -> Citation:
    text = graph.steps[step].text
    start = len(text) - len(text.lstrip())
    quote = text[start : start + 160]
    if not quote:
        return Citation(step=step)
    return Citation(step=step, start=start, end=start + len(quote), quote=quote)
