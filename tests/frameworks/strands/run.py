"""Strands: a swarm of two agents."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from opentelemetry import trace
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_BLURB,
    LOAN_DESK_PROMPT,
    ORDER,
    TASK,
    Call,
    find_copies,
    read_condition,
    request_loan,
    write_script,
)
from strands import Agent, tool
from strands.hooks import MessageAddedEvent
from strands.models.openai import OpenAIModel
from strands.multiagent import Swarm
from strands.session.file_session_manager import FileSessionManager


def build_agents(base_url: str, *, sessions: Path | None = None) -> tuple[Agent, Agent]:
    """The archivist and the loan desk; with ``sessions`` the first has the second as a tool."""
    model = OpenAIModel(
        client_args={"base_url": base_url, "api_key": "none", "max_retries": 0}, model_id=MODEL
    )

    def keep() -> FileSessionManager | None:
        return FileSessionManager("loan-2", storage_dir=str(sessions)) if sessions else None

    loan_desk = Agent(
        model=model,
        name=LOAN_DESK,
        agent_id=LOAN_DESK,
        description=LOAN_DESK_BLURB,
        system_prompt=LOAN_DESK_PROMPT,
        tools=[tool(request_loan)],
        session_manager=keep(),
        callback_handler=None,
    )
    colleagues = [loan_desk.as_tool(preserve_context=True)] if sessions else []
    archivist = Agent(
        model=model,
        name=ARCHIVIST,
        agent_id=ARCHIVIST,
        system_prompt=ARCHIVIST_PROMPT,
        tools=[tool(find_copies), tool(read_condition), *colleagues],
        session_manager=keep(),
        callback_handler=None,
    )
    return archivist, loan_desk


def run_swarm(base_url: str, sessions: Path) -> dict[str, list]:
    """Live the story in a swarm; gives the messages of each agent."""
    team = build_agents(base_url)
    said: dict[str, list] = {}
    # A swarm resets its agents when it is over; their messages are taken as they are added.
    for agent in team:
        agent.hooks.add_callback(
            MessageAddedEvent,
            lambda event: said.setdefault(event.agent.name, []).append(event.message),
        )
    session = FileSessionManager("loan-1", storage_dir=str(sessions))
    Swarm(list(team), entry_point=team[0], session_manager=session)(TASK)
    return said


def main(out: Path) -> None:
    """Live the story in a swarm, with spans, then with an agent as a tool, in a session."""
    message = {"agent_name": LOAN_DESK, "message": "Please request copy A-118."}
    script = write_script(
        Call("handoff_to_agent", message), last="The loan desk has what it needs from me."
    )
    with ScriptedModel(script) as scripted, record_spans(out / "spans.otlp.jsonl") as provider:
        trace.set_tracer_provider(provider)
        said = run_swarm(scripted.base_url, out / "swarm_sessions")
    for name, messages in said.items():
        (out / f"{name}_messages.json").write_text(json.dumps(messages))
    with ScriptedModel(write_script(Call(LOAN_DESK, {"input": ORDER}))) as scripted:
        archivist, _ = build_agents(scripted.base_url, sessions=out / "sessions")
        archivist(TASK)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
