"""What LangGraph streams, and histories of its states; and damage to any of them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from traceloc_plugins.langgraph.loader import LangGraphLoader

FAR = "2026-03-09T10:00:05+00:00"
_PARTS = runpy.run_path(str(Path(__file__).with_name("documents") / "langgraph.py"))
ai, CHAT, STORY, shown = (_PARTS[name] for name in ("ai", "CHAT", "STORY", "shown"))


def test_events_of_a_stream(load_one, documents):
    def event(stage, run, **data):
        kind = {"llm": "chat_model"}.get(run["run_type"], run["run_type"])
        above = [run["parent_run_id"]] if run["parent_run_id"] else []
        if above and above != ["r0"]:
            above.insert(0, "r0")
        return {
            "event": f"on_{kind}_{stage}",
            "name": run["name"],
            "run_id": run["id"],
            "parent_ids": above,
            "metadata": run["extra"]["metadata"],
            "data": data,
        }

    events = []
    for run in documents["langgraph"]:
        events.append(event("start", run, input=run["inputs"]))
        if run["run_type"] == "llm":
            said = run["outputs"]["generations"][0][0]["message"]
            events.append(event("stream", run, chunk=said))
            events.append(event("end", run, output=said))
        elif run["error"] and run["run_type"] == "tool":
            events.append(event("error", run, error={"repr": "ValueError('no such sku')"}))
        elif run["name"] == "transfer_to_writer":
            told = "Command(update={'messages': [ToolMessage(content='Over to you', name='x', "
            output = {"lc": 1, "type": "not_implemented", "repr": f"{told}tool_call_id='c2')]}})"}
            events.append(event("end", run, output=output))
    trace = load_one("\n".join(map(json.dumps, events)))
    assert (trace.dialect, trace.system, trace.session_id) == ("events", "shop", "t-7")
    expected = load_one(documents["langgraph"])
    assert shown(trace) == shown(expected)
    assert [s.text for s in trace.steps] == [s.text for s in expected.steps]
    assert not any(s.timestamp for s in trace.steps) and not any(s.start for s in trace.spans)
    assert trace.steps[2].native_index == [e["event"] for e in events].index("on_chat_model_end")
    # Hand-overs end nodes by an exception, of which no event tells: no error.
    assert [s.index for s in trace.steps if s.error] == [3]


def test_stream_tells_each_message_once(load_one):
    within = ["clerk:0-1"]
    unnamed = ai("", calls=[("c1", "stock", {})], id="a1", response_metadata={})
    answer = {"type": "tool", "content": "12", "tool_call_id": "c1"}
    debug = {"step": 1, "timestamp": FAR, "type": "task_result"}
    stopped = {"name": "clerk", "error": "ValueError('late')", "result": None, "interrupts": []}
    items = [
        [[], "values", {"messages": [CHAT[1]]}],
        [within, "updates", {"agent": {"messages": [unnamed]}}],
        [within, "debug", {**debug, "payload": {"name": "agent", "result": {"messages": unnamed}}}],
        [within, "updates", {"tools": {"messages": [answer]}}],
        [[], "updates", {"clerk": {"messages": [CHAT[1], unnamed, {**answer, "id": "late"}]}}],
        [[], "debug", {**debug, "payload": stopped}],
    ]
    trace = load_one("\n".join(map(json.dumps, items)))
    assert [(s.native_index, s.agent, s.line) for s in trace.steps] == [
        (0, "user", 1),
        (1, "clerk", 2),
        (3, "stock", 4),
        (5, "clerk", 6),
    ]
    assert trace.agent("clerk").attribution == "namespace"
    assert trace.steps[1].timestamp.isoformat() == FAR
    assert trace.steps[3].error.message == "ValueError('late')"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "error")


def test_a_sub_agent_inside_a_tool(load_one):
    def wrote(namespace, node, *messages):
        return [namespace, "updates", {node: {"messages": list(messages)}}]

    asked = {"type": "human", "content": "Write it down.", "additional_kwargs": {}}
    items = [
        [[], "values", {"messages": [CHAT[1]]}],
        wrote([], "model", ai("", calls=[("c1", "ask", {"task": "Write it down."})], name="clerk")),
        [["tools:1"], "values", {"messages": [asked]}],
        wrote(["tools:1"], "model", ai("Twelve.", name="writer")),
        wrote([], "tools", {"type": "tool", "content": "Twelve.", "tool_call_id": "c1"}),
    ]
    trace = load_one("\n".join(map(json.dumps, items)))
    assert shown(trace) == [
        ("message", "user", ()),
        ("handoff", "clerk", ("writer",)),
        ("handoff", "clerk", ("writer",)),
        ("message", "writer", ()),
        ("result", "ask", ()),
    ]
    assert trace.agent("writer").parent == "clerk"
    assert trace.steps[2].flags == ("copied_context",)


def test_tokens_are_put_together(load_one):
    about = {"langgraph_checkpoint_ns": "clerk:0|model:1"}

    def piece(content, *calls):
        chunk = {
            "type": "AIMessageChunk",
            "content": content,
            "id": "a1",
            "tool_call_chunks": calls,
        }
        return ["messages", [chunk | {"additional_kwargs": {}}, about]]

    items = [
        piece("Let me "),
        piece("look.", {"name": "stock", "id": "c1", "index": 0, "args": '{"sk'}),
        piece("", {"name": None, "id": None, "index": 0, "args": 'u": 7}'}),
    ]
    trace = load_one("\n".join(map(json.dumps, items)))
    ((step,),) = (trace.steps,)
    assert (step.agent, step.text) == ("clerk", "Let me look.")
    assert step.tool_calls[0].arguments == {"sku": 7}


def test_a_graph_that_stopped_to_ask(load_one):
    stop = {"lc": 1, "type": "not_implemented", "repr": "Interrupt(value='Sure?')"}
    tasks = [{"name": "tools", "interrupts": [{"value": "May I?"}, stop]}]
    trace = load_one({"values": {"messages": CHAT[:3]}, "next": ["tools"], "tasks": tasks})
    assert [(s.kind, s.text, s.error) for s in trace.steps[3:]] == [
        ("event", "May I?", None),
        ("event", "Interrupt(value='Sure?')", None),
    ]


def test_history_and_growing_states(load_one):
    def snapshot(count, second):
        config = {"configurable": {"thread_id": "t-9", "checkpoint_ns": ""}}
        return {
            "values": {"messages": CHAT[:count]},
            "next": [],
            "config": config,
            "created_at": f"2026-03-09T10:00:{second:02}+00:00",
        }

    trace = load_one([snapshot(7, 9), snapshot(3, 5), snapshot(2, 1)])
    assert (trace.dialect, trace.id, shown(trace)) == ("history", "t-9", STORY)
    assert [s.timestamp.second for s in trace.steps] == [1, 1, 5, 9, 9, 9, 9]
    growing = [{"messages": CHAT[1:count]} for count in (2, 3, 7)]
    trace = load_one("\n".join(map(json.dumps, growing)))
    assert shown(trace) == STORY[1:]


ALREADY_SAID = ai("Twelve.", id="a3", usage_metadata={"input_tokens": 2}, invalid_tool_calls=[{}])
SHAPES = {
    "messages": [*CHAT, ALREADY_SAID],
    "history": [{"values": {"messages": CHAT}, "tasks": [{"error": "E()"}], "config": {}}],
    "events": [
        {"event": "on_tool_start", "run_id": "r", "data": {"input": {"a": 1}}, "name": "x"},
        {"event": "on_tool_error", "run_id": "r", "data": {"error": {"repr": "E('x')"}}},
    ],
    "stream": [
        [["a:1"], "updates", {"agent": {"messages": CHAT}}],
        [[], "messages", [CHAT[2] | {"tool_call_chunks": [{"index": 0, "args": "1"}]}, {}]],
        [[], "debug", {"step": 1, "type": "x", "payload": {"error": "E()", "interrupts": [{}]}}],
    ],
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_damage_is_met_in_every_shape(check_damaged, shape):
    check_damaged(LangGraphLoader(), SHAPES[shape])
