"""What every signal that ships keeps beyond the contract: see ``tests/contract`` for that."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceloc.graph import TraceGraph
from traceloc.registry import Registry
from traceloc.testing.traces import rename_agents
from traceloc.trace import StepError, ToolCall

REGISTRY = Registry()
SIGNALS = REGISTRY.names("signals")
every_signal = pytest.mark.parametrize("name", SIGNALS)


def evidence(name, trace):
    """All evidence of a signal, for each step and feature that fires."""
    signal, graph = REGISTRY.get("signals", name), TraceGraph(trace)
    matrix = signal.measure(graph)
    assert np.isfinite(matrix).all()
    for step, column in np.argwhere(matrix > 0).tolist():
        feature = signal.features[column]
        yield feature, signal.explain(graph, step, feature.name)


def test_the_order_of_signals_does_not_matter(rich):
    signals = [REGISTRY.get("signals", name) for name in SIGNALS]
    forth, back = TraceGraph(rich), TraceGraph(rich)
    one = [signal.measure(forth) for signal in signals]
    other = [signal.measure(back) for signal in reversed(signals)][::-1]
    for left, right in zip(one, other, strict=True):
        assert np.array_equal(left, right)


@every_signal
def test_not_even_habits_of_a_system_are_told_by_names(name, rich):
    # The contract lets features that are learned for each system read names; ours do not.
    signal = REGISTRY.get("signals", name)
    names = {agent.name: f"\u202e{agent.name[::-1]} 4711" for agent in rich.agents}
    renamed = TraceGraph(rename_agents(rich, names))
    assert np.array_equal(signal.measure(renamed), signal.measure(TraceGraph(rich)))


@every_signal
def test_evidence_begins_with_the_claim_of_its_feature(name, rich):
    found = [(feature, one) for feature, one in evidence(name, rich) if one is not None]
    assert found
    for feature, one in found:
        assert one.claim.startswith(feature.claim)
        for cite in one.cites:
            text = rich.steps[cite.step].text
            assert cite.start is not None or not cite.quote or not text.strip()


WORDS = st.sampled_from(
    ["4711", "1,200.5", "Marseille", "however", "therefore", "final answer: 12", "wrong", "sorry",
     "plan:", "```python\nx = 1\n```", "no progress", "[]", "Error: no", "x_1", "日本", "\n- a"]
)  # fmt: skip
LINES = st.lists(
    st.tuples(
        st.sampled_from(["Ann", "Bob", "Boss", "user", "system", "tool", "tool.x"]),
        st.lists(WORDS, max_size=5).map(" ".join),
        st.sampled_from([(), ("Ann",), ("Bob", "Ann")]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=LINES)
def test_any_conversation(lines, talk):
    ids = itertools.count()
    told = []
    for agent, text, to, calls in lines:
        extra = {"to": to}
        if calls and not agent.startswith("tool"):
            arguments = {"q": text, "n": [1, None, 2.5]}
            extra["calls"] = [ToolCall(name="x", id=str(next(ids)), arguments=arguments)]
        elif calls:
            extra["error"] = StepError(kind="control_flow", message="Command(")
        told.append((agent, text, extra))
    trace = talk(*told, tools=[{"name": "x", "parameters": {"properties": {"q": {}}}}])
    for name in SIGNALS:
        for _, one in evidence(name, trace):
            if one is not None:
                assert all(0 <= cite.step < len(trace.steps) for cite in one.cites)
