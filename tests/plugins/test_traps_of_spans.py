"""The habits of real exporters that make a localizer wrong, each on a trace of a real framework."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from traceloc import Trace, TraceFormatError, load

CONTROL_FLOW = [
    "otlp_json/langgraph_openinference.otlp.jsonl",
    "otlp_json/langgraph_openllmetry.otlp.jsonl",
    "otel_console/langgraph_openllmetry.console.json",
    "openinference/phoenix_rest_spans_otlpv1.json",
    "mlflow/mlflow_trace_0.json",
    "langsmith/langsmith_runs_flat.json",
]
USAGE = {
    "otlp_json/langgraph_openinference.otlp.jsonl": (460, 48),
    "otlp_json/langgraph_openllmetry.otlp.jsonl": (460, 48),
    "otlp_json/openai_agents_openinference.otlp.jsonl": (426, 48),
    "otlp_json/openai_agents_otel.otlp.jsonl": (442, 48),
    "otlp_json/pydantic_ai.otlp.jsonl": (595, 60),
    "otlp_json/smolagents.otlp.jsonl": (620, 60),
    "otlp_json/strands.otlp.jsonl": (938, 84),
    "otlp_json/google_adk.otlp.jsonl": (1132, 96),
    "mlflow/mlflow_trace_0.json": (460, 48),
    "openai_agents/openai_agents_trace_export.jsonl": (410, 48),
    "crewai/crewai_events.jsonl": (1196, 96),
    "langfuse/framework-traces__agno-2025-06-11.trace.json": (826, 245),
    # Both of its model calls have the id of one run, and only the last says what it used.
    "langfuse/seeder/framework-traces__microsoft-agent-2025-10-14.json": (631, 35),
}
"""What the model's answers say they used, added up by hand; agents' spans repeat their sums."""


@pytest.fixture
def sample(shared: Path):
    """Reads the traces of a sample."""

    def read(name: str) -> list[Trace]:
        traces = list(load(shared / "samples" / name, strict=True))
        assert traces and all(trace.steps for trace in traces)
        return traces

    return read


def errors(trace: Trace) -> list[tuple[str, str]]:
    return [(step.agent, step.error.kind) for step in trace.steps if step.error]


@pytest.mark.parametrize("name", CONTROL_FLOW)
def test_a_handover_that_was_raised_is_no_error(sample, name: str) -> None:
    """Trap 1: ``ParentCommand`` with status OK, with status ERROR, and as a run's error."""
    (trace,) = [t for t in sample(name) if t.session_id == "thread-42"]
    assert sum(span.status == "control_flow" for span in trace.spans) >= 3
    assert errors(trace) == [("get_fx_rate", "timeout")]
    assert trace.outcome.status == "unknown"


@pytest.mark.parametrize("name", ["run_state.json", "to_input_list.json", "session.sqlite"])
def test_an_error_that_only_words_show_is_inferred(sample, name: str) -> None:
    """Trap 2: the default handler of OpenAI's agents turns what was raised into a text."""
    (trace,) = sample(f"openai_agents/openai_agents_{name}")
    (failed,) = [step for step in trace.steps if step.error]
    assert failed.tool_result is not None and failed.tool_result.name == "get_fx_rate"
    assert failed.error is not None and not failed.error.declared


def test_ag2_says_of_errors_only_in_words(sample) -> None:
    """Trap 2, in AG2's chats."""
    (trace,) = sample("ag2/ag2_chat_result.json")
    (failed,) = [step for step in trace.steps if step.error]
    assert failed.error is not None and not failed.error.declared
    assert failed.tool_result is not None and failed.tool_result.name == "get_fx_rate"


@pytest.mark.parametrize(
    ("name", "agents"),
    [
        ("otlp_json/openai_agents_otel.otlp.jsonl", {"researcher", "booker"}),  # 3a
        ("otel_adot_cloudwatch/fixtures__openai_agents_genai_adot_spans.json", None),  # 3a
        ("otlp_json/langgraph_openllmetry.otlp.jsonl", {"researcher", "booker"}),  # 3b
        ("otlp_json/langgraph_openinference.otlp.jsonl", {"researcher", "booker"}),  # 3c
        ("openinference/phoenix_spans_dataframe.jsonl", None),  # 3c, without the metadata
        ("otlp_json/crewai_openinference.otlp.jsonl", {"Flight Researcher", "Booker"}),
        ("crewai/crewai_events.jsonl", {"Flight Researcher", "Booker"}),  # 3d
    ],
)
def test_every_step_has_an_agent_with_a_name(sample, name: str, agents: set[str] | None) -> None:
    """Trap 3: what an instrumentation writes where it does not know the agent is no name."""
    for trace in sample(name):
        acted = {step.agent for step in trace.steps if step.role == "assistant"}
        assert not acted & {"OpenAI Agent", "agent", "model", "tools", "LangGraph", "unknown"}
        assert agents is None or acted == agents
        for step in trace.steps:
            for call in step.tool_calls:
                wanted = {"search_flights": "researcher", "get_fx_rate": "researcher"}
                wanted["book"] = "booker"
                assert step.agent.lower().endswith(wanted.get(call.name, step.agent.lower()))


@pytest.mark.parametrize("name", USAGE)
def test_usage_is_counted_once(sample, name: str) -> None:
    """Trap 4: spans above repeat the sum, stores estimate, clients' spans say it again."""
    used = [step.usage for trace in sample(name) for step in trace.steps if step.usage]
    assert (sum(u.input or 0 for u in used), sum(u.output or 0 for u in used)) == USAGE[name]


@pytest.mark.parametrize(
    "name", ["otlp_json/langgraph_openinference.otlp.jsonl", "otlp_json/strands.otlp.jsonl"]
)
def test_a_history_that_is_repeated_makes_no_steps(sample, name: str) -> None:
    """Trap 4: every prompt holds all that was said before."""
    for trace in sample(name):
        said = Counter((s.role, s.text) for s in trace.steps if s.text and not s.flags)
        assert max(said.values()) == 1
        last = [step for step in trace.steps if step.role == "assistant"][-1]
        assert last.inputs and all(given.step is not None for given in last.inputs)


@pytest.mark.parametrize(
    "name",
    [
        "otlp_json/langgraph_openllmetry.otlp.jsonl",
        "openinference/phoenix_spans_dataframe.jsonl",
        "openai_agents/openai_agents_trace_export.jsonl",
        "crewai/crewai_events.jsonl",
    ],
)
def test_what_was_exported_twice_is_read_once(
    sample, shared: Path, tmp_path: Path, name: str
) -> None:
    """Trap 4: an exporter that was registered twice writes every line twice."""
    path = tmp_path / "twice.jsonl"
    text = (shared / "samples" / name).read_text().rstrip("\n") + "\n"
    path.write_text(text + text)
    traces = list(load(path, strict=True))
    assert [(t.id, t.steps) for t in traces] == [(t.id, t.steps) for t in sample(name)]


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("seeder/framework-traces__koog-2025-08-26.json", "suatat"),  # a call as a tool's message
        ("framework-traces__langgraph-js-2025-10-30.trace.json", "uat"),  # the tool as a role
    ],
)
def test_repeated_messages_have_the_role_of_what_they_repeat(sample, name: str, roles: str) -> None:
    (trace,) = sample(f"langfuse/{name}")
    given = trace.steps[-1].inputs or ()
    assert "".join(message.role[0] for message in given) == roles


def test_an_error_that_a_prompt_tells_again_is_a_copy(sample) -> None:
    """Trap 4: smolagents puts a tool's failure into the next prompt, even behind other rules."""
    (trace,) = sample("otlp_json/smolagents.otlp.jsonl")
    copies = [s for s in trace.steps if s.error and s.agent == "environment"]
    assert len(copies) == 4
    assert all(step.flags == ("duplicate",) for step in copies)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # hex and decimal strings, "0x" and a flat object
        ("otlp_json/pydantic_ai.otlp.jsonl", "otel_console/pydantic_ai.console.json"),
        ("otlp_json/strands.otlp.jsonl", "otel_console/strands.console.json"),
        # REST's flat keys, snake case with nulls
        (
            "openinference/phoenix_rest_spans.json",
            "openinference/phoenix_rest_spans_otlpv1.json",
        ),
        # base64 ids in both, one trace by itself and one in a row of a table
        ("mlflow/mlflow_trace_0.json", "mlflow/mlflow_search_traces.jsonl"),
    ],
)
def test_one_run_in_two_encodings_reads_the_same(sample, one: str, other: str) -> None:
    """Trap 5."""

    def told(name: str) -> dict[str, list[Any]]:
        return {
            trace.id: [
                (s.kind, s.agent, s.text, s.tool_calls, s.to, s.usage, s.inputs, bool(s.error))
                for s in trace.steps
            ]
            for trace in sample(name)
        }

    assert told(one) == told(other)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("otlp_json/autogen.otlp.jsonl", "AutoGen's own event log"),
        ("otel_console/autogen.console.json", "AutoGen's own event log"),  # says no scope
        ("otel_genai/fixtures__autogen_live_spans.json", "AutoGen's own event log"),
        ("otlp_json/google_adk.otlp.jsonl", "=SPAN_ONLY"),
        ("otel_console/google_adk.console.json", "=SPAN_ONLY"),  # says no scope
        ("crewai/crewai_output_log.json", "event bus"),
    ],
)
def test_missing_contents_are_told_with_the_right_switch(sample, name: str, advice: str) -> None:
    """Trap 6."""
    # One that ended at its first model call lacks nothing.
    ran = [trace for trace in sample(name) if trace.outcome.status != "failed"]
    assert ran
    for trace in ran:
        hints = [d.message for d in trace.diagnostics if d.message.startswith("structure only")]
        assert len(hints) == 1 and advice in hints[0]


@pytest.mark.parametrize(
    "name",
    [
        "otlp_json/langgraph_openinference.otlp.jsonl",
        "otlp_json/pydantic_ai.otlp.jsonl",
        "mlflow/mlflow_trace_0.json",
        "langfuse/framework-traces__openai-agents-2025-09-30.trace.json",
        "otel_genai/fixtures__adk_live_spans.json",
    ],
)
def test_nothing_is_said_to_be_missing_where_nothing_is(sample, name: str) -> None:
    """Trap 6, the other way round."""
    for trace in sample(name):
        assert not [d for d in trace.diagnostics if d.kind == "missing"]


def test_text_that_was_encoded_twice(shared: Path, sample) -> None:
    """Trap 7: Langfuse keeps inputs as the JSON string of a JSON string."""
    name = "langfuse/framework-traces__claude-agent-2025-12-22.trace.json"
    document = json.loads((shared / "samples" / name).read_text())
    assert isinstance(json.loads(json.loads(document["trace"]["input"])), dict)
    (trace,) = sample(name)
    made = [call.arguments for step in trace.steps for call in step.tool_calls]
    assert made == [{"city": "Berlin"}, {"city": "New York"}]
    assert trace.task == "What's the weather like in Berlin and New York?"


def test_arguments_that_are_a_literal_of_python(shared: Path, sample) -> None:
    """Trap 8: what LangChain's tools were given is written as Python would."""
    name = "otlp_json/langgraph_openinference.otlp.jsonl"
    assert "{'flight_id': 'LH123'}" in (shared / "samples" / name).read_text()
    (trace,) = sample(name)
    (booked,) = [call for step in trace.steps for call in step.tool_calls if call.name == "book"]
    assert booked.arguments == {"flight_id": "LH123"}


@pytest.mark.parametrize(
    "name",
    [
        "otlp_json/strands.otlp.jsonl",  # nanoseconds as text
        "openinference/phoenix_rest_spans.json",  # ISO with a zone
        "langsmith/langsmith_runs_flat.json",  # ISO without one
        "openai_agents/openai_agents_trace_export.jsonl",
        "autogen_agentchat/autogen_messages.json",
    ],
)
def test_times_in_every_spelling(sample, name: str) -> None:
    """Trap 9: the samples were all made on one day, and no effect is before its cause."""
    for trace in sample(name):
        times = [step.timestamp for step in trace.steps if step.timestamp]
        assert times and {time.date().isoformat() for time in times} == {"2026-11-21"}
        for step in trace.steps:
            for call in step.tool_calls:
                if call.result_step is not None:
                    assert call.result_step > step.index


@pytest.mark.parametrize(
    "name",
    [
        "otlp_json/openai_agents_openinference.otlp.jsonl",
        "openinference/phoenix_spans_dataframe.jsonl",
        "openai_agents/openai_agents_trace_export.jsonl",
        "crewai/crewai_events.jsonl",
        "autogen_agentchat/autogen_core_events.jsonl",
    ],
)
def test_a_file_that_was_cut_is_read_as_far_as_it_goes(
    shared: Path, tmp_path: Path, name: str
) -> None:
    """Trap 10: the last line is only half there."""
    lines = (shared / "samples" / name).read_text().splitlines()
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join([*lines[:-1], lines[-1][: len(lines[-1]) // 2]]))
    whole = list(load(shared / "samples" / name))
    traces = list(load(path))
    assert traces  # even of a single line, what stands before the cut
    assert 0 < sum(len(t.steps) for t in traces) <= sum(len(t.steps) for t in whole)
    with pytest.raises(TraceFormatError) as raised:
        list(load(path, strict=True))
    assert f":{len(lines)}: " in str(raised.value)  # the line that is cut
