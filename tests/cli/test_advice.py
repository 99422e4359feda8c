"""What doctor says of content that a log lacks: how the framework is made to record it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from cli_samples import Invoke

from traceloc.contracts import Content
from traceloc.diagnosis import WORTH_HAVING, diagnose_files
from traceloc.registry import Registry
from traceloc.reporting.checkup import render_files

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "frameworks"

SAID = [
    ("google_adk/google_adk_events.jsonl", "missing", "what the user asked", "get_session("),
    ("google_adk/google_adk_session_snake.json", "lacks", "schemas", "=SPAN_ONLY"),
    ("autogen_agentchat/autogen_agentchat_events.jsonl", "missing", "asked", "TaskResult"),
    ("autogen_agentchat/autogen_console.log", "lacks", "timestamps", "result.model_dump_json()"),
    ("autogen_agentchat/autogen_task_result.json", "lacks", "instructions", "EVENT_LOGGER_NAME"),
    ("camel/camel_tool_calls.json", "missing", "what was said", "agent.save_memory("),
    ("camel/camel_memory.json", "lacks", "schemas", "CAMEL_MODEL_LOG_ENABLED=true"),
    ("codex_exec_json/codex-samples__stream-output-4.jsonl", "lacks", "timestamps", "rollout"),
    ("codex_exec_json/codex-samples__stream-output-4.jsonl", "missing", "asked", "~/.codex/sess"),
    ("crewai/crewai_output_log.json", "missing", "structure only", "crewai_event_bus"),
    ("crewai/crewai_crew_output.json", "lacks", "tokens", "`llm_call_completed`"),
    ("langgraph/langgraph_stream_updates.jsonl", "lacks", "schemas", "LangSmith"),
    ("llamaindex/llamaindex_context.json", "missing", "structure only", "stream_events()"),
    ("llamaindex/llamaindex_workflow_events.jsonl", "lacks", "tokens", "OpenInference"),
    ("metagpt/gptlab_team.json", "lacks", "timestamps", "logs/*.txt"),
    ("openai_agents/openai_agents_run_state.json", "lacks", "timestamps", "add_trace_processor"),
    ("openai_agents/openai_agents_session.sqlite", "lacks", "names", "result.to_state()"),
    ("pydantic_ai/pydantic_ai_all_messages.json", "lacks", "schemas", "Agent.instrument_all()"),
    ("smolagents/smolagents_succinct_steps.json", "lacks", "instructions", "`get_full_steps()`"),
    ("smolagents/smolagents_full_steps.json", "lacks", "outcome", "return_full_result=True"),
    ("strands/strands_session", "missing", "instructions", "gen_ai_tool_definitions"),
    ("strands/strands_messages.json", "lacks", "timestamps", "session manager"),
    ("tau_bench", "lacks", "schemas", "no results file holds them"),
    ("swe_agent", "lacks", "timestamps", "no `.traj` holds them"),
]
"""Of a real log: the kind of line, what is lacking, and the way to get it."""


@pytest.mark.parametrize(("sample", "label", "lacking", "way"), SAID)
def test_doctor_says_how_to_get_what_is_missing(
    shared: Path,
    invoke: Invoke,
    sample: str,
    label: str,
    lacking: str,
    way: str,
) -> None:
    path = shared / "samples" / sample
    if not path.exists():
        pytest.skip(f"no sample {sample}")
    lines = invoke("doctor", str(path)).stdout.splitlines()
    told = [line for line in lines if line.startswith(f"  {label:<10} ") and lacking in line]
    assert told, lines
    assert any(way in line for line in told), told


@pytest.fixture(autouse=True)
def every_loader(fenced: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACELOC_PLUGINS")


def shipped() -> list[str]:
    found = Registry().list("loaders")
    return [info.name for info in found if info.distribution == "traceloc"]


@pytest.mark.parametrize("name", shipped())
def test_every_loader_says_how_or_its_page_says_there_is_no_way(name: str) -> None:
    said = getattr(Registry().get("loaders", name), "capture", {})
    assert said.keys() <= set(get_args(Content))
    for way in said.values():
        assert way == way.strip() and way[-1] not in ".;"
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert said or "Nothing has to be switched on" in page


def test_every_kind_of_content_has_a_price() -> None:
    assert set(WORTH_HAVING) == set(get_args(Content))


@pytest.mark.parametrize("capture", [None, {}, "nonsense", {"calls": "call something"}])
def test_a_loader_need_not_say_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capture: Any
) -> None:
    path = tmp_path / "run.json"
    path.write_text(
        '{"messages": [{"role": "user", "content": "How many?"},'
        ' {"role": "assistant", "content": "Twelve."}]}'
    )
    registry = Registry()
    loader = registry.get("loaders", "openai_chat")
    monkeypatch.setattr(type(loader), "capture", capture)
    (found,) = diagnose_files([str(path)], registry=registry)
    ways = {lack.content: lack.capture for lack in found.missing}
    assert ways["calls"] == ("call something" if isinstance(capture, dict) and capture else None)
    assert ways["times"] is None
    text = "".join(render_files([found]))
    assert re.search(r"^  lacks      timestamps: [^;]+$", text, re.MULTILINE)
    assert "  more       docs/frameworks/openai_chat.md" in text
    assert (ROOT / "docs" / "frameworks" / "openai_chat.md").exists()


def test_a_loader_of_others_has_no_page_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"messages": [{"role": "user", "content": "How many?"}]}')
    registry = Registry()
    monkeypatch.setattr(type(registry.get("loaders", "openai_chat")), "capture", {})
    monkeypatch.setattr(registry, "list", lambda kind: ())
    (found,) = diagnose_files([str(path)], registry=registry)
    assert found.missing and found.page is None
    assert "more" not in "".join(render_files([found]))


def test_one_agent_alone_lacks_no_inputs_and_without_calls_no_schemata(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    one = '{"role": "user", "content": "How many?"}, {"role": "assistant", "content": "Twelve."}'
    other = '{"role": "assistant", "name": "clerk", "content": "Eleven."}'
    lacks = []
    for messages in (one, f"{one}, {other}"):
        path.write_text(f'{{"messages": [{messages}]}}')
        (found,) = diagnose_files([str(path)], registry=Registry())
        lacks.append({lack.content for lack in found.missing})
    assert not {"inputs", "schemas"} & lacks[0]
    assert "inputs" in lacks[1]
