"""What each framework writes, and what traceloc must make of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from story import ARCHIVIST, LOAN_DESK

Requirement = Literal["loader", "task", "decisive", "calls", "error", "handoff"]
REQUIREMENTS: tuple[Requirement, ...] = (
    *("loader", "task", "decisive"),
    *("calls", "error", "handoff"),
)


@dataclass(frozen=True)
class Export:
    """A file, or a folder, that a team leaves behind."""

    framework: str
    path: str
    """Below the folder of the framework's exports."""
    loader: str
    """The loader that must recognise it unaided."""
    archivist: str = ARCHIVIST
    """What the archivist is called where the format does not name it."""
    loan_desk: str = LOAN_DESK
    outline: bool = False
    """Whether there is no content in it; traceloc has to say so."""
    lacks: dict[Requirement, str] = field(default_factory=dict)
    """Requirements that cannot be met, because the framework does not write what they need.

    That they are not met is tested too: a release that begins to write it is noticed.
    """

    def __str__(self) -> str:
        return f"{self.framework}/{self.path}"


_OUTLINE: dict[Requirement, str] = {
    "decisive": "an outline: calls are not in it",
    "calls": "an outline: calls are not in it",
    "error": "an outline: results are not in it",
}
_NO_TASK: dict[Requirement, str] = {"task": "begins after the task"}
_MANAGER: dict[Requirement, str] = {
    "decisive": "what the other agent did is not in it",
    "calls": "what the other agent did is not in it",
}
_PART: dict[Requirement, str] = {
    "calls": "an agent's own memory: the other's calls are not in it",
    "task": "an agent's own memory: its task is the order it got",
    "error": "an agent's own memory: the other's tools are not in it",
    "handoff": "an agent's own memory: who sent the order is not in it",
}

EXPORTS = (
    Export("ag2", "spans.otlp.jsonl", "otel"),
    Export("autogen", "result.json", "autogen"),
    Export("autogen", "stream.jsonl", "autogen"),
    Export("autogen", "state.json", "autogen"),
    Export("autogen", "core_events.jsonl", "autogen"),
    Export("autogen", "team_events.jsonl", "autogen", lacks=_NO_TASK),
    Export("autogen", "console.txt", "autogen"),
    Export("crewai", "events.jsonl", "crewai"),
    Export("crewai", "tasks_output.json", "crewai"),
    Export("crewai", "delegation_output.json", "crewai", lacks=_MANAGER),
    Export("crewai", "tasks.json", "crewai", outline=True, lacks=_OUTLINE),
    Export("crewai", "openinference.otlp.jsonl", "otel"),
    Export("deepagents", "state.json", "langgraph", lacks=_MANAGER),
    Export("deepagents", "checkpoints.sqlite", "langgraph"),
    Export("deepagents", "events.jsonl", "langgraph"),
    Export("deepagents", "openinference.otlp.jsonl", "otel"),
    Export("deepagents", "openllmetry.otlp.jsonl", "otel"),
    Export("google_adk", "session.json", "google_adk"),
    Export("google_adk", "events.jsonl", "google_adk", lacks=_NO_TASK),
    Export("google_adk", "sessions.db", "google_adk"),
    Export("google_adk", "spans.otlp.jsonl", "otel"),
    Export("inspect_ai", "loans.eval", "inspect_ai"),
    Export("inspect_ai", "loans.json", "inspect_ai"),
    Export("langgraph", "state.json", "langgraph"),
    Export("langgraph", "checkpoints.sqlite", "langgraph"),
    Export("langgraph", "events.jsonl", "langgraph"),
    Export("langgraph", "langsmith_runs.jsonl", "langgraph"),
    Export("langgraph", "openinference.otlp.jsonl", "otel"),
    Export("langgraph", "openllmetry.otlp.jsonl", "otel"),
    Export("llamaindex", "events.jsonl", "llamaindex"),
    Export(
        "llamaindex",
        "context.json",
        "llamaindex",
        outline=True,
        lacks={**_OUTLINE, "handoff": "an outline: only the last agent is in it"},
    ),
    Export("llamaindex", "openinference.otlp.jsonl", "otel"),
    Export("openai_agents", "run_state.json", "openai_agents"),
    Export("openai_agents", "input_list.json", "openai_agents", archivist="assistant"),
    Export("openai_agents", "session.sqlite", "openai_agents", archivist="assistant"),
    Export(
        "openai_agents",
        "trace.jsonl",
        "openai_agents",
        lacks={"task": "spans of the Responses API have no words"},
    ),
    Export("openai_agents", "trace_chat_completions.jsonl", "openai_agents"),
    Export("openai_agents", "openinference.otlp.jsonl", "otel"),
    Export("pydantic_ai", "histories", "pydantic_ai", archivist="assistant"),
    Export("pydantic_ai", "spans.otlp.jsonl", "otel"),
    Export("smolagents", "archivist_run.json", "smolagents", archivist="agent", lacks=_MANAGER),
    Export("smolagents", "loan_desk_steps.json", "smolagents", lacks=_PART),
    Export("smolagents", "openinference.otlp.jsonl", "otel"),
    Export("strands", "archivist_messages.json", "strands", archivist="assistant", lacks=_MANAGER),
    Export(
        "strands",
        "loan_desk_messages.json",
        "strands",
        loan_desk="assistant",
        lacks={key: _PART[key] for key in ("calls", "error", "handoff")},
    ),
    Export("strands", "sessions", "strands"),
    Export("strands", "swarm_sessions", "strands", outline=True, lacks=_OUTLINE),
    Export("strands", "spans.otlp.jsonl", "otel"),
)
FRAMEWORKS = tuple(dict.fromkeys(export.framework for export in EXPORTS))
FIRST = 3
"""Among so many suspects the wrong call has to be, in the best that a framework writes."""
MISSED = {"inspect_ai": 5}
"""Where it is not among them: how far down it may stand.

That it does stand below is tested too. Ranks move with the shipped weights, which nobody fits to
this run, so a refit may have to change what is said here.
"""
