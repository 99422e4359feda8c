"""What every signal says about every step, as one matrix, and which steps may be blamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import PluginError
from traceloc.ranking.summaries import summarise_run
from traceloc.trace import Diagnostic, Step

if TYPE_CHECKING:
    from traceloc.contracts import Signal
    from traceloc.graph import TraceGraph

Part = Literal["shared", "system"]

BLOCK = 65_536
"""Rows handled at once, so that a trace of a million steps needs no second matrix."""

_UNCOUNTED = frozenset({"duplicate", "copied_context", "demo"})


@dataclass(frozen=True)
class FeatureSpec:
    """What is known of a column before anything is measured."""

    name: str
    """``family.feature``."""
    part: Part
    sign: int
    """+1 or -1 where theory says the weight cannot have the other sign, else 0."""
    prior: float = 0.0
    """Log-odds that a value of 1 is expected to add before any data."""
    fault: bool = False
    """Whether the claim names something wrong with the step."""

    @property
    def family(self) -> str:
        """Name of the signal it belongs to."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class FeatureTable:
    """Measurements of one trace.

    Candidates stand in step order, so the lower position is the earlier step.
    """

    matrix: NDArray[np.float32]
    """Shape ``(n_steps, n_features)``; always finite."""
    features: tuple[FeatureSpec, ...]
    candidates: NDArray[np.int64]
    """Rows that stand for the items of the source that may be blamed: shape ``(n_candidates,)``."""
    native: NDArray[np.int64]
    """Native index of each candidate."""
    diagnostics: tuple[Diagnostic, ...] = ()
    run: Mapping[str, float] = field(default_factory=dict)
    """Measures of the run as a whole, by name; see :mod:`traceloc.ranking.summaries`."""

    @property
    def names(self) -> tuple[str, ...]:
        """``family.feature`` of each column."""
        return tuple(feature.name for feature in self.features)

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Rows of the candidates in blocks, with the positions they cover."""
        for start in range(0, len(self.candidates), BLOCK):
            rows = self.candidates[start : start + BLOCK]
            yield slice(start, start + len(rows)), self.matrix[rows]

    @cached_property
    def candidate_mean(self) -> NDArray[np.float64]:
        """Mean of each column over the candidates: shape ``(n_features,)``."""
        total = np.zeros(len(self.features))
        for _, rows in self.blocks():
            total += rows.sum(axis=0, dtype=np.float64)
        return np.asarray(total / max(len(self.candidates), 1), dtype=np.float64)

    def candidate_max(self) -> NDArray[np.float64]:
        """Maximum of each column over the candidates, 0 without any: shape ``(n_features,)``."""
        highest = [rows.max(axis=0) for _, rows in self.blocks()]
        if not highest:
            return np.zeros(len(self.features))
        return np.asarray(np.max(highest, axis=0), dtype=np.float64)


def describe(signals: Sequence[Signal]) -> tuple[FeatureSpec, ...]:
    """The columns that these signals give, in their order."""
    return tuple(
        FeatureSpec(
            name=f"{signal.name}.{feature.name}",
            part=feature.part,
            sign=feature.sign,
            prior=feature.prior,
            fault=feature.fault,
        )
        for signal in signals
        for feature in signal.features
    )


def list_versions(signals: Sequence[Signal]) -> dict[str, str]:
    """What each signal says of its version, else that of its contract."""
    return {s.name: str(getattr(s, "version", f"api {s.api_version}")) for s in signals}


def measure(
    graph: TraceGraph,
    signals: Sequence[Signal],
    *,
    features: tuple[FeatureSpec, ...] | None = None,
    strict: bool = False,
) -> FeatureTable:
    """Measure every step of a trace with every signal.

    Args:
        graph: The trace as signals see it.
        signals: Families to measure, in the order of the columns.
        features: What :func:`describe` says of them, where it is known already.
        strict: Raise where a signal fails; otherwise its columns stay 0 and a diagnostic says so.

    Raises:
        PluginError: Under ``strict``, if a signal raises or returns what it did not promise.
    """
    steps = graph.steps
    features = features or describe(signals)
    matrix = np.zeros((len(steps), len(features)), dtype=np.float32)
    diagnostics = []
    start = 0
    for signal in signals:
        stop = start + len(signal.features)
        try:
            matrix[:, start:stop] = _checked(signal, graph, len(steps))
        except PluginError as error:
            if strict:
                raise
            diagnostics.append(Diagnostic(kind="failed", message=str(error)))
        start = stop
    candidates, native = find_candidates(steps)
    run = summarise_run(graph)
    return FeatureTable(matrix, features, candidates, native, tuple(diagnostics), run)


def _checked(signal: Signal, graph: TraceGraph, n_steps: int) -> NDArray[np.float32]:
    """What the signal measured, if it is what the contract promises."""
    try:
        values = np.asarray(signal.measure(graph), dtype=np.float32)
    except Exception as error:  # the plugin boundary: whatever it raises becomes a record
        raise PluginError(
            f"signal {signal.name!r} failed: {type(error).__name__}: {error}", code="TL306"
        ) from error
    wanted = (n_steps, len(signal.features))
    if values.shape != wanted:
        raise PluginError(
            f"signal {signal.name!r} returned shape {values.shape}; expected {wanted}",
            code="TL306",
            hint="one row per step, one column per feature",
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise PluginError(
            f"signal {signal.name!r} gave {values[row, column]} for "
            f"{signal.features[column].name!r} at step {row}; expected finite numbers",
            code="TL306",
        )
    return values


def find_candidates(steps: Sequence[Step]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The items of the source that may be blamed, each with the step that stands for it.

    An item is represented by its first step that an agent took, or by its first step where it only
    came back from the environment. System notes and copies of other steps are never blamed.

    Returns:
        Rows of the representatives in step order, and their native indices.
    """
    n = len(steps)
    native = np.fromiter((step.native_index for step in steps), np.int64, n)
    standing = np.fromiter((_standing(step) for step in steps), np.int8, n)
    counted = np.fromiter((_counts(step) for step in steps), np.bool_, n)
    rows = np.flatnonzero(counted)
    order = rows[np.lexsort((rows, standing[rows], native[rows]))]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = native[order[1:]] != native[order[:-1]]
    candidates = np.sort(order[first])
    return candidates, native[candidates]


def _standing(step: Step) -> int:
    """Who stands for an item of several steps: what an agent did, before what it was given."""
    if step.is_environment:
        return 2
    return 1 if step.role in ("user", "system") else 0


def _counts(step: Step) -> bool:
    return step.kind != "system" and not (step.flags and _UNCOUNTED.intersection(step.flags))
