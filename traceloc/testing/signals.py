"""Checks of signals: pure, finite, blind to truth and names, and able to point at what they saw.

The kit has traces of its own; samples are further :class:`~traceloc.trace.Trace` objects, best some
in which the signal fires.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Evidence
from traceloc.graph import TraceGraph
from traceloc.graph.trace_graph import EDGE_KINDS
from traceloc.testing import traces
from traceloc.testing.bounds import within
from traceloc.testing.violation import CheckSkipped, ContractViolation
from traceloc.trace import Trace

NEEDS_SAMPLES = False
MAX_QUOTE = 160
MAX_EXPLAINED = 400
"""Values of one trace whose evidence is looked at."""
_NAMES = ("Orchestrator", "WebSurfer", "Computer_terminal", "Assistant", "human", "expert")


def prepare(samples: Sequence[Trace]) -> tuple[Trace, ...]:
    """The author's traces, then the kit's."""
    return (*samples, traces.rich_trace(), *traces.odd_traces())


def exercise(plugin: Any, samples: Sequence[Trace]) -> list[str]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    told = []
    for trace in samples:
        matrix = plugin.measure(TraceGraph(trace))
        found = [one.model_dump_json() for *_, one in _evidence(plugin, trace, limit=60) if one]
        told.append(f"{matrix.tolist()} {found}")
    return told


def pack(samples: Sequence[Trace]) -> Any:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return [trace.model_dump_json() for trace in samples]


def unpack(packed: Any) -> tuple[Trace, ...]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return tuple(Trace.model_validate_json(each) for each in packed)


def check_features_say_what_they_are(plugin: Any, samples: Sequence[Trace]) -> None:
    """Features have names of their own, a claim that is a clause, and a prior their sign allows."""
    names = [feature.name for feature in plugin.features]
    if not names or len(set(names)) < len(names):
        raise ContractViolation(
            f"features are called {names}", mend="give one or more, each with a name of its own"
        )
    for feature in plugin.features:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", feature.name):
            raise ContractViolation(
                f"a feature is called {feature.name!r}",
                mend="use lower-case words_with_underscores",
            )
        if not feature.claim or feature.claim[0].isupper() or feature.claim[-1] == ".":
            raise ContractViolation(
                f"{feature.name} claims {feature.claim!r}",
                mend="write a clause that goes on after 'this step', such as 'is written in "
                "capitals'",
            )
        if feature.sign * feature.prior < 0 or not np.isfinite(feature.prior):
            raise ContractViolation(
                f"{feature.name} has sign {feature.sign} and prior {feature.prior}",
                mend="let the prior be 0 or point the way the sign says",
            )


def check_values_are_finite(plugin: Any, samples: Sequence[Trace]) -> None:
    """Every trace gives a float32 matrix of steps by features, all finite, without warnings."""
    for trace in prepare(samples):
        what = _describe(trace)
        with within(what), np.errstate(all="raise", under="ignore"):
            matrix = plugin.measure(TraceGraph(trace))
        shape = (len(trace.steps), len(plugin.features))
        if not isinstance(matrix, np.ndarray) or matrix.shape != shape:
            raise ContractViolation(
                f"measure gives {what} {type(matrix).__name__} of shape "
                f"{getattr(matrix, 'shape', None)}, expected {shape}",
                mend="start from np.zeros((len(graph), len(self.features)), np.float32)",
            )
        if matrix.dtype != np.float32:
            raise ContractViolation(
                f"measure gives {what} values of type {matrix.dtype}",
                mend="end with .astype(np.float32)",
            )
        if not np.isfinite(matrix).all():
            step, column = np.argwhere(~np.isfinite(matrix))[0].tolist()
            name, value = plugin.features[column].name, matrix[step, column]
            raise ContractViolation(
                f"{name} is {value} at step {step} of {what}",
                mend="guard divisions and logarithms: x / max(n, 1), np.log1p(x)",
            )


def check_something_fires(plugin: Any, samples: Sequence[Trace]) -> None:
    """At least one feature is not zero somewhere: else the other checks look at nothing."""
    for trace in prepare(samples):
        if plugin.measure(TraceGraph(trace)).any():
            return
    raise ContractViolation(
        "all features are zero on every trace",
        mend="add a trace in which the signal fires: samples=[trace]",
    )


def check_measuring_changes_nothing(plugin: Any, samples: Sequence[Trace]) -> None:
    """Trace and graph stay as they were, and every matrix is the caller's own."""
    for trace in prepare(samples):
        before, graph = trace.model_dump_json(), TraceGraph(trace)
        edges = [graph.edges(kind) for kind in EDGE_KINDS]
        kept = [array.copy() for each in edges for array in each]
        first = plugin.measure(graph)
        copy = first.copy()
        second = plugin.measure(graph)
        second[:] = 7
        if not np.array_equal(first, copy) or not np.array_equal(plugin.measure(graph), copy):
            raise ContractViolation(
                f"writing into one matrix of {_describe(trace)} changes another",
                mend="return a copy of what is remembered",
            )
        for *_, one in _evidence(plugin, trace, limit=20):
            del one
        same = all(
            np.array_equal(old, new)
            for old, new in zip(kept, (a for e in edges for a in e), strict=True)
        )
        if trace.model_dump_json() != before or not same:
            raise ContractViolation(
                f"measuring {_describe(trace)} changes it",
                mend="copy arrays and dicts of the graph before changing them",
            )


def check_order_of_use_does_not_matter(plugin: Any, samples: Sequence[Trace]) -> None:
    """A graph others have used already, or a trace after other traces, measures the same."""
    ready = prepare(samples)
    fresh = [plugin.measure(TraceGraph(trace)) for trace in ready]
    for trace, matrix in zip(ready[::-1], fresh[::-1], strict=True):
        used = TraceGraph(trace)
        for kind in EDGE_KINDS:
            used.edges(kind)
        _ = (used.lexical, used.turn_of, used.outcome_of)
        for *_, one in _evidence(plugin, trace, limit=10):
            del one
        _require_same(plugin, plugin.measure(used), matrix, f"{_describe(trace)} after others")


def check_truth_is_out_of_reach(plugin: Any, samples: Sequence[Trace]) -> None:
    """Labels, outcome, file and system change nothing."""
    for trace in prepare(samples):
        matrix, told = plugin.measure(TraceGraph(trace)), traces.with_truth(trace)
        _require_same(plugin, plugin.measure(TraceGraph(told)), matrix, "a trace with truth in it")
        told = traces.with_other_papers(trace)
        _require_same(
            plugin,
            plugin.measure(TraceGraph(told)),
            matrix,
            "a trace with another id, format, session, line numbers or span ids",
        )


def check_order_of_agents_does_not_matter(plugin: Any, samples: Sequence[Trace]) -> None:
    """The order in which agents are listed changes nothing."""
    for trace in prepare(samples):
        turned = trace.model_copy(update={"agents": trace.agents[::-1]})
        _require_same(
            plugin,
            plugin.measure(TraceGraph(turned)),
            plugin.measure(TraceGraph(trace)),
            "a trace whose agents are listed backwards",
        )


def check_names_do_not_matter(plugin: Any, samples: Sequence[Trace]) -> None:
    """Agents under other names get the same shared features: a name is no sign of guilt."""
    if not any(feature.part == "shared" for feature in plugin.features):
        raise CheckSkipped("no feature is shared across systems")
    for trace in prepare(samples):
        if len(trace.steps) > 100:
            continue
        old = [agent.name for agent in trace.agents]
        matrix = plugin.measure(TraceGraph(trace))
        for new in (
            dict(zip(old, (*_NAMES, *map(str, range(len(old)))), strict=False)),
            dict(zip(old, old[::-1], strict=True)),
            {each: f"\u202e{each[::-1]} 4711" for each in old},
        ):
            renamed = plugin.measure(TraceGraph(traces.rename_agents(trace, new)))
            _require_same(
                plugin, renamed, matrix, f"a trace whose agents are called {list(new.values())}",
                part="shared",
            )  # fmt: skip


def check_evidence_points_into_the_trace(plugin: Any, samples: Sequence[Trace]) -> None:
    """What fires can be explained, and every quote stands where the evidence says."""
    for trace in prepare(samples):
        for step, feature, one in _evidence(plugin, trace):
            what = f"evidence for {feature} at step {step} of {_describe(trace)}"
            if one is None:
                continue
            if not isinstance(one, Evidence):
                raise ContractViolation(f"{what} is {one!r}", mend="return Evidence or None")
            if one.signal != f"{plugin.name}.{feature}" or not one.claim.strip():
                raise ContractViolation(
                    f"{what} is called {one.signal!r} and claims {one.claim!r}",
                    mend=f"say signal='{plugin.name}.{feature}', and a claim a reader can check",
                )
            if step not in [cite.step for cite in one.cites]:
                raise ContractViolation(
                    f"{what} cites steps {[cite.step for cite in one.cites]}",
                    mend="cite the step itself, each step once",
                )
            _require_quotes(trace, one, what)


def _require_quotes(trace: Trace, one: Evidence, what: str) -> None:
    if len({cite.step for cite in one.cites}) < len(one.cites):
        raise ContractViolation(f"{what} cites a step twice", mend="cite each step once")
    for cite in one.cites:
        if not 0 <= cite.step < len(trace.steps):
            raise ContractViolation(
                f"{what} cites step {cite.step}; there are {len(trace.steps)}",
                mend="cite steps of this trace by their index",
            )
        text = trace.steps[cite.step].text
        if len(cite.quote) > MAX_QUOTE:
            raise ContractViolation(
                f"{what} quotes {len(cite.quote)} characters", mend=f"quote at most {MAX_QUOTE}"
            )
        if cite.start is not None and text[cite.start : cite.end] != cite.quote:
            raise ContractViolation(
                f"{what} quotes {cite.quote[:60]!r}; at {cite.start} to {cite.end} stands "
                f"{text[cite.start : cite.end][:60]!r}",
                mend="let quote be step.text[start:end]",
            )


def _evidence(
    plugin: Any, trace: Trace, *, limit: int = MAX_EXPLAINED
) -> Iterator[tuple[int, str, Any]]:
    """Step, feature and evidence of the values above zero."""
    graph = TraceGraph(trace)
    fired = np.argwhere(plugin.measure(graph) > 0).tolist()
    for step, column in fired[:: max(1, len(fired) // limit)]:
        feature = plugin.features[column].name
        yield step, feature, plugin.explain(graph, step, feature)


def _require_same(
    plugin: Any,
    found: NDArray[Any],
    expected: NDArray[Any],
    what: str,
    *,
    part: str | None = None,
) -> None:
    wanted = [part is None or feature.part == part for feature in plugin.features]
    differs = (found != expected) & np.asarray(wanted)
    if differs.any():
        step, column = np.argwhere(differs)[0].tolist()
        raise ContractViolation(
            f"{plugin.features[column].name} of step {step} is {expected[step, column]}, and "
            f"{found[step, column]} in {what}",
            mend="measure what the steps say and do: no names, no papers, no state between traces",
        )


def _describe(trace: Trace) -> str:
    return f"trace {trace.id!r} of {len(trace.steps)} steps"


CHECKS = (
    check_features_say_what_they_are,
    check_values_are_finite,
    check_something_fires,
    check_measuring_changes_nothing,
    check_order_of_use_does_not_matter,
    check_truth_is_out_of_reach,
    check_order_of_agents_does_not_matter,
    check_names_do_not_matter,
    check_evidence_points_into_the_trace,
)
