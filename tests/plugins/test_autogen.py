from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceloc import load

ROOT = Path(__file__).parents[2]
LEDGER = {"is_in_loop": {"answer": True, "reason": "again"}}


def team(*messages, **fields):
    """A result with a message for each (source, type, content); a dict stands for itself."""
    keys = ("source", "type", "content")
    rows = [m if isinstance(m, dict) else dict(zip(keys, m, strict=True)) for m in messages]
    return {"messages": rows, **fields}


def test_each_type_is_the_step_it_stands_for(load_one, documents):
    trace = load_one(documents["autogen"])

    assert trace.format == "autogen"
    assert [(s.native_index, s.kind, s.agent, s.to, s.flags) for s in trace.steps] == [
        (0, "message", "user", (), ()),
        (1, "thought", "clerk", (), ()),
        (2, "action", "clerk", (), ()),
        (3, "result", "stock", (), ()),
        (3, "result", "stock", (), ()),
        (4, "message", "clerk", (), ("duplicate",)),
        (5, "handoff", "clerk", ("writer",), ()),
        (6, "message", "writer", (), ()),
        (7, "message", "writer", (), ()),
    ]
    thought, request, worked, failed = trace.steps[1:5]
    assert [call.arguments for call in request.tool_calls] == [{"sku": 7}, "{broken"]
    assert [call.result_step for call in request.tool_calls] == [3, 4]
    assert worked.error is None
    assert failed.error.kind == "tool" and failed.error.declared
    assert request.usage.input == 5 and request.timestamp.isoformat() == "2026-03-09T10:00:00+00:00"
    assert thought.llm_call_id == request.llm_call_id == "m2"
    assert trace.steps[7].text == '{"lamps":12}'
    assert {agent.name: agent.kind for agent in trace.agents} == {
        "user": "human",
        "clerk": "worker",
        "stock": "tool",
        "writer": "worker",
    }
    assert trace.task == "How many lamps are left?"
    assert trace.attributes == {"stop_reason": "Maximum number of messages reached"}


@pytest.mark.parametrize("shape", ["list", "lines", "stream", "results", "lines of results"])
def test_shapes_of_files(load_all, documents, shape):
    result = documents["autogen"]
    (expected,) = load_all(result)
    messages = result["messages"]
    document = {
        "list": messages,
        "lines": "\n".join(map(json.dumps, messages)),
        "stream": "\n".join(map(json.dumps, [*messages, result])),
        "results": [result, result],
        "lines of results": f"{json.dumps(result)}\n{json.dumps(result)}\n",
    }[shape]
    traces = load_all(document)
    assert len(traces) == (2 if "results" in shape else 1)
    for trace in traces:
        assert trace.steps == expected.steps
    assert bool(traces[0].attributes) == (shape not in ("list", "lines"))


def test_orchestrator_orders_and_ledgers(load_one):
    boss = "MagenticOneOrchestrator"
    trace = load_one(
        team(
            ("user", "TextMessage", "Count the lamps."),
            (boss, "TextMessage", "We are working on this: count the lamps."),
            (boss, "TextMessage", f"Progress Ledger:\n{json.dumps(LEDGER)}"),
            (boss, "TextMessage", "Please count."),
            (boss, "SelectSpeakerEvent", ["Clerk"]),
            ("Clerk", "TextMessage", f"Here: {json.dumps(LEDGER)}"),
            (boss, "TextMessage", "Twelve."),
        )
    )
    assert [(s.kind, s.to) for s in trace.steps] == [
        ("message", ()),
        ("message", ()),
        ("thought", ()),
        ("handoff", ("Clerk",)),
        ("event", ()),
        ("message", ()),
        ("message", ()),
    ]
    assert trace.steps[2].attributes == {"ledger": LEDGER}
    assert trace.steps[5].attributes == {}
    assert trace.agent(boss).kind == "orchestrator"


def test_a_chosen_speaker_is_addressed(load_one):
    trace = load_one(
        team(
            ("user", "TextMessage", "Count."),
            ("Chair", "SelectSpeakerEvent", ["Clerk", "Auditor"]),
            ("Clerk", "TextMessage", "Twelve."),
        )
    )
    assert trace.steps[1].kind == "event" and trace.steps[1].to == ("Clerk", "Auditor")
    assert trace.agent("Chair").kind == "orchestrator"


def test_an_agent_that_is_a_tool_gets_its_order_from_the_agent_that_calls_it(load_one):
    asked = [
        {"id": "c1", "name": "clerk", "arguments": '{"task": "Count."}'},
        {"id": "c2", "name": "bell", "arguments": '{"times": "2"}'},
    ]
    gave = [
        {"content": "12", "name": "clerk", "call_id": "c1", "is_error": False},
        {"content": "rang", "name": "bell", "call_id": "c2", "is_error": False},
    ]
    trace = load_one(
        team(
            ("user", "TextMessage", "How many lamps?"),
            ("boss", "ToolCallRequestEvent", asked),
            ("user", "TextMessage", "Count."),
            ("clerk", "TextMessage", "12"),
            ("boss", "ToolCallExecutionEvent", gave),
            ("boss", "TextMessage", "Twelve."),
            ("user", "TextMessage", "Thank you."),
        )
    )
    assert trace.task == "How many lamps?"
    assert [(s.kind, s.agent, s.to, s.flags) for s in trace.steps] == [
        ("message", "user", (), ()),
        ("action", "boss", ("clerk",), ()),
        ("handoff", "boss", ("clerk",), ("copied_context",)),
        ("message", "clerk", (), ()),
        ("result", "clerk", (), ()),
        ("result", "bell", (), ()),
        ("message", "boss", (), ()),
        ("message", "user", (), ()),
    ]


def test_people_code_pictures_memories_and_stops(load_one):
    def code(exit_code, output):
        return {
            "source": "shell",
            "type": "CodeExecutionEvent",
            "retry_attempt": 0,
            "result": {"exit_code": exit_code, "output": output},
        }

    trace = load_one(
        team(
            ("user", "MultiModalMessage", ["What is this?", {"data": "aGVsbG8="}]),
            ("coder", "MemoryQueryEvent", [{"content": "Lamps glow.", "mime_type": "text/plain"}]),
            {
                "source": "coder",
                "type": "CodeGenerationEvent",
                "content": "```python\nlamps()\n```",
                "code_blocks": [{"code": "lamps()", "language": "python"}],
            },
            code(1, "boom"),
            code(0, "12"),
            ("boss_proxy", "UserInputRequestedEvent", ""),
            ("boss_proxy", "TextMessage", "Fine."),
            ("coder", "ModelClientStreamingChunkEvent", "Twel"),
            ("coder", "StopMessage", "Twelve."),
            ("MaxMessageTermination", "StopMessage", "Maximum reached"),
        )
    )
    assert [(s.kind, s.role, s.agent) for s in trace.steps] == [
        ("message", "user", "user"),
        ("result", "tool", "memory"),
        ("action", "assistant", "coder"),
        ("result", "tool", "code"),
        ("result", "tool", "code"),
        ("event", "user", "boss_proxy"),
        ("message", "user", "boss_proxy"),
        ("message", "assistant", "coder"),
        ("event", "system", "MaxMessageTermination"),
    ]
    assert trace.steps[0].text == "What is this?\n[image]"
    assert trace.steps[1].text == "Lamps glow."
    assert trace.steps[2].tool_calls[0].result_step == 3
    assert trace.steps[3].error.declared and trace.steps[4].error is None
    assert trace.agent("boss_proxy").kind == "human"
    assert [s.native_index for s in trace.steps] == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def test_a_summary_in_other_words_is_no_duplicate(load_one, documents):
    document = documents["autogen"]
    document["messages"][4]["content"] = "There are a dozen."
    assert load_one(document).steps[5].flags == ()


def test_core_log_tells_each_message_once(load_one):
    def sent(payload, stage="SEND"):
        return {
            "type": "Message",
            "payload": json.dumps(payload),
            "sender": None,
            "receiver": "group_topic_9/9",
            "delivery_stage": f"DeliveryStage.{stage}",
        }

    ask = {"id": "1", "source": "user", "type": "TextMessage", "content": "Count."}
    say = {"id": "2", "source": "clerk", "type": "TextMessage", "content": "Twelve."}
    call = {
        "type": "LLMCall",
        "agent_id": "clerk_9/9",
        "messages": [{"role": "system", "content": "You count."}],
        "tools": [{"type": "function", "function": {"name": "stock"}}],
        "response": {},
    }
    failure = {
        "type": "MessageHandlerException",
        "payload": "{}",
        "handling_agent": "clerk_9/9",
        "exception": "ValueError: no lamps",
    }
    records = [
        sent({"messages": [ask]}),
        sent({"messages": [ask]}, "DELIVER"),
        call,
        sent({"message": say}),
        sent({"response": {"chat_message": say, "inner_messages": []}}),
        sent({}),
        failure,
    ]
    trace = load_one("\n".join(map(json.dumps, records)))
    assert trace.dialect == "events"
    assert [(s.native_index, s.agent, s.text) for s in trace.steps] == [
        (0, "user", "Count."),
        (3, "clerk", "Twelve."),
        (6, "clerk", "ValueError: no lamps"),
    ]
    assert trace.steps[2].error.type == "ValueError"
    assert trace.agent("clerk").instructions == "You count."
    assert [tool.name for tool in trace.tools] == ["stock"]
    assert trace.attributes == {} and trace.diagnostics == ()


def test_state_of_a_lone_agent(load_one):
    context = [
        {"type": "UserMessage", "source": "user", "content": "Count."},
        {
            "type": "AssistantMessage",
            "source": "clerk",
            "thought": "I look it up.",
            "content": [{"id": "c1", "name": "stock", "arguments": "{}"}],
        },
        {
            "type": "FunctionExecutionResultMessage",
            "content": [{"content": "12", "name": "stock", "call_id": "c1", "is_error": False}],
        },
    ]
    state = {"type": "AssistantAgentState", "llm_context": {"messages": context}}
    trace = load_one(state)
    assert trace.dialect == "state" and trace.task == "Count."
    assert [(s.kind, s.agent) for s in trace.steps] == [
        ("message", "user"),
        ("action", "clerk"),
        ("result", "stock"),
    ]
    assert trace.steps[1].reasoning == "I look it up."


def test_ground_truth_is_kept_apart(load_one, documents):
    document = documents["autogen"]
    document["messages"][7]["metadata"] = {"expected_answer": "31415", "lang": "en"}
    document["reward"] = 0.0
    trace = load_one(document)
    assert "31415" not in trace.blind().model_dump_json()
    assert trace.steps[8].attributes == {"metadata": {"lang": "en"}}
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "score")


def test_broken_messages_are_skipped(load_one, documents):
    document = documents["autogen"]
    document["messages"][5] = 17
    document["messages"][2]["created_at"] = "yesterday"
    document["messages"][2]["content"].append("no call")
    trace = load_one(document)
    assert [s.native_index for s in trace.steps] == [0, 1, 2, 3, 3, 4, 6, 7]
    assert trace.steps[2].timestamp is None
    assert trace.diagnostics[0].kind == "skipped"


def test_library_output(shared):
    folder = shared / "samples" / "autogen_agentchat"
    files = [
        "autogen_task_result.json",
        "autogen_messages.json",
        "autogen_team_state.json",
        "autogen_core_events.jsonl",
    ]
    traces = [trace for file in files for trace in load(folder / file, strict=True)]
    assert [trace.format for trace in traces] == ["autogen"] * 4
    # One run, told four ways: the same steps, and so the same id.
    assert len({trace.id for trace in traces}) == 1
    for trace in traces:
        assert [(s.kind, s.to) for s in trace.steps if s.agent == "researcher"] == [
            ("action", ()),
            ("thought", ()),
            ("handoff", ("booker",)),
            ("handoff", ("booker",)),
        ]
        # The framework repeats what the tool that hands over returned.
        assert [s.flags for s in trace.steps if s.to] == [(), ("duplicate",)]
        assert [s.error.kind for s in trace.steps if s.error] == ["timeout"]
    (log,) = load(folder / "autogen_agentchat_events.jsonl", strict=True)
    assert [s.kind for s in log.steps if s.tool_calls] == ["action", "handoff", "action"]


def test_label_of_the_example_joins():
    examples = ROOT / "examples"
    rows = [json.loads(line) for line in (examples / "labels.jsonl").read_text().splitlines()]
    (row,) = [row for row in rows if row["group"] == "checkout-outage"]
    (trace,) = load(examples / row["file"], strict=True)
    (step,) = [step for step in trace.steps if step.native_index == row["step"]]
    assert (step.agent, step.kind, step.to) == (row["agent"], "handoff", ("DeployHistorian",))
    assert [s.native_index for s in trace.steps] == list(range(18))
