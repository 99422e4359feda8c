"""Pydantic AI: the archivist gives the work away by a tool in which the loan desk runs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pydantic_ai import Agent, ModelRetry
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_PROMPT,
    ORDER,
    SERVICE_DOWN,
    TASK,
    Call,
    find_copies,
    request_loan,
    write_script,
)


def read_condition(copy: str) -> str:
    """The last report on the condition of a copy."""
    raise ModelRetry(SERVICE_DOWN)


async def live(base_url: str, folder: Path) -> None:
    """Live the story; the histories of both agents go into ``folder``."""
    model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=base_url))
    loan_desk = Agent(model, name=LOAN_DESK, instructions=LOAN_DESK_PROMPT, tools=[request_loan])

    async def delegate_to_loan_desk(order: str) -> str:
        """Have the loan desk request a copy."""
        done = await loan_desk.run(order)
        (folder / "loan_desk.json").write_bytes(done.all_messages_json())
        return done.output

    archivist = Agent(
        model,
        name=ARCHIVIST,
        instructions=ARCHIVIST_PROMPT,
        tools=[find_copies, read_condition, delegate_to_loan_desk],
        retries=2,
    )
    done = await archivist.run(TASK)
    (folder / "archivist.json").write_bytes(done.all_messages_json())


def main(out: Path) -> None:
    """Live the story once, with spans."""
    script = write_script(Call("delegate_to_loan_desk", {"order": ORDER}))
    (out / "histories").mkdir()
    with ScriptedModel(script) as model, record_spans(out / "spans.otlp.jsonl") as provider:
        Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
        asyncio.run(live(model.base_url, out / "histories"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
