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
