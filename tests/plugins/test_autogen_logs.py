"""AutoGen's console and event logs."""

from __future__ import annotations

import json

import pytest

from traceloc import load


def test_console(load_one, documents):
    rule = "-" * 10
    second = "FunctionCall(id='c2', arguments='{}', name='transfer_to_writer')"
    text = f"""{rule} TextMessage (user) {rule}
How many lamps are left?
{rule} ToolCallRequestEvent (clerk) {rule}
[FunctionCall(id='c1', arguments='{{"sku": 7}}', name='stock'), {second}]
[Prompt tokens: 5, Completion tokens: 2]
{rule} ToolCallExecutionEvent (clerk) {rule}
[FunctionExecutionResult(content='no such sku', name='stock', call_id='c1', is_error=True)]
{rule} HandoffMessage (clerk) {rule}
Go on.
{rule} CodeExecutionEvent[x] (writer) {rule}
  indented
{rule} Summary {rule}
Finish reason: Text 'TERMINATE' mentioned
Duration: 0.2 seconds
"""
    trace = load_one(text)
    assert (trace.format, trace.dialect) == ("autogen", "console")
    assert [(s.kind, s.agent, s.to) for s in trace.steps[:4]] == [
        ("message", "user", ()),
        ("action", "clerk", ()),
        ("result", "stock", ()),
        ("handoff", "clerk", ("writer",)),
    ]
    assert trace.steps[1].tool_calls[0].arguments == {"sku": 7}
    assert trace.steps[1].usage.output == 2 and trace.steps[2].error.declared
    assert trace.steps[4].text == "  indented"
    assert trace.attributes["stop_reason"] == "Text 'TERMINATE' mentioned"
    old = text.replace("ToolCallRequestEvent (clerk)", "clerk").replace(
        "TextMessage (user)", "user"
    )
    assert [s.kind for s in load_one(old).steps] == [s.kind for s in trace.steps]


@pytest.mark.parametrize("prefix", ["", "2026-03-09 10:00:00 INFO autogen_core.events: "])
def test_log_of_calls_only(load_one, prefix):
    asked = [{"role": "system", "content": "You count."}, {"role": "user", "content": "Count."}]
    tool = {"role": "tool", "tool_call_id": "c2", "content": "Error: no lamps"}

    def call(messages, **message):
        choice = {"message": {"role": "assistant", "content": None, **message}}
        return {
            "type": "LLMCall",
            "agent_id": "clerk_9/9",
            "messages": messages,
            "response": {"choices": [choice]},
            "prompt_tokens": 5,
            "completion_tokens": 1,
        }

    calls = [{"id": f"c{n}", "function": {"name": "stock", "arguments": "{}"}} for n in (1, 2)]
    records = [
        call(asked, tool_calls=calls),
        {"type": "ToolCall", "agent_id": "clerk_9/9", "tool_name": "stock", "result": "12"},
        call([*asked, tool], content="Twelve."),
    ]
    trace = load_one("\n".join(prefix + json.dumps(record) for record in records))
    assert trace.dialect == "events" and trace.task == "Count."
    assert [(s.kind, s.agent, s.text) for s in trace.steps] == [
        ("message", "user", "Count."),
        ("action", "clerk", ""),
        ("result", "stock", "12"),
        ("result", "stock", "Error: no lamps"),
        ("message", "clerk", "Twelve."),
    ]
    assert [c.result_step for c in trace.steps[1].tool_calls] == [2, 3]
    assert not trace.steps[3].error.declared


@pytest.mark.parametrize("name", ["console.log", "agentchat_events.jsonl", "core_events.jsonl"])
def test_team_story(shared, name):
    (trace,) = load(shared / "samples/autogen_agentchat" / f"autogen_{name}", strict=True)
    (book,) = [s for s in trace.steps if any(c.name == "book" for c in s.tool_calls)]
    assert book.agent == "booker" and book.tool_calls[0].arguments == {"flight_id": "LH123"}
    assert trace.steps[book.tool_calls[0].result_step].text == "booked LH123"
    (failed,) = [s for s in trace.steps if s.error]
    assert failed.agent == "get_fx_rate" and failed.error.declared
    handed = [s for s in trace.steps if s.kind == "handoff" and not s.flags]
    assert [(s.agent, s.to) for s in handed] == [("researcher", ("booker",))]
