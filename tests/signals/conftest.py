"""A way to ask one feature of a trace, and a trace in which nearly everything happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from traceloc.attribution import Evidence
from traceloc.graph import TraceGraph
from traceloc.registry import Registry
from traceloc.testing.traces import rich_trace
from traceloc.trace import Trace

REGISTRY = Registry()


@pytest.fixture(scope="session")
def signal() -> Callable[[str], object]:
    return lambda name: REGISTRY.get("signals", name)


@pytest.fixture
def values(signal) -> Callable[[Trace, str], list[float]]:
    """The column of ``family.feature``."""

    def measure(trace: Trace, name: str) -> list[float]:
        family, _, feature = name.partition(".")
        found = signal(family)
        position = [each.name for each in found.features].index(feature)
        return found.measure(TraceGraph(trace))[:, position].tolist()

    return measure


@pytest.fixture
def fires(values) -> Callable[[Trace, str], list[int]]:
    """The steps at which ``family.feature`` is above zero."""
    return lambda trace, name: [i for i, v in enumerate(values(trace, name)) if v > 0]


@pytest.fixture
def explain(signal) -> Callable[[Trace, int, str], Evidence]:
    """The evidence for ``family.feature`` at a step."""

    def look(trace: Trace, step: int, name: str) -> Evidence:
        family, _, feature = name.partition(".")
        found = signal(family).explain(TraceGraph(trace), step, feature)
        assert found is not None and found.signal == name
        return found

    return look


@pytest.fixture
def cited(explain) -> Callable[[Trace, int, str], list[int]]:
    """The steps that the evidence for ``family.feature`` at a step cites."""
    return lambda trace, step, name: [cite.step for cite in explain(trace, step, name).cites]


@pytest.fixture
def rich() -> Trace:
    """Orders, calls, failures, code, ledgers, complaints and an answer in fifteen steps."""
    return rich_trace()
