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
]
FOLDERS = ("otlp_json", "otel_console", "otel_genai", "otel_adot_cloudwatch", "openinference")
NO_AGENT = {"OpenAI Agent", "unknown", "LangGraph", "agent", "tools", "model"}


@pytest.mark.parametrize("name", TEAM)
def test_the_team_story(shared: Path, name: str) -> None:
    """The booker books the wrong flight, after a benign tool error and a hand-off."""
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
