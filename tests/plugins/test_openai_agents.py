"""The OpenAI Agents SDK: run states, items, sessions and its own traces."""

from __future__ import annotations

import json
import sqlite3

import pytest

from traceloc import TraceFormatError, load
from traceloc.loading import Source
from traceloc_plugins.openai_agents.loader import OpenAIAgentsLoader

STORY = [
    (0, "message", "user", ()),
    (1, "action", "clerk", ()),
    (4, "result", "stock", ()),
    (5, "result", "stock", ()),
    (6, "handoff", "clerk", ("writer",)),
    (8, "result", "transfer_to_writer", ()),
    (9, "message", "writer", ()),
]


def shown(trace):
    return [(step.native_index, step.kind, step.agent, step.to) for step in trace.steps]


def items_of(state):
    asked = {"role": "user", "content": state["original_input"]}
    return [asked, *(entry["raw_item"] for entry in state["generated_items"])]


def test_a_response_is_a_step(load_one, documents):
    trace = load_one(documents["openai_agents"])
    assert (trace.format, trace.dialect) == ("openai_agents", "run_state")
    assert (trace.id, trace.system, trace.session_id) == ("trace_7", "shop", "t-7")
    assert trace.task == "How many lamps are left?"
    assert shown(trace) == [*STORY, (9, "event", "polite", ())]
    asked, worked, failed, handed = trace.steps[1:5]
    assert asked.reasoning == "Hm." and asked.llm_call_id == "r1"
    assert [call.arguments for call in asked.tool_calls] == [{"sku": 7}, "{broken"]
    assert [call.result_step for call in asked.tool_calls] == [2, 3]
    assert (asked.usage.input, asked.usage.output, asked.usage.cache_read) == (9, 3, 4)
    assert worked.error is None and not failed.error.declared
    assert handed.text == "Ask her." and handed.error is None
    assert trace.steps[7].text == "triggered"
    assert [(tool.name, tool.description) for tool in trace.tools] == [("stock", "Looks up.")]
    assert trace.attributes == {"current_turn": 3, "current_agent": {"name": "writer"}}
    assert all(agent.attribution != "guess" for agent in trace.agents)


def camel(value):
    """The same state as the JavaScript SDK names its fields."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return "function_call_result" if value == "function_call_output" else value
    names = {key: key.split("_") for key in value}
    return {
        parts[0] + "".join(map(str.title, parts[1:])): camel(value[key])
        for key, parts in names.items()
    }


def test_states_of_the_javascript_sdk(load_one, documents):
    state = documents["openai_agents"]
    trace = load_one(camel(state))
    assert shown(trace)[:7] == STORY
    assert trace.steps[1].usage.input == 9 and trace.system is not None


def test_a_request_for_approval_is_no_second_call(load_one, documents):
    state = documents["openai_agents"]
    again = {**state["generated_items"][1], "type": "tool_approval_item"}
    state["generated_items"].insert(3, again)
    assert sum(len(s.tool_calls) for s in load_one(state).steps) == 3


@pytest.mark.parametrize("shape", ["list", "lines", "dump", "session"])
def test_items_without_agents(load_one, documents, tmp_path, shape):
    items = items_of(documents["openai_agents"])
    if shape == "session":
        path = tmp_path / "session.db"
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE agent_messages (id, session_id, message_data, created_at)")
        for number, fields in enumerate(items):
            row = (number, "s-1", json.dumps(fields), f"2026-03-09 10:00:0{number}")
            db.execute("INSERT INTO agent_messages VALUES (?, ?, ?, ?)", row)
        db.commit()
        db.close()
        (trace,) = load(path, strict=True)
        assert (trace.id, trace.session_id) == ("s-1", "s-1")
        assert trace.steps[2].timestamp.isoformat() == "2026-03-09T10:00:04+00:00"
    else:
        dump = {"id": "r9", "model": "m-1", "input": items[:9], "output": items[9:]}
        dump["tools"] = [{"type": "function", "name": "stock", "parameters": {"type": "object"}}]
        document = {"list": items, "lines": "\n".join(map(json.dumps, items)), "dump": dump}
        trace = load_one(document[shape])
        assert trace.steps[-1].model == ("m-1" if shape == "dump" else None)
        assert bool(trace.tools) == (shape == "dump")
    # Nobody says who began; the hand-off's own result says who went on.
    nameless = [tuple("assistant" if x == "clerk" else x for x in step) for step in STORY]
    assert shown(trace) == nameless
    assert trace.agent("writer").attribution == "guess"
    assert "inferred" in [d.kind for d in trace.diagnostics]


def test_a_bank_s_transfer_is_no_handoff(load_one, documents):
    items = items_of(documents["openai_agents"])
    items[7]["name"], items[8]["output"] = "transfer_to_savings", '{"status": "ok"}'
    trace = load_one(items)
    assert trace.steps[4].kind == "action" and trace.steps[4].to == ()
    assert {agent.name for agent in trace.agents if agent.kind == "worker"} == {"assistant"}


def test_hosted_tools_and_other_items(load_one):
    trace = load_one(
        [
            {"role": "developer", "content": "You count."},
            {"role": "user", "content": [{"type": "input_text", "text": "How many?"}]},
            {"type": "web_search_call", "id": "w1", "action": {"query": "lamps"}},
            {"type": "mcp_call", "id": "x1", "name": "stock", "arguments": "{}", "error": "boom"},
            {"type": "code_interpreter_call", "id": "y1", "code": "1", "outputs": [{"logs": "1"}]},
            {"type": "custom_tool_call", "id": "z1", "call_id": "c9", "name": "run", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c9", "output": "exit code 2"},
            {"type": "compaction", "id": "k", "encrypted_content": "x"},
            {"type": "mcp_list_tools", "id": "l"},
            {"type": "message", "role": "assistant", "content": [{"type": "refusal"}]},
        ]
    )
    made = trace.steps[2]
    assert [c.name for c in made.tool_calls] == ["web_search", "stock", "code_interpreter", "run"]
    assert [s.kind for s in trace.steps] == [
        *("system", "message", "action", "result", "result", "result", "event", "message")
    ]
    assert [s.error.declared for s in trace.steps if s.error] == [True, False]
    assert trace.agent("assistant").instructions == "You count."
    assert any("mcp_list_tools" in d.message for d in trace.diagnostics)


def span(number, kind, parent=None, **data):
    error = data.pop("error", None)
    return {
        "object": "trace.span",
        "id": f"span_{number}",
        "trace_id": "trace_7",
        "parent_id": None if parent is None else f"span_{parent}",
        "started_at": f"2026-03-09T10:00:{2 * number:02}+00:00",
        "ended_at": f"2026-03-09T10:00:{2 * number + 1:02}+00:00",
        "span_data": {"type": kind, **data},
        "error": error,
    }


FAILED = {"message": "Error running tool", "data": {"error": "no such sku"}}
USAGE = {"input_tokens": 9, "output_tokens": 3}
TRACE = [
    {"object": "trace", "id": "trace_7", "workflow_name": "shop", "metadata": {"reward": 0.0}},
    span(1, "agent", name="clerk", tools=["stock"], handoffs=["writer"]),
    span(2, "response", 1, response_id="r1", usage=USAGE),
    span(3, "function", 1, name="stock", input='{"sku": 7}', output="", error=FAILED),
    span(4, "response", 1, response_id="r2", usage=USAGE),
    span(5, "handoff", 1, from_agent="clerk", to_agent="Fine Writer"),
    span(6, "agent", name="Fine Writer"),
    span(7, "guardrail", 6, name="polite", triggered=True),
    span(8, "generation", 6, input=[{"role": "user", "content": "Write."}], output=[]),
]
TRACE[8]["span_data"]["output"] = [{"role": "assistant", "content": "Twelve."}]


@pytest.mark.parametrize("shape", ["list", "lines", "upload"])
def test_the_sdk_s_own_traces(load_one, shape):
    lines = "\n".join(map(json.dumps, TRACE))
    trace = load_one({"list": TRACE, "lines": lines, "upload": {"data": TRACE}}[shape])
    assert (trace.id, trace.system, trace.dialect) == ("trace_7", "shop", "tracing")
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("action", "clerk", ()),
        ("result", "stock", ()),
        ("handoff", "clerk", ("Fine Writer",)),
        ("result", "transfer_to_fine_writer", ()),
        ("event", "Fine Writer", ()),
        ("message", "user", ("Fine Writer",)),
        ("message", "Fine Writer", ()),
    ]
    asked, failed = trace.steps[:2]
    assert asked.tool_calls[0].arguments == {"sku": 7} and asked.usage.output == 3
    assert failed.error.message == "no such sku" and failed.error.declared
    assert [s.text for s in trace.steps[4:]] == ["triggered", "Write.", "Twelve."]
    assert trace.outcome.status == "failed" and "reward" not in trace.blind().model_dump_json()
    notes = " ".join(d.message for d in trace.diagnostics)
    assert "2 model responses were taken" in notes and "to_state" in notes


def test_what_ended_a_run_is_told(load_one):
    ended = {"message": "Max turns exceeded", "data": {"max_turns": 1}}
    spans = [
        span(1, "custom", name="task", data={"sdk_span_type": "task"}),
        span(2, "agent", 1, name="clerk", error=ended),
        span(3, "response", 2, usage=USAGE),
        span(4, "function", 2, name="stock", input="{}", output="", error=FAILED),
    ]
    trace = load_one([{**TRACE[0], "metadata": None}, *spans])
    assert [(s.kind, s.agent, s.native_index) for s in trace.steps] == [
        ("action", "clerk", 2),
        ("result", "stock", 3),
        ("event", "clerk", 1),
    ]
    assert trace.steps[2].error.message == "Max turns exceeded"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "error")


GUARDED = {"message": "Guardrail tripwire triggered", "data": {"guardrail": "polite"}}
DEAD = {"message": "Error getting response", "data": {"error": "the line is cut"}}


@pytest.mark.parametrize(
    ("spans", "kinds", "said"),
    [
        pytest.param(
            [
                span(3, "guardrail", 4, name="polite", triggered=True),
                span(4, "custom", 2, name="turn", data={"sdk_span_type": "turn"}, error=GUARDED),
                span(2, "agent", 1, name="clerk"),
            ],
            [("event", False), ("event", True)],
            "Guardrail tripwire triggered",
            id="a guardrail before the first word",
        ),
        pytest.param(
            [
                span(3, "response", 2, error=DEAD),
                span(2, "agent", 1, name="clerk", error={**DEAD, "message": "Error in agent run"}),
            ],
            [("event", True)],
            "the line is cut",
            id="a model that both spans tell of",
        ),
        pytest.param(
            [span(2, "agent", 1, name="clerk", error={"message": "Max turns exceeded"})],
            [("event", True)],
            "Max turns exceeded",
            id="an agent without any word",
        ),
    ],
)
def test_an_end_is_told_once(load_one, spans, kinds, said):
    outermost = span(1, "custom", name="task", data={"sdk_span_type": "task"})
    trace = load_one([{**TRACE[0], "metadata": None}, *spans, outermost])
    assert [(s.kind, s.error is not None) for s in trace.steps] == kinds
    assert trace.steps[-1].error.message == said
    assert (trace.outcome.status, trace.outcome.detail) == ("failed", said)


def test_a_placeholder_is_no_system(load_one):
    record = {**TRACE[0], "workflow_name": "Agent workflow"}
    assert load_one([record, *TRACE[1:]]).system.startswith("openai_agents:")


SAMPLES = ["ingest_body.json", "run_state.json", "trace_export.jsonl"]


@pytest.mark.parametrize("name", [*SAMPLES, "session.sqlite", "to_input_list.json"])
def test_the_team_story(shared, name):
    path = shared / "samples" / "openai_agents" / f"openai_agents_{name}"
    (trace,) = load(path, strict=True)
    assert trace.format == "openai_agents"
    ((step, made),) = [(s, c) for s in trace.steps for c in s.tool_calls if c.name == "book"]
    assert (step.agent, made.arguments) == ("booker", {"flight_id": "LH123"})
    assert trace.steps[made.result_step].text == "booked LH123"
    ((failed, error),) = [(s, s.error) for s in trace.steps if s.error]
    assert failed.tool_result.name == "get_fx_rate"
    assert error.declared == (name in ("ingest_body.json", "trace_export.jsonl"))
    (over,) = [s for s in trace.steps if "booker" in s.to]
    first = "researcher" if name in SAMPLES else "assistant"  # other exports name nobody
    assert (over.kind, over.agent) == ("handoff", first)
    workers = {agent.name for agent in trace.agents if agent.kind == "worker"}
    assert workers == {first, "booker"}
    if name in SAMPLES:
        assert sum(s.usage.output for s in trace.steps if s.usage) == 4 * 12


def test_damage_is_met_in_every_shape(check_damaged, documents):
    state = documents["openai_agents"]
    for document in (TRACE, items_of(state), state):
        check_damaged(OpenAIAgentsLoader(), document, 100)


def test_damaged_sessions(tmp_path):
    path = tmp_path / "s.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE agent_messages (id INTEGER, session_id, message_data, created_at)")
    rows = ["{", "[]", "17", '{"type": []}', b"\xff", None, '{"role": "user", "content": "Hi."}']
    for number, row in enumerate(rows):
        db.execute("INSERT INTO agent_messages VALUES (?, 's', ?, ?)", (number, row, b"\xfe"))
    db.commit()
    db.close()
    (trace,) = load(path, strict=True)
    assert [step.text for step in trace.steps] == ["Hi."]
    assert [note.kind for note in trace.diagnostics] == ["skipped"]
    path.with_name("s.db-wal").write_bytes(b"newer")
    (trace,) = load(path, strict=True)
    assert [note.kind for note in trace.diagnostics if "-wal" in note.message] == ["missing"]
    data = path.read_bytes()
    for size in range(16, len(data), 211):
        try:
            list(OpenAIAgentsLoader().load([Source("-", content=data[:size])]))
        except TraceFormatError:
            continue


def test_a_hosted_call_that_comes_first_is_no_repeat_of_itself(load_one):
    search = {"type": "web_search_call", "id": "w", "status": "failed", "action": {"query": "q"}}
    trace = load_one([{"role": "user", "content": "Look."}, search])
    failed = trace.steps[2]
    assert (failed.kind, failed.flags, bool(failed.error)) == ("result", (), True)
    again = load_one([{"role": "user", "content": "Look."}, search, {**search}])
    assert again.steps[-1].flags == ("duplicate",)


def test_a_refused_approval_is_a_rejection(load_one):
    refusal = {"type": "mcp_approval_response", "approval_request_id": "m", "approve": False}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    for answer, kind in ((refusal, "user_rejection"), ({**refusal, "approve": True}, None)):
        error = load_one([{"role": "user", "content": "Go."}, call, answer]).steps[-1].error
        assert (error and error.kind) == kind
