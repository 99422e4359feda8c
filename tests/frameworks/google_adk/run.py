"""Google ADK: an agent that transfers to its sub-agent."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import Runner
from google.adk.sessions import BaseSessionService, DatabaseSessionService, InMemorySessionService
from google.genai import types
from opentelemetry import trace
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_BLURB,
    LOAN_DESK_PROMPT,
    SERVICE_DOWN,
    TASK,
    Call,
    find_copies,
    request_loan,
    write_script,
)

SCRIPT = write_script(Call("transfer_to_agent", {"agent_name": LOAN_DESK}))
APP, USER = "interlibrary_loans", "reader"


def read_condition(copy: str) -> dict[str, str]:
    """The last report on the condition of a copy."""
    # An exception would end the run; this is how ADK's own documentation says a tool failed.
    return {"status": "error", "error_message": SERVICE_DOWN}


async def live(service: BaseSessionService, session: str, events: Path | None = None) -> str:
    """Live the story in a session; gives the session as JSON."""
    with ScriptedModel(SCRIPT) as scripted:
        model = LiteLlm(f"openai/{MODEL}", api_base=scripted.base_url, api_key="none")
        loan_desk = LlmAgent(
            name=LOAN_DESK,
            description=LOAN_DESK_BLURB,
            instruction=LOAN_DESK_PROMPT,
            model=model,
            tools=[request_loan],
        )
        archivist = LlmAgent(
            name=ARCHIVIST,
            instruction=ARCHIVIST_PROMPT,
            model=model,
            tools=[find_copies, read_condition],
            sub_agents=[loan_desk],
        )
        runner = Runner(agent=archivist, app_name=APP, session_service=service)
        await service.create_session(app_name=APP, user_id=USER, session_id=session)
        lines = [
            event.model_dump_json(by_alias=True, exclude_none=True)
            async for event in runner.run_async(
                user_id=USER,
                session_id=session,
                new_message=types.Content(role="user", parts=[types.Part(text=TASK)]),
            )
        ]
    if events:
        events.write_text("".join(f"{line}\n" for line in lines))
    kept = await service.get_session(app_name=APP, user_id=USER, session_id=session)
    return kept.model_dump_json(by_alias=True)


async def main(out: Path) -> None:
    """Live the story with spans and a session in memory, then in a database."""
    with record_spans(out / "spans.otlp.jsonl") as provider:
        trace.set_tracer_provider(provider)
        session = await live(InMemorySessionService(), "loan-1", out / "events.jsonl")
    (out / "session.json").write_text(session)
    service = DatabaseSessionService(f"sqlite+aiosqlite:///{out / 'sessions.db'}")
    await live(service, "loan-2")
    await service.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
