"""What every signal that is registered must keep, whatever it measures."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceloc.graph import TraceGraph
from traceloc.registry import Registry
from traceloc.trace import Label, StepError, ToolCall, Trace, Truth

REGISTRY = Registry()
SIGNALS = REGISTRY.names("signals")
every_signal = pytest.mark.parametrize("name", SIGNALS)

BENCHMARK_NAMES = ["Orchestrator", "WebSurfer", "Computer_terminal", "Assistant", "human", "expert"]


def measure(name, trace):
    """What a signal measures, after what holds for every matrix is asserted."""
    signal = REGISTRY.get("signals", name)
    matrix = signal.measure(TraceGraph(trace))
    assert isinstance(matrix, np.ndarray) and matrix.dtype == np.float32
    assert matrix.shape == (len(trace.steps), len(signal.features))
    assert np.isfinite(matrix).all()
    return matrix


def differing(name, left, right):
    """Names of the features that differ between two matrices."""
    columns = np.flatnonzero((left != right).any(axis=0))
    return [REGISTRY.get("signals", name).features[i].name for i in columns]


def evidence(name, trace):
    """All evidence of a signal, for each step and feature that fires."""
    signal, graph = REGISTRY.get("signals", name), TraceGraph(trace)
    for step, column in np.argwhere(measure(name, trace) > 0).tolist():
        feature = signal.features[column].name
        yield step, feature, signal.explain(graph, step, feature)


def update_steps(trace, change):
    steps = tuple(step.model_copy(update=change(step)) for step in trace.steps)
    return trace.model_copy(update={"steps": steps})


def rename(trace, names):
    """The same trace with other names for its agents, wherever a field holds one."""
    agents = tuple(
        a.model_copy(update={"name": names[a.name], "parent": names.get(a.parent)})
        for a in trace.agents
    )

    def change(step):
        inputs = step.inputs and tuple(
            i.model_copy(update={"agent": names.get(i.agent)}) for i in step.inputs
        )
        to = tuple(names.get(each, each) for each in step.to)
        return {"agent": names[step.agent], "to": to, "inputs": inputs}

    return update_steps(trace.model_copy(update={"agents": agents}), change)


@every_signal
def test_features_say_what_they_are(name):
    signal = REGISTRY.get("signals", name)
    names = [feature.name for feature in signal.features]
    assert names and len(set(names)) == len(names)
    for feature in signal.features:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", feature.name)
        assert feature.claim and feature.claim[0].islower() and feature.claim[-1] != "."
        assert feature.part in ("shared", "system")
        # A prior that a fit could never move to is none.
        assert feature.sign * feature.prior >= 0


@every_signal
def test_small_and_odd_traces(name, talk):
    measure(name, talk())
    measure(name, talk(("Ann", "")))
    measure(name, talk(("tool", "[]"), ("tool", "Error: x"), ("tool", "")))
    measure(name, talk(("system", "You are Ann."), ("user", "Hi 4711")))
    measure(
        name,
        talk(
            ("Ann", "\u202e\u0623\u0647\u0644\u0627 ١٢٣ ²³ \x1b[31m 日本 🏮 \x00 ﬁ İ"),
            ("Bob", "İ" * 300),
        ),
    )
    measure(name, talk(("Ann", " ".join(map(str, range(50_000)))), ("Bob", "x" * 100_000)))


@every_signal
def test_measuring_changes_nothing(name, rich):
    before = rich.model_dump_json()
    signal, graph = REGISTRY.get("signals", name), TraceGraph(rich)
    first = signal.measure(graph)
    kept = first.copy()
    second = signal.measure(graph)
    assert np.array_equal(first, second) and not np.shares_memory(first, second)
    list(evidence(name, rich))
    second[:] = 7
    assert np.array_equal(first, kept)
    assert np.array_equal(signal.measure(graph), kept)
    assert np.array_equal(measure(name, Trace.model_validate_json(before)), kept)
    assert rich.model_dump_json() == before


def test_the_order_of_signals_does_not_matter(rich):
    signals = [REGISTRY.get("signals", name) for name in SIGNALS]
    forth, back = TraceGraph(rich), TraceGraph(rich)
    one = [signal.measure(forth) for signal in signals]
    other = [signal.measure(back) for signal in reversed(signals)][::-1]
    for left, right in zip(one, other, strict=True):
        assert np.array_equal(left, right)


@every_signal
def test_truth_changes_nothing(name, rich):
    told = rich.model_copy(
        update={
            "truth": Truth(labels=(Label(native_index=6, agent="Ann"),), expected="12"),
            "outcome": rich.outcome.model_copy(update={"status": "failed", "score": 0.0}),
            "system": "who_and_when",
            "source": "failed/6.json",
            "attributes": {"mistake_step": "6"},
        }
    )
    assert np.array_equal(measure(name, told), measure(name, rich))
    assert list(evidence(name, told)) == list(evidence(name, rich))


@every_signal
def test_what_says_nothing_of_the_run_changes_nothing(name, rich):
    other = rich.model_copy(
        update={"id": "x", "format": "who_and_when", "dialect": "x", "session_id": "x"}
    )
    other = update_steps(
        other, lambda step: {"native_index": step.index + 5, "line": 3, "span_id": "x"}
    )
    assert np.array_equal(measure(name, other), measure(name, rich))


@every_signal
def test_the_order_of_agents_does_not_matter(name, rich):
    other = rich.model_copy(update={"agents": rich.agents[::-1]})
    assert np.array_equal(measure(name, other), measure(name, rich))


@every_signal
@pytest.mark.parametrize("new", ["benchmark", "swapped", "strange"])
def test_names_of_agents_do_not_matter(name, new, rich):
    old = [agent.name for agent in rich.agents]
    names = {
        "benchmark": dict(zip(old, [*BENCHMARK_NAMES, *map(str, range(9))], strict=False)),
        "swapped": dict(zip(old, old[::-1], strict=True)),
        "strange": {each: f"\u202e{each[::-1]} 4711" for each in old},
    }[new]
    assert len(set(names.values())) == len(old)
    matrix = measure(name, rich)
    assert differing(name, measure(name, rename(rich, names)), matrix) == []


@every_signal
def test_evidence_points_into_the_trace(name, rich):
    found = list(evidence(name, rich))
    assert found
    for step, feature, one in found:
        if one is None:
            continue
        claim = next(f.claim for f in REGISTRY.get("signals", name).features if f.name == feature)
        assert one.signal == f"{name}.{feature}" and one.claim.startswith(claim)
        assert step in [cite.step for cite in one.cites]
        assert len({cite.step for cite in one.cites}) == len(one.cites), feature
        for cite in one.cites:
            text = rich.steps[cite.step].text
            assert 0 <= cite.step < len(rich.steps)
            assert len(cite.quote) <= 160
            if cite.start is not None:
                assert text[cite.start : cite.end] == cite.quote
            elif cite.quote:
                assert rich.steps[cite.step].tool_calls and not text.strip()


PROGRAM = """
import hashlib, sys
import numpy as np
from pathlib import Path
from traceloc.graph import TraceGraph
from traceloc.registry import Registry
from traceloc.trace import Trace
trace = Trace.model_validate_json(Path(sys.argv[1]).read_bytes())
registry = Registry()
for name in registry.names("signals"):
    signal, graph = registry.get("signals", name), TraceGraph(trace)
    matrix = signal.measure(graph)
    digest = hashlib.sha256(matrix.tobytes())
    for step, column in np.argwhere(matrix > 0).tolist():
        found = signal.explain(graph, step, signal.features[column].name)
        digest.update(found.model_dump_json().encode() if found else b"-")
    print(name, digest.hexdigest())
"""


def test_the_seed_of_hashes_does_not_matter(rich, tmp_path):
    place = tmp_path / "trace.json"
    place.write_text(rich.model_dump_json())
    told = set()
    for seed in ("0", "1", "31337"):
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(place)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            timeout=120,
            text=True,
        )
        told.add(run.stdout)
    assert len(told) == 1
    assert [line.split()[0] for line in told.pop().splitlines()] == list(SIGNALS)


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
        for _, _, one in evidence(name, trace):
            if one is not None:
                assert all(0 <= cite.step < len(trace.steps) for cite in one.cites)
