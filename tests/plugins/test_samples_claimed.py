"""Every real sample is read by the plugin it belongs to, unasked, and no two plugins tie for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from traceloc.errors import TraceFormatError
from traceloc.loading import Job, plan, run
from traceloc.loading.sniffing import MIN_SCORE, rank_loaders
from traceloc.loading.source import Source
from traceloc.registry import Registry
from traceloc.trace import Trace

LOADERS = {
    "ag2": {"ag2"},
    "atif": {"atif"},
    "autogen_agentchat": {"autogen"},
    # Its plain history is OpenAI messages, and nothing in the file says otherwise.
    "camel": {"camel", "openai_chat"},
    "chatdev": {"chatdev"},
    "claude_code": {"claude_code"},
    "codex": {"codex"},
    "codex_exec_json": {"codex"},
    "crewai": {"crewai"},
    "gemini_cli": {"gemini_cli"},
    "google_adk": {"google_adk"},
    "inspect_ai": {"inspect_ai"},
    "langfuse": {"langfuse"},
    "langgraph": {"langgraph"},
    "langsmith": {"langgraph"},
    "llamaindex": {"llamaindex"},
    "metagpt": {"metagpt"},
    "mini_swe_agent": {"mini_swe_agent"},
    "mlflow": {"mlflow"},
    "openai_agents": {"openai_agents"},
    "openhands": {"openhands"},
    "openhands_v1": {"openhands"},
    "openinference": {"otel"},
    "otel_adot_cloudwatch": {"otel"},
    "otel_console": {"otel"},
    "otel_genai": {"otel"},
    "otlp_json": {"otel"},
    "pydantic_ai": {"pydantic_ai"},
    "semantic_kernel": {"semantic_kernel"},
    "sharegpt_traces": {"sharegpt"},
    "smolagents": {"smolagents"},
    "strands": {"strands"},
    "swe_agent": {"swe_agent"},
    "tau_bench": {"tau_bench"},
}
"""Who reads the samples of a folder."""

ALONE = {
    "camel_chat_history.json": "openai_chat",
    "conv_20261121_063421_116929.json": "camel",
    "camel_memory.json": "camel",
}
"""Where a folder has several readers: whose a file is."""

NO_TRACES = {"README.md", "SOURCE.txt"}
REGISTRY = Registry()


def _samples(shared: Path, folder: str) -> list[Path]:
    found = sorted((shared / "samples" / folder).rglob("*"))
    return [
        path
        for path in found
        if path.is_file() and path.name not in NO_TRACES and path.name[0] != "."
    ]


def test_every_folder_has_a_reader(shared: Path) -> None:
    folders = {path.name for path in (shared / "samples").iterdir() if path.is_dir()}
    assert {name for name in folders if name[0] != "_"} == set(LOADERS)


@pytest.mark.parametrize("folder", LOADERS)
def test_samples_load_unasked(shared: Path, folder: str) -> None:
    expected = {str(path) for path in _samples(shared, folder)}
    assert expected
    read: dict[str, str] = {}
    for job in plan([shared / "samples" / folder], registry=REGISTRY):
        assert not isinstance(job, TraceFormatError), job
        if not isinstance(job, Job):
            assert Path(job.path).name in NO_TRACES, f"{job.path} is taken for no trace"
            continue
        assert job.loader in LOADERS[folder], job
        read |= dict.fromkeys(job.paths, job.loader)
        found = list(run(job, registry=REGISTRY))
        traces = [item for item in found if isinstance(item, Trace)]
        if any(isinstance(item, TraceFormatError) and item.code == "TL102" for item in found):
            continue  # its package is no part of a plain installation
        assert any(trace.steps for trace in traces), f"no step in {job.paths}"
        assert {trace.format for trace in traces} == {job.loader}
    assert set(read) == expected
    wrong = {p: name for p, name in read.items() if ALONE.get(Path(p).name, name) != name}
    assert not wrong


@pytest.mark.parametrize("folder", LOADERS)
def test_nobody_ties_for_a_sample(shared: Path, folder: str) -> None:
    loaders = REGISTRY.all("loaders")
    for path in _samples(shared, folder):
        best, second, *others = rank_loaders(Source(str(path)).head(), loaders)
        assert best.loader.name in LOADERS[folder], path
        assert best.score > max(second.score, MIN_SCORE), f"{path}: {best}, {second}"
        assert not any(guess.error for guess in (best, second, *others))
