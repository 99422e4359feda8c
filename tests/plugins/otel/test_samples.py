"""OpenTelemetry traces of real frameworks: one story told by many exporters, and every sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceloc import load

TEAM = [
    "otlp_json/crewai_openinference.otlp.jsonl",
    "otlp_json/langgraph_openinference.otlp.jsonl",
    "otlp_json/langgraph_openllmetry.otlp.jsonl",
    "otlp_json/openai_agents_openinference.otlp.jsonl",
    "otlp_json/openai_agents_otel.otlp.jsonl",
    "otlp_json/pydantic_ai.otlp.jsonl",
    "otlp_json/strands.otlp.jsonl",
    "otel_console/langgraph_openinference.console.json",
    "otel_console/langgraph_openllmetry.console.json",
    "otel_console/openai_agents_otel.console.json",
    "otel_console/pydantic_ai.console.json",
    "otel_console/strands.console.json",
    "openinference/phoenix_rest_spans.json",
    "openinference/phoenix_rest_spans_otlpv1.json",
    "openinference/phoenix_spans_dataframe.jsonl",
    "openinference/phoenix_spans_dataframe.parquet",
]
FOLDERS = ("otlp_json", "otel_console", "otel_genai", "otel_adot_cloudwatch", "openinference")
NO_AGENT = {"OpenAI Agent", "unknown", "LangGraph", "agent", "tools", "model"}


@pytest.mark.parametrize("name", TEAM)
def test_the_team_story(shared: Path, name: str) -> None:
    """The booker books the wrong flight, after a benign tool error and a hand-off."""
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    stories = 0
    for trace in load(shared / "samples" / name, strict=True):
        calls = [
            (step, made) for step in trace.steps for made in step.tool_calls if made.name == "book"
        ]
        if not calls:
            continue  # the single-agent runs of the same story
        stories += 1
        ((step, made),) = calls
        assert step.agent.lower() == "booker"
        assert made.arguments == {"flight_id": "LH123"}
        assert made.result_step is not None
        assert "booked LH123" in trace.steps[made.result_step].text
        failed = [s for s in trace.steps if s.error and s.kind == "result"]
        assert [s.tool_result.name for s in failed if s.tool_result] == ["get_fx_rate"]
        edges = [s for s in trace.steps if any(to.lower() == "booker" for to in s.to)]
        assert any(s.agent.lower().endswith("researcher") for s in edges)
        assert not any(s.error for s in edges)
        assert not NO_AGENT & {agent.name for agent in trace.agents}
    assert stories


def test_every_sample_loads_and_is_consistent(shared: Path) -> None:
    for folder in FOLDERS:
        for path in sorted((shared / "samples" / folder).glob("*.json*")):
            traces = list(load(path, strict=True))
            assert traces, path
            for trace in traces:
                assert trace.format == "otel", path
                assert [step.index for step in trace.steps] == list(range(len(trace.steps)))
                native = {step.native_index for step in trace.steps}
                assert native <= set(range(len(trace.spans)))
                for step in trace.steps:
                    assert trace.spans[step.native_index].id == step.span_id
                    result = step.tool_result
                    assert result is None or (result.call_step or 0) < step.index
                    assert all((m.step or 0) < step.index for m in step.inputs or ())


@pytest.mark.parametrize("name", ["langgraph_openinference", "langgraph_openllmetry"])
def test_handoffs_that_were_raised_are_control_flow(shared: Path, name: str) -> None:
    """Trap 1, with a status that says OK and one that says ERROR."""
    (trace,) = load(shared / "samples" / "otlp_json" / f"{name}.otlp.jsonl", strict=True)
    raised = [span for span in trace.spans if span.status == "control_flow"]
    assert len(raised) >= 3
    assert all(span.error and span.error.kind == "control_flow" for span in raised)
    assert trace.outcome.status == "unknown"


@pytest.mark.parametrize("name", ["autogen", "google_adk"])
def test_spans_without_content_are_structure_only(shared: Path, name: str) -> None:
    """Trap 6; and trap 4: ADK's merged span repeats what two tools returned."""
    path = shared / "samples" / "otlp_json" / f"{name}.otlp.jsonl"
    traces = [trace for trace in load(path, strict=True) if len(trace.steps) > 1]
    for trace in traces:
        assert any("structure only" in d.message for d in trace.diagnostics)
        assert not any("(merged" in agent.name for agent in trace.agents)
    booked = [s for trace in traces for s in trace.steps for c in s.tool_calls if c.name == "book"]
    assert booked and {step.agent for step in booked} == {"booker"}


def test_usage_is_summed_once(shared: Path) -> None:
    """The agent's span repeats the sum of its model calls."""
    path = shared / "samples" / "otel_genai" / "fixtures__adk_live_spans.json"
    (trace,) = load(path, strict=True)
    assert [step.usage.input for step in trace.steps if step.usage] == [157, 222]


def test_a_workflow_called_agent_workflow_is_no_system(shared: Path) -> None:
    path = shared / "samples" / "otel_genai" / "fixtures__openai_agents_genai_live_spans.json"
    (trace,) = load(path, strict=True)
    assert trace.system == "otel:otel_genai"
