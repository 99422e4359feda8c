"""Habits that mislead, on real samples of messages and logs: what is true is read from the files.

The generated teams tell one story: a benign tool error, a hand-off, and a wrong booking.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from traceloc import load
from traceloc.graph import TraceGraph
from traceloc.loading.reading import read
from traceloc.trace import Step, Trace

TEAMS = {
    "autogen_agentchat/autogen_agentchat_events.jsonl": ("researcher", "booker"),
    "autogen_agentchat/autogen_console.log": ("researcher", "booker"),
    "autogen_agentchat/autogen_core_events.jsonl": ("researcher", "booker"),
    "autogen_agentchat/autogen_messages.json": ("researcher", "booker"),
    "autogen_agentchat/autogen_task_result.json": ("researcher", "booker"),
    "autogen_agentchat/autogen_team_state.json": ("researcher", "booker"),
    "crewai/crewai_crew_output.json": ("Flight Researcher", "Booker"),
    "crewai/crewai_events.jsonl": ("Flight Researcher", "Booker"),
    "crewai/crewai_verbose_console.log": ("Flight Researcher", "Booker"),
    "google_adk/google_adk_events.jsonl": ("researcher", "booker"),
    "google_adk/google_adk_session_by_alias.json": ("researcher", "booker"),
    "google_adk/google_adk_session_snake.json": ("researcher", "booker"),
    "google_adk/google_adk_sessions.sqlite": ("researcher", "booker"),
    "inspect_ai/travel.json": ("react", "booker"),
    "llamaindex/llamaindex_workflow_events.jsonl": ("researcher", "booker"),
    "openai_agents/openai_agents_ingest_body.json": ("researcher", "booker"),
    "openai_agents/openai_agents_run_state.json": ("researcher", "booker"),
    # Items name nobody before the hand-off.
    "openai_agents/openai_agents_session.sqlite": ("assistant", "booker"),
    "openai_agents/openai_agents_to_input_list.json": ("assistant", "booker"),
    "openai_agents/openai_agents_trace_export.jsonl": ("researcher", "booker"),
}
"""Who books, and who handed over to it."""


@pytest.mark.parametrize("name", TEAMS)
def test_the_booking_is_a_step_the_error_marked_and_the_handoff_an_edge(
    shared: Path, name: str
) -> None:
    researcher, booker = TEAMS[name]
    traces = list(load(shared / "samples" / name, strict=True))
    for trace in traces:
        steps = trace.steps
        (step,) = [s for s in steps if any(c.name == "book" for c in s.tool_calls)]
        (call,) = step.tool_calls
        assert (step.agent, call.arguments) == (booker, {"flight_id": "LH123"})
        assert call.result_step is not None and steps[call.result_step].text == "booked LH123"
        assert [(s.agent, s.kind) for s in steps if s.error] == [("get_fx_rate", "result")]
        (over,) = [s for s in steps if s.kind == "handoff" and not s.flags]
        assert (over.agent, over.to) == (researcher, (booker,))
        edges = TraceGraph(trace).edges("delegates")
        pairs = set(zip(edges.source.tolist(), edges.target.tolist(), strict=True))
        assert (over.index, step.index) in pairs
        worked = {s.agent for s in steps if s.role == "assistant"}
        assert worked == {researcher, booker}
        ids = [s.llm_call_id for s in steps if s.usage and s.llm_call_id]
        assert len(ids) == len(set(ids))
    assert traces


def _zoned(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _epoch(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


CLOCKS: dict[str, tuple[int, Callable[[Any], datetime]]] = {
    "openhands/demo1.json": (0, lambda d: _zoned(d[4]["timestamp"])),
    "google_adk/google_adk_session_by_alias.json": (
        0,
        lambda d: _epoch(d["events"][0]["timestamp"]),
    ),
    "mini_swe_agent/mini_swe_agent_v2.traj.json": (
        2,
        lambda d: _epoch(d["messages"][2]["extra"]["timestamp"]),
    ),
    "smolagents/smolagents_full_steps.json": (2, lambda d: _epoch(d[1]["timing"]["start_time"])),
}
"""The step, and when it was by the file: without a zone, or in seconds since 1970."""


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks_without_a_zone_and_in_seconds(shared: Path, name: str) -> None:
    index, told = CLOCKS[name]
    path = shared / "samples" / name
    (trace,) = load(path, strict=True)
    expected, found = told(json.loads(path.read_text())), trace.steps[index].timestamp
    assert found is not None and abs((found - expected).total_seconds()) < 0.001


INVISIBLE = {
    "google_adk/google_adk_session_by_alias.json": "FX service timeout for GBP/EUR",
    "semantic_kernel/semantic_kernel_chat_history.json": "An error occurred while invoking",
    "openai_agents/openai_agents_to_input_list.json": "An error occurred while running",
    "camel/camel_memory.json": "Tool execution failed",
    "ag2/ag2_chat_result.json": "Error: FX service timeout",
}
"""Samples whose failed tool counts as a success for the framework, and what the error says."""


@pytest.mark.parametrize("name", INVISIBLE)
def test_an_error_that_only_words_show_is_marked_as_inferred(shared: Path, name: str) -> None:
    (trace,) = load(shared / "samples" / name, strict=True)
    (failed,) = [step for step in trace.steps if step.error]
    assert failed.error is not None and not failed.error.declared
    assert failed.kind == "result" and failed.error.message.startswith(INVISIBLE[name])


OUTLINES = (
    "crewai/crewai_output_log.json",
    "crewai/crewai_output_log.txt",
    "llamaindex/llamaindex_context.json",
    "metagpt/gptlab_team.json",
)


@pytest.mark.parametrize("name", OUTLINES)
def test_an_outline_says_that_it_is_one(shared: Path, name: str) -> None:
    traces = list(load(shared / "samples" / name))
    assert traces
    for trace in traces:
        assert not any(step.tool_calls or step.is_environment for step in trace.steps)
        assert any("structure only" in note.message for note in trace.diagnostics)


def test_two_events_of_one_deed_are_a_step_and_its_result(shared: Path) -> None:
    path = shared / "samples" / "openhands" / "demo1.json"
    raw = json.loads(path.read_text())
    (trace,) = load(path, strict=True)
    deeds = [event for event in raw if event.get("action") in ("run", "edit")]
    calls = [call for step in trace.steps for call in step.tool_calls]
    assert len(calls) == len(deeds) and len({call.result_step for call in calls}) == len(deeds)
    # What each event repeats of its metrics is a running total.
    used = {e["tool_call_metadata"]["model_response"]["id"] for e in raw if _usage(e)}
    tokens = sum(
        _usage(event)["prompt_tokens"]
        for event in raw
        if event.get("action") and _usage(event) and used.discard(event["id"]) is None
    )
    assert sum(step.usage.input or 0 for step in trace.steps if step.usage) == tokens


def _usage(event: dict[str, Any]) -> dict[str, Any]:
    made = event.get("tool_call_metadata") or {}
    usage: dict[str, Any] = (made.get("model_response") or {}).get("usage") or {}
    return usage


LINES = (
    "claude_code/full__full-session-four.jsonl",
    "codex/full__rollout-2025-09-25T09-49-46-01998190-fba6-7f40-9309-dc4e48c5844a.jsonl",
    "codex_exec_json/codex-samples__stream-output-4.jsonl",
    "autogen_agentchat/autogen_agentchat_events.jsonl",
    "google_adk/google_adk_events.jsonl",
    "llamaindex/llamaindex_workflow_events.jsonl",
)


@pytest.mark.parametrize("name", LINES)
def test_a_last_line_that_breaks_off_costs_no_other(
    shared: Path, tmp_path: Path, name: str
) -> None:
    lines = (shared / "samples" / name).read_text().splitlines(keepends=True)
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    whole.write_text("".join(lines[:-1]))
    cut.write_text("".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    (expected,) = load(whole, strict=True)
    found = list(read([cut]))
    (trace,) = [item for item in found if isinstance(item, Trace)]
    assert [_told(step) for step in trace.steps] == [_told(step) for step in expected.steps]
    (problem,) = [item for item in found if not isinstance(item, Trace)]
    assert problem.location.line == len(lines)


def _told(step: Step) -> tuple[Any, ...]:
    return step.index, step.kind, step.agent, step.text, step.tool_calls, step.error
