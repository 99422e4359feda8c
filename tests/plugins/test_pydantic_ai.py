from __future__ import annotations

import json

import pytest

from traceloc import load
from traceloc.graph import TraceGraph


def child(answer="Written.", at="2026-03-09T10:00:05Z"):
    """The history of an agent that another one asked to write something down."""
    return [
        {
            "kind": "request",
            "run_id": "r2",
            "parts": [{"part_kind": "user-prompt", "content": "Write it down."}],
        },
        {
            "kind": "response",
            "timestamp": at,
            "parts": [{"part_kind": "text", "content": answer}],
        },
    ]


def test_messages(load_one, documents):
    trace = load_one(documents["pydantic_ai"])
    assert (trace.format, trace.id, trace.task) == ("pydantic_ai", "r1", "How many lamps are left?")
    assert [(s.native_index, s.kind, s.agent) for s in trace.steps] == [
        (0, "system", "system"),
        (0, "message", "user"),
        (1, "action", "assistant"),
        (2, "result", "stock"),
        (2, "result", "ask_agent_writer"),
        (2, "event", "system"),
        (3, "message", "assistant"),
    ]
    made, refused, _, again = trace.steps[2:6]
    assert [call.arguments for call in made.tool_calls] == [{"sku": 7}, {"task": "Write it down."}]
    assert [call.result_step for call in made.tool_calls] == [3, 4]
    assert made.reasoning == "I look it up." and made.usage.input == 5
    assert refused.error.kind == "parse" and refused.error.declared
    assert again.error.kind == "parse" and again.to == ("assistant",)
    assert trace.agent("assistant").attribution == "role"
    assert trace.agent("assistant").instructions == "You keep the stock of a shop."


@pytest.mark.parametrize("shape", ["lines", "lists", "record"])
def test_shapes(load_all, documents, shape):
    history = documents["pydantic_ai"]
    (expected,) = load_all(history)
    document = {
        "lines": "\n".join(map(json.dumps, history)),
        "lists": [history, history],
        "record": {"messages": history, "score": 0.0, "note": "x"},
    }[shape]
    traces = load_all(document)
    assert [trace.steps for trace in traces] == [expected.steps] * (2 if shape == "lists" else 1)
    if shape == "record":
        assert traces[0].attributes == {"note": "x"}
        assert traces[0].outcome.status == "failed"


@pytest.mark.parametrize(
    ("answer", "at", "joined"),
    [
        ("Written.", "2026-03-09T10:00:05Z", True),
        ("Something else.", "2026-03-09T10:00:05Z", False),
        ("Written.", "2026-03-09T10:00:30Z", False),
    ],
)
def test_history_that_a_call_started(tmp_path, documents, answer, at, joined):
    (tmp_path / "a.json").write_text(json.dumps(child(answer, at)))
    (tmp_path / "b.json").write_text(json.dumps(documents["pydantic_ai"]))
    traces = list(load(tmp_path, strict=True))
    assert len(traces) == (1 if joined else 2)
    if joined:
        (trace,) = traces
        inside = [s for s in trace.steps if s.agent == "ask_agent_writer" and s.kind != "result"]
        assert [s.text for s in inside] == ["Written."]
        order = next(s for s in trace.steps if s.flags == ("copied_context",))
        assert (order.agent, order.to, order.native_index) == (
            "assistant",
            ("ask_agent_writer",),
            4,
        )
        assert trace.agent("ask_agent_writer").parent == "assistant"
        # Each agent saw its own history only.
        assert [given.step for given in inside[0].inputs] == [order.index]
        assert inside[0].index not in [given.step for given in trace.steps[-1].inputs]


@pytest.mark.parametrize(
    ("outcome", "kind"), [("retried", "tool"), ("denied", "permission"), ("success", None)]
)
def test_outcomes_of_calls(load_one, documents, outcome, kind):
    history = documents["pydantic_ai"]
    history[2]["parts"][1] |= {"outcome": outcome, "retry": {"cause": "model_retry"}}
    (step,) = [s for s in load_one(history).steps if s.text == "Written."]
    assert (step.error.kind if step.error else None) == kind
    assert step.attributes["retry"] == {"cause": "model_retry"}


def test_strange_parts_are_noted(load_one, documents):
    history = documents["pydantic_ai"]
    history[1]["parts"] += [{"part_kind": "hologram"}, 7, {"part_kind": "file"}]
    history.insert(1, "nothing")
    trace = load_one(history)
    assert trace.steps[2].text == "[file]"
    assert {d.message for d in trace.diagnostics if d.kind == "skipped"} == {
        "parts of kind 'hologram'",
        "items that are no request or response",
    }


def test_team_story(shared):
    (trace,) = load(shared / "samples" / "pydantic_ai", strict=True)
    (book,) = [s for s in trace.steps if any(c.name == "book" for c in s.tool_calls)]
    assert book.agent == "booker" and book.tool_calls[0].arguments == {"flight_id": "LH123"}
    assert trace.steps[book.tool_calls[0].result_step].text == "booked LH123"
    # A tool that asks for another try did fail.
    (failed,) = [s for s in trace.steps if s.error]
    assert failed.agent == "get_fx_rate"
    assert (failed.error.kind, failed.error.declared) == ("timeout", True)
    handed = [s for s in trace.steps if s.kind == "handoff"]
    assert [(s.agent, s.to) for s in handed] == [("assistant", ("booker",))] * 2
    edges = TraceGraph(trace).edges("delegates")
    assert (handed[1].index, book.index) in zip(edges.source, edges.target, strict=True)
    usage = [s for s in trace.steps if s.usage]
    assert len(usage) == len({s.llm_call_id for s in usage}) == 5
    assert trace.agent("booker").instructions == "You book flights."
