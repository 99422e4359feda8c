from __future__ import annotations

import json

import pytest


def test_steps_calls_results_and_errors(load_one, documents):
    trace = load_one(documents["openai_chat"])

    assert trace.format == "openai_chat"
    assert [step.kind for step in trace.steps] == [
        "system", "message", "action", "result", "message",
    ]  # fmt: skip
    call = trace.steps[2].tool_calls[0]
    assert (call.name, call.arguments, call.result_step) == ("stock", {"sku": 7}, 3)
    assert trace.steps[3].agent == "stock"
    assert trace.steps[3].error is not None and not trace.steps[3].error.declared
    assert trace.agent("assistant").instructions == "You keep the stock of a shop."
    assert trace.task == "How many lamps are left?"
    assert [tool.name for tool in trace.tools] == ["stock"]


@pytest.mark.parametrize("shape", ["bare", "list", "lines", "message a line", "request"])
def test_shapes_of_a_file(load_all, documents, shape):
    chat = documents["openai_chat"]
    document = {
        "bare": chat["messages"],
        "list": [chat, chat],
        "lines": "\n".join([json.dumps(chat)] * 2),
        "message a line": "\n".join(json.dumps(message) for message in chat["messages"]),
        "request": {
            "request": {"messages": chat["messages"][:-1], "model": "m"},
            "response": {"choices": [{"message": chat["messages"][-1]}]},
        },
    }[shape]

    traces = load_all(document)

    assert len(traces) == (2 if shape in ("list", "lines") else 1)
    for trace in traces:
        assert [step.native_index for step in trace.steps] == [0, 1, 2, 3, 4]
        assert trace.steps[-1].text == "Twelve."


def test_older_and_other_dialects_of_calls(load_one):
    trace = load_one(
        [
            {"role": "user", "content": [{"type": "text", "text": "go"}]},
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "1"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "text", "text": "look"},
                    {"type": "tool_use", "id": "a", "name": "g", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "no", "is_error": True},
                    {"type": "text", "text": "and now?"},
                ],
            },
            {"type": "function_call", "call_id": "b", "name": "h", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "b", "output": "2"},
        ]
    )
    assert [(step.native_index, step.kind, step.agent) for step in trace.steps] == [
        (0, "message", "user"),
        (1, "action", "assistant"),
        (2, "result", "f"),
        (3, "action", "assistant"),
        (4, "result", "g"),
        (4, "message", "user"),
        (5, "action", "assistant"),
        (6, "result", "h"),
    ]
    assert [step.tool_result.call_step for step in trace.steps if step.tool_result] == [1, 3, 6]
    assert (trace.steps[3].reasoning, trace.steps[3].text) == ("hm", "look")
    assert trace.steps[4].error.declared


def test_a_transfer_to_an_agent_of_the_chat_is_a_handoff(load_one):
    call = {"id": "a", "function": {"name": "transfer_to_clerk", "arguments": "{}"}}
    trace = load_one(
        [
            {"role": "user", "content": "go"},
            {"role": "assistant", "name": "lead", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "transferred"},
            {"role": "assistant", "name": "Clerk", "content": "done"},
        ]
    )
    assert trace.format == "openai_chat"
    assert (trace.steps[1].kind, trace.steps[1].to) == ("handoff", ("Clerk",))
    assert trace.agent("lead").kind == "orchestrator"
    assert not any(step.error for step in trace.steps)


def test_what_is_no_message_keeps_its_place(load_one):
    trace = load_one(
        [
            {"role": "user", "content": "go"},
            "noise",
            None,
            {"role": "assistant", "content": {"odd": [1, None]}, "seed": 3},
            {"role": 5, "content": 7},
        ],
        format="openai_chat",
    )
    assert [step.native_index for step in trace.steps] == [0, 3, 4]
    assert trace.steps[1].attributes == {"seed": 3}
    assert [(note.kind, note.count) for note in trace.diagnostics] == [("skipped", 2)]


def test_a_second_answer_to_a_call_is_flagged_and_kept(load_one, documents):
    messages = documents["openai_chat"]["messages"]
    trace = load_one([*messages[:4], messages[3], messages[4]])
    assert [step.flags for step in trace.steps[3:5]] == [(), ("duplicate",)]


def test_judged_steps_are_truth(load_one, documents):
    chat = documents["openai_chat"] | {
        "step_labels": {"2": 1, "4": -1},
        "final_label": -1,
        "ground_truth": {"target": ["11"]},
        "answer_text": "12",
    }
    trace = load_one(chat)
    assert trace.outcome.status == "failed"
    assert trace.truth.labels[0].native_index == 4
    assert not trace.attributes


def test_refusals_and_recordings_are_words(load_one):
    trace = load_one(
        [
            {"role": "user", "content": "Say it."},
            {"role": "assistant", "content": None, "refusal": "I will not."},
            {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "Lamp."}},
        ]
    )
    assert [step.text for step in trace.steps] == ["Say it.", "I will not.", "Lamp."]


def test_two_calls_with_one_id_have_two_results(load_one):
    calls = [{"id": "c", "function": {"name": "stock", "arguments": n}} for n in ("1", "2")]
    answers = [{"role": "tool", "tool_call_id": "c", "content": text} for text in ("7", "Error: x")]
    chat = [{"role": "assistant", "content": None, "tool_calls": calls}, *answers]
    trace = load_one([*chat, answers[1]])
    assert [(s.agent, s.flags, bool(s.error)) for s in trace.steps[1:]] == [
        ("stock", (), False),
        ("stock", (), True),
        ("tool", ("duplicate",), True),
    ]
    assert [call.result_step for call in trace.steps[0].tool_calls] == [1, 2]
