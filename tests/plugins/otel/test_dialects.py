"""What each instrumentation calls the same things."""

from __future__ import annotations

import json
from typing import Any

import pytest

OPERATION = "gen_ai.operation.name"


def test_numbered_prompts_of_old_instrumentations(otel) -> None:
    model = {
        "llm.request.type": "chat",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "How much?",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.name": "price",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"item": "tea"}',
    }
    ran = {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "price",
        "traceloop.entity.output": "9",
    }
    trace = otel.read(
        otel.otlp(
            otel.span(1, "openai.chat", (0, 1), attributes=model),
            otel.span(2, "price.tool", (2, 3), attributes=ran),
        ),
    )
    assert [s.kind for s in trace.steps] == ["message", "action", "result"]
    assert trace.steps[1].tool_calls[0].result_step == 2


def test_content_in_events_and_in_log_records(otel) -> None:
    said = json.dumps({"role": "assistant", "content": "18 EUR"})
    old = otel.span(
        1,
        "chat m",
        (0, 1),
        attributes={OPERATION: "chat"},
        events=[
            ("gen_ai.system.message", {"content": "Be brief."}),
            ("gen_ai.user.message", {"content": "How much?"}),
            ("gen_ai.choice", {"index": 0, "message": said}),
        ],
    )
    assert [s.text for s in otel.read(otel.otlp(old)).steps] == ["Be brief.", "How much?", "18 EUR"]
    body = {"gen_ai.input.messages": [otel.ASK], "gen_ai.output.messages": [otel.DONE]}
    record = {
        "traceId": otel.TRACE,
        "spanId": f"{1:016x}",
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": otel.pairs(body),
    }
    logs = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    bare = otel.span(1, "chat m", (0, 1), attributes={OPERATION: "chat"})
    for documents in ((otel.otlp(bare), logs), (logs, otel.otlp(bare))):
        assert [s.text for s in otel.read(*documents).steps][-1] == "18 EUR"


def test_the_agent_is_never_a_placeholder(otel) -> None:
    """Trap 3a: the right name is on the nearest ancestor."""
    said = "ResponseFunctionToolCall(arguments='{\"item\": \"tea\"}', call_id='c1', name='price')"
    model = otel.chat([otel.ASK], [otel.text("assistant", said)], agent="OpenAI Agent")
    ran = otel.tool("price", None, "9", **{"gen_ai.agent.name": "OpenAI Agent"})
    ran["gen_ai.tool.call.arguments"] = '{"item": "tea"}'
    above = {OPERATION: "invoke_agent", "gen_ai.agent.name": "researcher"}
    trace = otel.read(
        otel.otlp(
            otel.span(3, "chat", (1, 2), 2, attributes=model),
            otel.span(4, "execute_tool price", (3, 4), 2, attributes=ran),
            otel.span(2, "unknown", (1, 5), 1, attributes={OPERATION: "unknown"}),
            otel.span(1, "invoke_agent researcher", (0, 6), attributes=above),
        ),
    )
    action, result = trace.steps[1:]
    assert (action.agent, action.text) == ("researcher", "")
    assert action.tool_calls[0].arguments == {"item": "tea"}
    assert result.tool_result is not None and result.tool_result.call_step == action.index
    assert "OpenAI Agent" not in {agent.name for agent in trace.agents}


@pytest.mark.parametrize(
    "where",
    [
        {"traceloop.association.properties.langgraph_checkpoint_ns": "booker:1-2|agent:3-4"},
        {
            "openinference.span.kind": "LLM",
            "metadata": '{"langgraph_checkpoint_ns": "booker:1-2|agent:3-4"}',
            "llm.output_messages.0.message.content": "18 EUR",
        },
    ],
)
def test_langgraph_agents_are_in_the_namespace(otel, where: dict[str, str]) -> None:
    """Traps 3b and 3c: no ancestor says it, and a node called agent is no agent."""
    model = {**otel.chat([otel.ASK], [otel.DONE], agent=None), **where}
    node = {"openinference.span.kind": "AGENT", "metadata": '{"langgraph_node": "agent"}'}
    spans = otel.span(2, "ChatModel", (1, 2), 1, attributes=model), otel.span(1, "agent", (0, 3))
    spans[1]["attributes"] = otel.pairs(node)
    assert otel.read(otel.otlp(*spans)).steps[-1].agent == "booker"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (json.dumps(json.dumps({"item": "tea"})), {"item": "tea"}),  # trap 7
        ("{'item': 'tea', 'n': None}", {"item": "tea", "n": None}),  # trap 8
        ("{'item': Tea()}", "{'item': Tea()}"),
    ],
)
def test_arguments_in_every_wrapping(otel, written: str, read_as: Any) -> None:
    found = {"openinference.span.kind": "TOOL", "tool.name": "price", "input.value": written}
    trace = otel.read(otel.otlp(otel.span(1, "price", (0, 1), attributes=found)))
    assert trace.steps[0].tool_calls[0].arguments == read_as


def test_stores_fill_in_what_the_instrumentation_leaves_out(otel) -> None:
    """Spans of Langfuse's and MLflow's SDKs, sent as OTLP."""
    ask = {"role": "user", "content": "How much is tea?"}
    call = {"id": "c1", "type": "function", "function": {"name": "price", "arguments": "{}"}}
    reply = {"choices": [{"message": {"role": "assistant", "tool_calls": [call]}}]}
    message = {"content": "9", "type": "tool", "tool_call_id": "c1", "name": "price"}
    shapes = {
        "langfuse.observation.": ("type", "input", "output", "GENERATION", "SPAN"),
        "mlflow.": ("spanType", "spanInputs", "spanOutputs", '"CHAT_MODEL"', '"CHAIN"'),
    }
    for prefix, (kind, given, gave, model, node) in shapes.items():
        where = {"langfuse.observation.metadata.langgraph_checkpoint_ns": "clerk:1|agent:2"}
        if prefix == "mlflow.":
            where = {"metadata": json.dumps({"langgraph_checkpoint_ns": "clerk:1|agent:2"})}
        asked = {f"{prefix}{kind}": model, f"{prefix}{given}": json.dumps({"messages": [ask]})}
        ran = {f"{prefix}{kind}": node, f"{prefix}{given}": "{}"}
        trace = otel.read(
            otel.otlp(
                otel.span(
                    1,
                    "ChatModel",
                    (0, 1),
                    attributes={**asked, **where, f"{prefix}{gave}": json.dumps(reply)},
                ),
                otel.span(
                    2,
                    "price",
                    (2, 3),
                    attributes={**ran, **where, f"{prefix}{gave}": json.dumps(message)},
                ),
            )
        )
        told = [(s.kind, s.agent, s.text) for s in trace.steps]
        assert told == [
            ("message", "user", "How much is tea?"),
            ("action", "clerk", ""),
            ("result", "price", "9"),
        ]
        assert trace.steps[1].tool_calls[0].result_step == 2
        assert trace.dialect == prefix.split(".")[0]


def test_langgraph_agents_by_the_names_of_their_graphs(otel) -> None:
    """An export without metadata: the span around an agent's inner nodes has the agent's name."""

    def chain(number: int, name: str, at: tuple[int, int], parent: int = 0) -> dict[str, Any]:
        kind = {"openinference.span.kind": "AGENT" if name == "agent" else "CHAIN"}
        return otel.span(number, name, at, parent, attributes=kind)

    model = {
        "openinference.span.kind": "LLM",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "18 EUR",
    }
    trace = otel.read(
        otel.otlp(
            chain(1, "travel desk", (0, 9)),
            chain(2, "booker", (1, 8), 1),
            chain(3, "agent", (2, 7), 2),
            otel.span(4, "ChatModel", (3, 6), 3, attributes=model),
        )
    )
    assert [(s.agent, s.text) for s in trace.steps] == [("booker", "18 EUR")]
    assert trace.agent("booker").attribution == "guess"
