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


def test_a_message_written_as_python(otel) -> None:
    """The instrumentation of OpenAI's agents does so where a response holds only calls."""
    call = {"id": "c1", "function": {"name": "price", "arguments": '{"item": "tea"}'}}
    said = {"content": None, "role": "assistant", "audio": None, "tool_calls": [call]}
    rules = otel.text("system", "You sell tea.")
    answer = {"type": "tool_call_response", "id": "c1", "result": "9"}
    answered = {"role": "tool", "parts": [{"type": "text", "content": "9"}, answer]}
    ruled = {"gen_ai.system_instructions": json.dumps(rules["parts"])}
    asked = otel.chat([rules, otel.ASK], [otel.text("assistant", str(said))], **ruled)
    given = [rules, otel.ASK, otel.LOOK, answered]
    trace = otel.read(
        otel.otlp(
            otel.span(2, "chat m", (1, 2), 1, attributes=asked),
            otel.span(4, "chat m", (4, 5), 1, attributes=otel.chat(given, [otel.DONE], **ruled)),
            otel.span(1, "invoke_agent clerk", (0, 6), attributes={KIND: "AGENT"}),
        )
    )
    assert [(s.kind, s.text) for s in trace.steps] == [
        ("system", "You sell tea."),
        ("message", "How much is 2 kg of tea?"),
        ("action", ""),
        ("result", "9"),
        ("message", "18 EUR"),
    ]
    assert trace.steps[2].tool_calls[0].arguments == {"item": "tea"}
    assert trace.steps[2].tool_calls[0].result_step == 3


def test_metadata_in_the_quotes_of_json(otel) -> None:
    """As Langfuse's SDK of version 5 sends LangGraph's metadata."""

    def of(agent: str, node: str, **more: str) -> dict[str, str]:
        metadata = {"langgraph_checkpoint_ns": f"{node}:9a-1", "lc_agent_name": agent}
        flat = {f"langfuse.observation.metadata.{k}": json.dumps(v) for k, v in metadata.items()}
        return {**flat, "langfuse.observation.type": "generation", **more}

    said = json.dumps([{"role": "assistant", "content": "Twelve."}])
    spoken = {"langfuse.observation.output": said}
    trace = otel.read(
        otel.otlp(
            otel.span(2, "m", (1, 2), 1, attributes=of("desk", "model", **spoken)),
            otel.span(3, "m", (3, 4), 1, attributes=of("counter", "branch", **spoken)),
            otel.span(1, "shop", (0, 5), attributes={"langfuse.observation.type": "chain"}),
        )
    )
    assert [step.agent for step in trace.steps] == ["desk", "branch"]


@pytest.mark.parametrize("name", ["route_to_active_agent", "PatchMiddleware.before_agent"])
def test_a_word_in_its_name_makes_no_agent(otel, name) -> None:
    """OpenInference calls every runnable with "agent" in its name one: edges and hooks too."""
    node = name if "." in name else "__start__"
    inside = {"langgraph_node": node, "langgraph_checkpoint_ns": f"{node}:1a", "langgraph_step": 1}
    hook = {
        KIND: "AGENT",
        "input.value": json.dumps({"messages": [{"type": "human", "content": "Count."}]}),
        "output.value": "clerk",
        "metadata": json.dumps(inside),
    }
    said = {
        KIND: "LLM",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Twelve.",
        "metadata": json.dumps({"langgraph_checkpoint_ns": "clerk:9a|model:7b"}),
    }
    summed = {
        **said,
        "llm.output_messages.0.message.content": "So far: nothing.",
        "metadata": json.dumps({**inside, "lc_agent_name": "clerk"}),
    }
    spans = [
        otel.span(2, name, (1, 2), 1, attributes=hook),
        otel.span(4, "ChatModel", (3, 4), 1, attributes=said),
        otel.span(1, "team", (0, 5), attributes={KIND: "CHAIN"}),
    ]
    if "." in name:
        spans.insert(0, otel.span(3, "ChatModel", (1, 2), 2, attributes=summed))
    trace = otel.read(otel.otlp(*spans))
    assert {step.agent for step in trace.steps} == {"clerk"}
    assert trace.steps[-1].text == "Twelve."


def test_words_put_in_another_agent_s_mouth(otel) -> None:
    """A supervisor's library lets its agents say that they hand back."""

    def given(number: int, role: str, **more: str) -> dict[str, str]:
        named = {"role": role, **more}
        return {f"llm.input_messages.{number}.message.{k}": v for k, v in named.items()}

    def spoken(agent: str, text: str, **before: str) -> dict[str, str]:
        return {
            KIND: "LLM",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": text,
            "metadata": json.dumps({"langgraph_checkpoint_ns": f"{agent}:9a"}),
            **before,
        }

    back = given(1, "assistant", name="counter", content="Transferring back to boss")
    asked = given(0, "user", content="Count.")
    trace = otel.read(
        otel.otlp(
            otel.span(2, "ChatModel", (1, 2), 1, attributes=spoken("counter", "Twelve.", **asked)),
            otel.span(
                3, "ChatModel", (3, 4), 1, attributes=spoken("boss", "Fine.", **asked, **back)
            ),
            otel.span(1, "team", (0, 5), attributes={KIND: "CHAIN"}),
        )
    )
    assert [(s.agent, s.text, s.flags) for s in trace.steps[1:]] == [
        ("counter", "Twelve.", ()),
        ("counter", "Transferring back to boss", ("copied_context",)),
        ("boss", "Fine.", ()),
    ]


def test_an_id_that_was_not_specified(otel) -> None:
    """Google ADK writes so on the span of a tool that raised."""
    failed = {"code": 2, "message": "RuntimeError: no such sku"}
    ran = otel.tool("price", "<not specified>")
    trace = otel.read(
        otel.otlp(
            otel.span(2, "chat m", (1, 2), 1, attributes=otel.chat([otel.ASK], [otel.LOOK])),
            otel.span(3, "execute_tool price", (3, 4), 1, attributes=ran, status=failed),
            otel.span(1, "invoke_agent clerk", (0, 5), status=failed),
        )
    )
    assert [(s.kind, s.error is not None) for s in trace.steps] == [
        ("message", False),
        ("action", False),
        ("result", True),
    ]
    assert trace.steps[1].tool_calls[0].result_step == 2
