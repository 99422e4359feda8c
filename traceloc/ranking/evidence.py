"""Why a candidate stands where it stands: the signals that speak for it, and what they cite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation, Evidence
from traceloc.errors import PluginError
from traceloc.ranking.table import FeatureTable

if TYPE_CHECKING:
    from traceloc.contracts import Signal
    from traceloc.graph import TraceGraph

MAX_EVIDENCE = 4
"""Claims shown for one candidate."""
MIN_CONTRIBUTION = 0.02
"""Log-odds below which a claim is not worth a line."""
FAULT_COUNTS = 4.0
"""How many times its weight a claim that names a fault counts where claims are put in order: as
much as lets a call that failed (0.2 in log-odds) be told before the first write (0.8)."""
NEUTRAL = "trace.step"
"""Name on the claim that only says what kind of step it is, where no signal speaks for it."""

_QUOTE_CHARS = 160


def gather_evidence(
    graph: TraceGraph,
    table: FeatureTable,
    signals: Mapping[str, Signal],
    *,
    step: int,
    contributions: NDArray[np.float64],
    strict: bool = False,
) -> tuple[Evidence, ...]:
    """The claims that speak for one step, strongest first; never empty.

    What names a fault counts more in that order, as in :func:`order_evidence`.

    A claim says what a high value means, so only features above the mean candidate of the trace are
    asked. What counts for a step because something is absent cannot be pointed at.

    Args:
        graph: The trace.
        table: Its measurements.
        signals: Families by name.
        step: The candidate's row.
        contributions: What each feature adds to it, shape ``(n_features,)``.
        strict: Raise where a signal fails to explain itself; otherwise it is passed over.

    Raises:
        PluginError: Under ``strict``.
    """
    found: list[Evidence] = []
    told: set[tuple[str, tuple[Citation, ...]]] = set()
    values = table.matrix[step]
    mean = table.candidate_mean
    faults = np.array([feature.fault for feature in table.features], dtype=bool)
    weights = contributions * np.where(faults, FAULT_COUNTS, 1.0)
    for column in np.argsort(-weights, kind="stable"):
        if weights[column] < MIN_CONTRIBUTION or len(found) == MAX_EVIDENCE:
            break
        feature = table.features[column]
        if contributions[column] < MIN_CONTRIBUTION or values[column] <= mean[column]:
            continue
        try:
            evidence = _explain(signals[feature.family], graph, step, feature.name)
        except PluginError:
            if strict:
                raise
            continue
        # Features of one family often see the same thing; the strongest of them tells it.
        if evidence is None or (feature.family, evidence.cites) in told:
            continue
        told.add((feature.family, evidence.cites))
        measured = {
            "signal": feature.name,
            "value": float(values[column]),
            "contribution": float(contributions[column]),
            "fault": feature.fault,
        }
        found.append(evidence.model_copy(update=measured))
    return tuple(found) or (_neutral(graph, step),)


def order_evidence(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Strongest first, where what names a fault counts more.

    The model weighs all claims alike: that a step is the first to write may say much about where
    runs break. A reader who is told so first has learned of no fault, though. No score changes.
    """

    def strength(each: Evidence) -> float:
        return each.contribution * (FAULT_COUNTS if each.fault else 1.0)

    return tuple(sorted(evidence, key=strength, reverse=True))


def _explain(signal: Signal, graph: TraceGraph, step: int, name: str) -> Evidence | None:
    """What a signal points at, or ``None`` where that is nothing or nowhere in the trace."""
    try:
        evidence = signal.explain(graph, step, name.partition(".")[2])
        inside = evidence and all(0 <= cite.step < len(graph.steps) for cite in evidence.cites)
    except Exception as error:  # the plugin boundary: whatever it raises becomes a record
        raise PluginError(
            f"signal {signal.name!r} cannot explain {name!r} at step {step}: "
            f"{type(error).__name__}: {error}",
            code="TL307",
        ) from error
    return evidence if evidence is not None and evidence.cites and inside else None


def _neutral(graph: TraceGraph, step: int) -> Evidence:
    """What can be said of any step."""
    one = graph.steps[step]
    words = " ".join(one.text[: 4 * _QUOTE_CHARS].split())[:_QUOTE_CHARS]
    return Evidence(
        signal=NEUTRAL,
        claim=f"{one.kind} by {one.agent}; no single signal speaks for it",
        cites=(Citation(step=step, quote=words),),
    )
