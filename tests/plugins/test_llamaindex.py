from __future__ import annotations

import json

import pytest

from traceloc import load
from traceloc.graph import TraceGraph


def test_events(load_one, documents):
    trace = load_one(documents["llamaindex"])
    assert trace.format == "llamaindex" and trace.task == "How many lamps are left?"
    assert [(s.native_index, s.kind, s.agent, s.to) for s in trace.steps] == [
        (0, "system", "system", ("clerk",)),
        (0, "message", "user", ()),
        (1, "action", "clerk", ()),
        (3, "result", "stock", ()),
        (4, "handoff", "clerk", ("writer",)),
        (5, "result", "handoff", ()),
        (6, "system", "system", ("writer",)),
        (7, "message", "writer", ()),
    ]
    assert trace.steps[3].error.declared and trace.steps[5].error is None
    # The writer was not given what the clerk said before.
    assert [given.step for given in trace.steps[7].inputs] == [6, 1]
    assert trace.agent("writer").instructions == "You write."


@pytest.mark.parametrize("shape", ["lines", "qualified", "bare", "lists"])
def test_shapes(load_all, documents, shape):
    events = documents["llamaindex"]
    (expected,) = load_all(events)
    if shape == "qualified":
        events = [{"qualified_name": f"a.b.{e['type']}", "value": e["data"]} for e in events]
    elif shape == "bare":
        events = [e["data"] for e in events[:-1]]
    document = [events, events] if shape == "lists" else "\n".join(map(json.dumps, events))
    for trace in load_all(document):
        assert trace.steps == expected.steps


def test_context_with_and_without_memory(load_one):
    call = {"id": "c1", "function": {"name": "handoff", "arguments": '{"to_agent": "writer"}'}}
    memory = [
        {"role": "user", "blocks": [{"block_type": "text", "text": "Count."}]},
        {"role": "assistant", "content": "On it.", "additional_kwargs": {"tool_calls": [call]}},
        {"role": "tool", "content": "ok", "additional_kwargs": {"tool_call_id": "c1"}},
        {"role": "assistant", "content": "Twelve."},
    ]
    data = {
        "agents": '["clerk", "writer"]',
        "current_agent_name": '"writer"',
        "user_msg_str": '"Count."',
    }
    context = {"version": 2, "state": {"state_data": {"_data": data}}}
    bare = load_one(context)
    assert [s.text for s in bare.steps] == ["Count."] and bare.dialect == "context"
    assert any("structure only" in d.message for d in bare.diagnostics)
    data["memory"] = json.dumps({"chat_store": {"store": {"chat_history": memory}}})
    trace = load_one(context)
    assert [(s.agent, s.to) for s in trace.steps] == [
        ("user", ("clerk",)),
        ("clerk", ("writer",)),
        ("handoff", ()),
        ("writer", ()),
    ]


def test_strange_events_are_noted(load_one, documents):
    events = documents["llamaindex"]
    events[2:2] = [7, {"type": "PonderEvent", "data": {}}, {"type": "AgentStream", "data": {}}]
    events[-1]["data"]["result"] = "Thirteen."
    trace = load_one(events)
    assert trace.steps[-1].text == "Thirteen."
    assert {d.message for d in trace.diagnostics if d.kind == "skipped"} >= {
        "items that are no event of a workflow",
        "events of type 'PonderEvent'",
    }


def test_team_story(shared):
    (trace,) = load(shared / "samples/llamaindex/llamaindex_workflow_events.jsonl", strict=True)
    (book,) = [s for s in trace.steps if any(c.name == "book" for c in s.tool_calls)]
    assert book.agent == "booker" and book.tool_calls[0].arguments == {"flight_id": "LH123"}
    assert trace.steps[book.tool_calls[0].result_step].text == "booked LH123"
    (failed,) = [s for s in trace.steps if s.error]
    assert failed.agent == "get_fx_rate" and failed.error.declared
    (handed,) = [s for s in trace.steps if s.kind == "handoff"]
    assert (handed.agent, handed.to) == ("researcher", ("booker",))
    edges = TraceGraph(trace).edges("delegates")
    assert (handed.index, book.index) in zip(edges.source, edges.target, strict=True)
    (context,) = load(shared / "samples/llamaindex/llamaindex_context.json", strict=True)
    assert {"researcher", "booker"} <= {agent.name for agent in context.agents}


def test_what_ended_a_workflow_is_told(load_one):
    asked = {"role": "user", "blocks": [{"block_type": "text", "text": "Count."}]}
    begin = {"input": [asked], "current_agent_name": "clerk"}
    ended = {"step_name": "run", "exception_type": "ValueError", "exception_message": "no lamps"}
    trace = load_one(
        [
            {"type": "AgentInput", "data": begin},
            {"type": "InputRequiredEvent", "data": {"prefix": "All of them?"}},
            {"type": "WorkflowFailedEvent", "data": ended},
        ]
    )
    assert [step.text for step in trace.steps] == ["Count.", "All of them?", "no lamps"]
    assert (trace.steps[2].error.type, trace.outcome.status) == ("ValueError", "failed")
