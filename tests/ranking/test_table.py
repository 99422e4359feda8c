from __future__ import annotations

import numpy as np
import pytest

from traceloc.errors import PluginError
from traceloc.graph import TraceGraph
from traceloc.ranking import find_candidates, measure


def test_one_candidate_for_each_item_of_the_source(make_trace):
    trace = make_trace(
        (0, "message", "user", "task"),
        (1, "thought", "a", "think"),
        (1, "action", "a", "act"),
        (2, "result", "tool", "out"),
    )
    rows, native = find_candidates(trace.steps)
    assert rows.tolist() == [0, 1, 3]
    assert native.tolist() == [0, 1, 2]


def test_an_agents_step_stands_for_an_item_before_its_environment(make_trace):
    trace = make_trace((0, "result", "tool", "out"), (0, "message", "a", "say"))
    assert find_candidates(trace.steps)[0].tolist() == [1]


def test_system_notes_and_copies_are_no_candidates(make_trace):
    trace = make_trace(
        (0, "system", "system", "prompt"),
        (1, "message", "a", "copied", {"flags": ("copied_context",)}),
        (2, "message", "a", "copied", {"flags": ("duplicate",)}),
        (2, "result", "tool", "own"),
        (3, "message", "a", "made up by the loader", {"flags": ("synthetic",)}),
    )
    rows, native = find_candidates(trace.steps)
    assert rows.tolist() == [3, 4]
    assert native.tolist() == [2, 3]


def test_candidates_stand_in_step_order_even_where_native_indices_do_not(make_trace):
    trace = make_trace((5, "message", "a", "x"), (2, "message", "a", "y"), (5, "message", "a", "z"))
    rows, native = find_candidates(trace.steps)
    assert rows.tolist() == [0, 1]
    assert native.tolist() == [5, 2]


def test_no_steps_no_candidates(make_trace, fake_signal):
    table = measure(TraceGraph(make_trace()), [fake_signal("a", {"x": lambda s: 1.0})])
    assert table.matrix.shape == (0, 1)
    assert len(table.candidates) == 0
    assert table.candidate_mean.tolist() == [0.0]
    assert table.candidate_max().tolist() == [0.0]


def raises(step):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (raises, "RuntimeError: boom"),
        (lambda s: float("nan"), "gave nan for 'x' at step 0"),
        (lambda s: 1e300, "gave inf for 'x' at step 0"),
        (lambda s: "much", "ValueError"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_failing_signal_is_a_record_and_its_columns_are_zero(
    make_trace, fake_signal, value, words
):
    graph = TraceGraph(make_trace((0, "message", "a", "x"), (1, "message", "a", "y")))
    bad, good = (
        fake_signal("bad", {"x": value, "y": lambda s: 2.0}),
        fake_signal("z", {"x": len_of}),
    )
    table = measure(graph, [bad, good])
    assert table.names == ("bad.x", "bad.y", "z.x")
    assert table.matrix.tolist() == [[0, 0, 1], [0, 0, 1]]
    (diagnostic,) = table.diagnostics
    assert words in diagnostic.message
    assert "'bad'" in diagnostic.message
    with pytest.raises(PluginError, match="bad"):
        measure(graph, [bad, good], strict=True)


def len_of(step):
    return len(step.text)


def test_a_wrong_shape_is_a_record(make_trace, fake_signal):
    signal = fake_signal("bad", {"x": len_of})
    signal.measure = lambda graph: np.zeros((1, 1))
    table = measure(
        TraceGraph(make_trace((0, "message", "a", ""), (1, "message", "a", ""))), [signal]
    )
    assert "returned shape (1, 1); expected (2, 1)" in table.diagnostics[0].message


def test_a_signal_is_measured_on_the_blinded_trace(make_trace, fake_signal):
    seen = []
    signal = fake_signal("a", {"x": len_of})
    signal.measure = lambda graph: seen.append(graph.trace) or np.zeros((1, 1))
    trace = make_trace((0, "message", "a", "x"), source="answer.json", attributes={"gold": 3})
    measure(TraceGraph(trace), [signal])
    assert (seen[0].source, seen[0].attributes, seen[0].truth) == ("", {}, None)
