from __future__ import annotations

from traceloc import load


def test_rows(load_one, documents):
    trace = load_one([documents["sharegpt"]])

    assert (trace.format, trace.id) == ("sharegpt", "row-3")
    assert [(step.kind, step.agent) for step in trace.steps] == [
        ("message", "user"),
        ("action", "assistant"),
        ("result", "stock"),
        ("message", "assistant"),
    ]
    assert trace.steps[1].tool_calls[0].arguments == {"sku": 7}
    assert trace.steps[2].tool_result.call_step == 1
    assert trace.agent("assistant").instructions == "You keep the stock."


def test_calls_in_tags(load_one):
    value = 'Let me see.\n<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>'
    trace = load_one({"conversations": [{"from": "gpt", "value": value}]})
    assert trace.steps[0].tool_calls[0].arguments == {"x": 1}
    assert trace.steps[0].text == value


def test_harness_export(shared):
    traces = list(load(shared / "samples" / "sharegpt_traces", strict=True))
    assert [len(trace.steps) for trace in traces] == [5, 7]
    assert all(trace.tools and trace.session_id for trace in traces)
    for trace in traces:
        assert trace.task.startswith("Create a file called hello.txt")
        assert trace.steps[4].tool_calls[0].name == "str_replace_editor"
    done = traces[1].steps
    assert (done[5].kind, done[5].agent) == ("result", "str_replace_editor")
    assert done[4].tool_calls[0].result_step == 5


def test_rows_that_know_but_users_and_assistants(load_one):
    call = '<tool_call>{"name": "stock", "arguments": {"sku": 7}}</tool_call>'
    turns = [
        ("user", "You are a clerk. Use your tools."),
        ("user", "How many lamps?"),
        ("assistant", call),
        ("user", "12"),
        ("assistant", "Twelve."),
        ("user", "Thanks."),
    ]
    trace = load_one({"conversations": [{"role": r, "content": c} for r, c in turns]})
    assert [(step.kind, step.agent) for step in trace.steps] == [
        ("system", "system"),
        ("message", "user"),
        ("action", "assistant"),
        ("result", "stock"),
        ("message", "assistant"),
        ("message", "user"),
    ]
    assert trace.task == "How many lamps?" and trace.steps[2].tool_calls[0].result_step == 3
    assert trace.agent("assistant").instructions == "You are a clerk. Use your tools."
    # Where a row has results of its own, what a user says is a user's.
    turns[3:4] = [("tool", "12"), ("user", "And red ones?")]
    trace = load_one({"conversations": [{"role": r, "content": c} for r, c in turns]})
    assert [s.agent for s in trace.steps if s.kind == "message"][:3] == ["user", "user", "user"]
