"""How failures are told: each once, by the span it is of, and by the agent it befell."""

from __future__ import annotations

import json

import pytest

KIND = "traceloop.span.kind"
OPERATION = "gen_ai.operation.name"
MET = "lc_agent_name"
SCOPE = "opentelemetry.instrumentation.langchain"


def failed(message: str) -> dict:
    return {"status": {"code": 2, "message": message}}


def crew(otel, *spans: dict, end: str):
    """A workflow in which a stock look-up failed before it ended otherwise."""
    looked = {OPERATION: "execute_tool", "gen_ai.tool.name": "stock"}
    return otel.read(
        otel.otlp(
            otel.span(3, "execute_tool stock", (1, 2), 2, attributes=looked, **failed("no sku")),
            *spans,
            otel.span(2, "clerk", (0, 6), 1, attributes={KIND: "agent"}),
            otel.span(1, "shop", (0, 9), attributes={KIND: "workflow"}, **failed(end)),
        )
    )


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("the till is empty", ["no sku", "the till is empty"]),
        ("no sku", ["no sku"]),
        ("Error in run: no sku", ["no sku"]),
        ("", ["no sku"]),
    ],
)
def test_a_run_that_stood_one_failure_ends_by_another(otel, end, told) -> None:
    trace = crew(otel, end=end)
    assert [step.error.message for step in trace.steps if step.error] == told
    assert trace.outcome.status == "failed"


def test_a_failure_that_both_sides_introduce(otel) -> None:
    asked = {OPERATION: "chat"}
    died = otel.span(4, "chat m", (4, 5), 2, attributes=asked, **failed("Model: line cut"))
    trace = crew(otel, died, end="Run: line cut")
    assert [s.error.message for s in trace.steps if s.error] == ["no sku", "Model: line cut"]


def test_langchain_s_agents_as_tools(otel) -> None:
    """The span of a sub-agent stands beside the one its work is recorded below."""

    def of(agent: str, **more: str) -> dict[str, str]:
        named = {f"traceloop.association.properties.{MET}": agent, **more}
        return {"traceloop.association.properties.langgraph_node": "tools", **named}

    asked = {
        OPERATION: "chat",
        "gen_ai.output.messages": json.dumps([otel.call("stock", {"sku": 7}, "c7")]),
    }
    looked = {OPERATION: "execute_tool", "gen_ai.tool.name": "stock", "gen_ai.tool.call.id": "c7"}
    invoked = {OPERATION: "invoke_agent", "gen_ai.agent.name": "counter"}
    trace = otel.read(
        otel.otlp(
            otel.span(5, "m.chat", (3, 4), 4, attributes=of("counter", **asked)),
            otel.span(
                6, "execute_tool", (5, 6), 4, attributes=of("counter", **looked), **failed("no sku")
            ),
            otel.span(
                4,
                "counter",
                (2, 7),
                2,
                attributes=of("counter", **{KIND: "task"}),
                **failed("no sku"),
            ),
            otel.span(
                3, "invoke_agent", (2, 7), 2, attributes=of("desk", **invoked), **failed("no sku")
            ),
            otel.span(
                2,
                "execute_tool ask",
                (1, 8),
                1,
                attributes=of("desk", **{OPERATION: "execute_tool", "gen_ai.tool.name": "ask"}),
                **failed("no sku"),
            ),
            otel.span(1, "desk.workflow", (0, 9), attributes=of("desk", **{KIND: "workflow"})),
            scope=SCOPE,
        )
    )
    assert [(s.kind, s.agent) for s in trace.steps] == [
        ("action", "desk"),
        ("action", "counter"),
        ("result", "stock"),
        ("result", "ask"),
    ]
    assert trace.agent("counter").parent == "desk"


def test_what_a_decorated_function_returned(otel) -> None:
    """It is written as JSON, words too."""
    text = '{"sku": 7, "left": 12}'
    ran = {
        KIND: "tool",
        "traceloop.entity.name": "stock",
        "traceloop.entity.input": json.dumps({"args": [], "kwargs": {"sku": 7}}),
        "traceloop.entity.output": json.dumps(text),
    }
    broken = {**ran, "traceloop.entity.output": '"{'}
    trace = otel.read(
        otel.otlp(
            otel.span(2, "stock.tool", (1, 2), 1, attributes=ran),
            otel.span(3, "stock.tool", (3, 4), 1, attributes=broken),
            otel.span(1, "clerk", (0, 5), attributes={KIND: "agent"}),
        )
    )
    assert [s.text for s in trace.steps if s.kind == "result"] == [text, '"{']


def test_pydantic_s_list_of_faults_is_an_error(otel) -> None:
    """Output that does not fit its schema; the tool that takes it has no span."""
    faults = [{"type": "float_parsing", "loc": ["eur"], "msg": "Input should be a valid number"}]
    listed = [{"type": "lamp", "sku": 7}]
    calls = [otel.call("final_result", {"eur": "many"}, f"c{number}") for number in (1, 2)]
    answers = [
        {"type": "tool_call_response", "id": f"c{number}", "response": json.dumps(value)}
        for number, value in ((1, faults), (2, listed))
    ]
    given = [otel.ASK]
    spans = []
    for number, call in enumerate(calls):
        spans.append(
            otel.span(
                number + 2, "chat m", (number, number + 1), 1, attributes=otel.chat(given, [call])
            )
        )
        given = [*given, call, {"role": "tool", "parts": [answers[number]]}]
    last = otel.span(9, "chat m", (5, 6), 1, attributes=otel.chat(given, [otel.DONE]))
    root = otel.span(1, "invoke_agent clerk", (0, 9), attributes={OPERATION: "invoke_agent"})
    trace = otel.read(otel.otlp(*spans, last, root))
    errors = [step.error for step in trace.steps if step.kind == "result"]
    assert errors[0] is not None and errors[1] is None
    assert (errors[0].kind, errors[0].message) == ("parse", "Input should be a valid number")
