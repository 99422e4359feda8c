from __future__ import annotations

import json

import pytest

from traceloc import load

SYSTEM = {"role": "system", "content": "Never forget you are a Clerk and I am a Buyer."}


def model_call(second, messages, said, *, agent="a1", **extra):
    return {
        "request_timestamp": f"2026-03-09T10:00:{second:02}",
        "response_timestamp": f"2026-03-09T10:00:{second + 1:02}",
        "model": "m",
        "agent_id": agent,
        "request": {"messages": messages, **extra},
        "response": {
            "id": f"r{second}",
            "choices": [{"message": {"role": "assistant", **said}}],
            "usage": {"prompt_tokens": second},
        },
    }


def test_memory(load_one, documents):
    trace = load_one(documents["camel"])
    assert (trace.format, trace.dialect, trace.id) == ("camel", "memory", "a1")
    # What the records claim ("system") is not whose they are.
    assert [(s.kind, s.role, s.agent) for s in trace.steps] == [
        ("system", "system", "system"),
        ("message", "user", "user"),
        ("action", "assistant", "assistant"),
        ("result", "tool", "stock"),
        ("message", "assistant", "assistant"),
    ]
    failed = trace.steps[3]
    assert failed.tool_result.call_step == 2 and not failed.error.declared
    assert failed.timestamp.isoformat() == "2026-03-09T10:00:00.500000+00:00"


def test_memories_of_named_roles(load_one, documents):
    documents["camel"][4]["message"]["role_name"] = "Auditor"
    assert load_one(documents["camel"]).steps[4].agent == "Auditor"


def test_the_memory_of_one_side_of_a_role_play(load_one):
    def record(backend, name, text, **more):
        inner = {"__class__": "BaseMessage", "role_name": name, "role_type": "x", "content": text}
        return {"message": {**inner, **more}, "role_at_backend": backend, "agent_id": "a1"}

    trace = load_one(
        [
            record("system", "Clerk", SYSTEM["content"], task="Count the stock."),
            record("user", "Buyer", "Instruction: count the lamps."),
            record("assistant", "Clerk", "Solution: twelve."),
        ]
    )
    assert trace.task == "Count the stock."
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("system", "system", ("Clerk",)),
        ("message", "Buyer", ("Clerk",)),
        ("message", "Clerk", ()),
    ]
    assert {agent.name for agent in trace.agents} == {"system", "Buyer", "Clerk"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_model_calls_repeat_the_history(tmp_path, order):
    ask = {"role": "user", "content": "Count."}
    call = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": "{}"}}
    made = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c1", "content": "12"}
    spec = {"type": "function", "function": {"name": "stock"}}
    calls = [
        model_call(1, [SYSTEM, ask], made, model_config_dict={"tools": [spec]}),
        model_call(5, [SYSTEM, ask, made, result, ask], {"content": "Twelve."}),
    ]
    for name, number in zip("ab", order, strict=True):
        (tmp_path / f"{name}.json").write_text(json.dumps(calls[number], indent=1))
    other = model_call(3, [ask], {"content": "Hello."}, agent="a2")
    (tmp_path / "c.json").write_text(json.dumps(other))
    one, two = load(tmp_path, strict=True)
    assert [(s.kind, s.agent, s.text) for s in one.steps] == [
        ("system", "system", SYSTEM["content"]),
        ("message", "Buyer", "Count."),
        ("action", "Clerk", ""),
        ("result", "stock", "12"),
        ("message", "Buyer", "Count."),
        ("message", "Clerk", "Twelve."),
    ]
    assert [given.step for given in one.steps[5].inputs] == [0, 1, 2, 3, 4]
    assert [s.usage.input for s in one.steps if s.usage] == [1, 5]
    assert [tool.name for tool in one.tools] == ["stock"] and (one.id, two.id) == ("a1", "a2")
    assert [s.agent for s in two.steps] == ["user", "assistant"]


def test_role_play_and_tool_calls(load_one):
    def side(name, text):
        return {"role_name": name, "role_type": "x", "content": text}

    trace = load_one([{"assistant": side("Clerk", "Twelve."), "user": side("Buyer", "Count.")}])
    assert [(s.agent, s.to, s.text) for s in trace.steps] == [
        ("Buyer", ("Clerk",), "Count."),
        ("Clerk", ("Buyer",), "Twelve."),
    ]
    row = {"tool_name": "stock", "args": {"sku": 7}, "tool_call_id": "c1"}
    trace = load_one([{**row, "result": {"status": "error", "message": "timed out"}}])
    assert trace.steps[1].error.kind == "timeout" and trace.steps[1].tool_result.call_step == 0


def test_failed_model_call(load_one):
    call = model_call(1, [SYSTEM], {})
    call["response"] = {"error": "rate limit error"}
    step = load_one(call).steps[-1]
    assert (step.kind, step.agent, step.error.kind) == ("event", "Clerk", "limit")


def test_library_output(shared):
    traces = list(load(shared / "samples" / "camel", strict=True))
    assert sorted(trace.dialect or "" for trace in traces) == [
        "",  # a plain chat history bears no mark of CAMEL and is read as an OpenAI chat
        "memory",
        "model log",
        "model log",
        "model log",
        "role play",
        "tool calls",
    ]
    agents = {s.agent for t in traces for s in t.steps if s.role == "assistant"}
    assert agents == {"assistant", "Python Programmer", "Stock Trader"}
    failing = [t for t in traces if any(s.agent == "get_fx_rate" for s in t.steps)]
    for trace in failing:
        (failed,) = [s for s in trace.steps if s.error]
        assert failed.error.kind == "timeout" and not failed.error.declared
    assert len(failing) == 4


def test_the_sides_of_a_role_play_are_agents(load_one):
    rules = {
        "role": "system",
        "content": "Never forget you are a Buyer and I am a Clerk. Never flip roles!\n"
        "Here is the task: Count the lamps. Never forget our task!",
    }
    begin = "Now start to give me instructions one by one. Only reply with Instruction and Input."
    given = [rules, {"role": "user", "content": begin}, {"role": "assistant", "content": "Go."}]
    call = model_call(1, [*given, {"role": "user", "content": "Twelve."}], {"content": "Done."})
    trace = load_one(call)
    assert trace.task == "Count the lamps."
    assert [(s.kind, s.agent, s.to, s.flags) for s in trace.steps[1:]] == [
        ("event", "user", ("Buyer",), ("synthetic",)),
        ("message", "Buyer", (), ()),
        ("message", "Clerk", ("Buyer",), ()),
        ("message", "Buyer", (), ()),
    ]


def test_a_role_is_known_where_the_other_is_not(load_one):
    rules = "Never forget you are a Buyer and I am a clerk who has no full stop after what I am"
    given = [{"role": "system", "content": rules}, {"role": "user", "content": "Twelve."}]
    trace = load_one(model_call(1, given, {"content": "Done."}))
    assert [step.agent for step in trace.steps if step.role == "assistant"] == ["Buyer"]


def test_real_role_play(shared):
    traces = list(load(shared / "samples" / "camel" / "camel_logs", strict=True))
    played = [trace for trace in traces if trace.agent("Stock Trader").kind == "worker"]
    assert {trace.task for trace in played} == {"Develop a trading bot."} and len(played) == 2
    spoken = {step.agent for trace in played for step in trace.steps if step.kind == "message"}
    assert spoken == {"Stock Trader", "Python Programmer"}
