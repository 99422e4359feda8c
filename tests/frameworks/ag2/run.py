"""AG2 since version 1: the archivist has the loan desk as a tool."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from ag2 import Agent
from ag2.config import OpenAIConfig
from ag2.middleware.builtin.telemetry import TelemetryMiddleware
from ag2.tools import tool
from opentelemetry.sdk.trace import TracerProvider
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


async def live(base_url: str, provider: TracerProvider) -> None:
    """Live the story."""
    model = OpenAIConfig(model=MODEL, base_url=base_url, api_key="none", streaming=False)

    def build(name: str, prompt: str, tools: list[Any]) -> Agent:
        spans = TelemetryMiddleware(tracer_provider=provider, agent_name=name, model_name=MODEL)
        return Agent(name, prompt=prompt, config=model, tools=tools, middleware=[spans])

    loan_desk = build(LOAN_DESK, LOAN_DESK_PROMPT, [tool(request_loan)])
    colleague = loan_desk.as_tool(description=LOAN_DESK_BLURB)
    tools = [tool(find_copies), tool(read_condition), colleague]
    await build(ARCHIVIST, ARCHIVIST_PROMPT, tools).ask(TASK)


def main(out: Path) -> None:
    """Live the story once, with spans."""
    script = write_script(Call(f"task_{LOAN_DESK}", {"objective": ORDER, "context": TASK}))
    with ScriptedModel(script) as model, record_spans(out / "spans.otlp.jsonl") as provider:
        asyncio.run(live(model.base_url, provider))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
