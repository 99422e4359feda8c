"""Habits of single frameworks, as their latest releases show them."""

from __future__ import annotations

import json

import pytest

from traceloc_plugins.spans.messages import read_messages

OPERATION = "gen_ai.operation.name"
KIND = "openinference.span.kind"


@pytest.mark.parametrize(
    "written",
    [
        ["user", "Count the lamps."],
        [["user", "Count the lamps."]],
        {"messages": [["human", "Count the lamps."]]},
        [[["user", "Count the lamps."]]],
    ],
)
def test_langchain_messages_in_short(written) -> None:
    assert [(m.role, m.text) for m in read_messages(written)] == [("user", "Count the lamps.")]


def test_two_texts_are_no_pair() -> None:
    found = read_messages(["Count the lamps.", "And the chairs."])
    assert [m.text for m in found] == ["Count the lamps.", "And the chairs."]


def test_llamaindex_names_agents_in_the_event_of_a_step(otel) -> None:
    def step(agent: str) -> dict[str, str]:
        event = f"AgentSetup(input=[2 items], current_agent_name='{agent}')"
        return {KIND: "CHAIN", "input.value": json.dumps({"ctx": "<Context>", "ev": event})}

    asked = {
        KIND: "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "How much is tea?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "price",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
    }
    said = {
        KIND: "LLM",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "9 EUR",
    }
    prepared = {KIND: "LLM", "output.value": json.dumps({"messages": ["ChatMessage(role='user')"]})}
    output = {
        "blocks": [{"text": "9"}],
        "tool_name": "price",
        "raw_input": {"kwargs": {}},
        "raw_output": "9",
        "is_error": True,
    }
    ran = {KIND: "TOOL", "tool.name": "price", "output.value": json.dumps(output)}
    trace = otel.read(
        otel.otlp(
            otel.span(2, "OpenAI._prepare_chat_with_tools", (1, 2), 1, attributes=prepared),
            otel.span(3, "OpenAI.astream_chat", (2, 3), 1, attributes=asked),
            otel.span(1, "AgentWorkflow.run_agent_step", (0, 4), 9, attributes=step("clerk")),
            otel.span(4, "FunctionTool.acall", (5, 6), 9, attributes=ran),
            otel.span(6, "OpenAI.astream_chat", (8, 9), 5, attributes=said),
            otel.span(5, "AgentWorkflow.run_agent_step", (7, 10), 9, attributes=step("writer")),
            otel.span(9, "AgentWorkflow.run", (0, 11), attributes={KIND: "CHAIN"}),
        ),
    )
    assert [(s.kind, s.agent, s.text) for s in trace.steps] == [
        ("message", "user", "How much is tea?"),
        ("action", "clerk", ""),
        ("result", "price", "9"),
        ("message", "writer", "9 EUR"),
    ]
    assert trace.steps[2].error is not None
    assert trace.steps[1].tool_calls[0].result_step == 2


def test_what_runs_inside_a_delegation_is_the_other_agents(otel) -> None:
    """CrewAI's spans name no agent below the tool that delegates."""
    order = {"task": "Book it.", "context": "", "coworker": "booker"}
    outer = {KIND: "TOOL", "tool.name": "Delegate work to coworker", "output.value": "Booked."}
    inner = {KIND: "TOOL", "tool.name": "book", "input.value": "{}", "output.value": "BA77"}
    lead = {KIND: "AGENT", "graph.node.id": "lead", "output.value": "Booked, sir."}
    trace = otel.read(
        otel.otlp(
            otel.span(3, "book.run", (2, 3), 2, attributes=inner),
            otel.span(
                2,
                "Delegate work to coworker.run",
                (1, 4),
                1,
                attributes={**outer, "input.value": json.dumps(order)},
            ),
            otel.span(1, "lead._execute_core", (0, 5), attributes=lead),
        ),
    )
    acted = [(s.agent, s.tool_calls[0].name, s.to) for s in trace.steps if s.tool_calls]
    assert acted == [("lead", "Delegate work to coworker", ("booker",)), ("booker", "book", ())]
    assert trace.agent("booker").parent == "lead"


def test_what_google_adk_relays_is_a_copy(otel) -> None:
    relayed = otel.text("user", "For context: \n[clerk] said: It is 9 EUR.")
    trace = otel.read(
        otel.otlp(
            otel.span(1, "chat", (0, 1), attributes=otel.chat([otel.ASK], [otel.LOOK])),
            otel.span(
                2,
                "chat",
                (2, 3),
                attributes=otel.chat([otel.ASK, relayed], [otel.DONE], agent="writer"),
            ),
        ),
    )
    flags = {step.text[:11]: step.flags for step in trace.steps if step.role == "user"}
    assert flags == {"How much is": (), "For context": ("copied_context",)}
