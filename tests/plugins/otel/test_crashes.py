"""Whether a run failed, by the spans it ended with."""

from __future__ import annotations

import pytest

KIND = "openinference.span.kind"
OUTPUT = {KIND: "LLM", "output.value": "Twelve.", "llm.output_messages.0.message.role": "assistant"}
OUTPUT["llm.output_messages.0.message.content"] = "Twelve."
WELL = {"status": {"code": 1}}
SDK = "openinference.instrumentation.openai_agents"


def failing(message, type="RuntimeError"):
    about = {"exception.type": type, "exception.message": message}
    return {"status": {"code": 2, "message": message}, "events": [("exception", about)]}


def run(otel, *, scope=SDK, end="Max turns exceeded", after=(), **more):
    agent = {"end": 6, **more}
    return otel.read(
        otel.otlp(
            otel.span(3, "response", (2, 3), 2, attributes=OUTPUT, **WELL),
            otel.span(
                2,
                "clerk",
                (1, agent["end"]),
                agent.get("parent", 1),
                attributes={KIND: "AGENT"},
                **failing(end, agent.get("type", "RuntimeError")),
            ),
            *after,
            otel.span(1, "shop", (0, 9), attributes={KIND: "AGENT"}, **WELL),
            scope=scope,
        )
    )


def test_sdk_that_notes_the_end_on_the_agent(otel):
    outcome = run(otel).outcome
    assert (outcome.status, outcome.source) == ("failed", "error")
    assert outcome.detail == "Max turns exceeded"


def test_other_sdks_mean_that_the_outermost_span_is_well(otel):
    assert run(otel, scope="test").outcome.status == "unknown"


def test_agent_that_was_only_interrupted(otel):
    assert run(otel, end="wait", type="GraphInterrupt").outcome.status == "unknown"


def test_failure_that_somebody_acted_after(otel):
    later = otel.span(4, "response", (7, 8), 1, attributes=OUTPUT, **WELL)
    assert run(otel, after=[later]).outcome.status == "unknown"


def test_failure_of_an_agent_that_is_a_tool(otel):
    tool = otel.span(5, "ask", (1, 7), 1, attributes={KIND: "TOOL", "tool.name": "ask"}, **WELL)
    assert run(otel, parent=5, after=[tool]).outcome.status == "unknown"


@pytest.mark.parametrize(("ends", "status"), [((0, 1), "unknown"), ((1, 0), "failed")])
def test_run_inside_a_request_to_a_server(otel, ends, status):
    """What counts is how the last try ended."""
    spans = []
    for number, well in zip((2, 4), ends, strict=True):
        at = (number, number + 1)
        how = WELL if well else failing("the line is cut")
        spans.append(otel.span(number, "clerk", at, 1, attributes={KIND: "AGENT"}, **how))
        spans.append(otel.span(number + 1, "m", at, number, attributes=OUTPUT, **WELL))
    served = otel.span(1, "POST /ask", (0, 9), attributes={"http.route": "/ask"})
    assert otel.read(otel.otlp(*spans, served)).outcome.status == status


def test_outermost_span_that_was_only_interrupted(otel):
    model = otel.span(2, "m", (1, 2), 1, attributes=OUTPUT, **WELL)
    stopped = failing("GraphInterrupt(())", "GraphInterrupt")
    root = otel.span(1, "clerk", (0, 3), attributes={KIND: "AGENT"}, **stopped)
    assert otel.read(otel.otlp(model, root)).outcome.status == "unknown"
