"""OpenAI Agents SDK: a hand-off, with the models of the Responses and of the older API."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    RunResult,
    SQLiteSession,
    function_tool,
    set_trace_processors,
)
from agents.tracing.processor_interface import TracingExporter
from agents.tracing.processors import BatchTraceProcessor
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_BLURB,
    LOAN_DESK_PROMPT,
    TASK,
    Call,
    find_copies,
    read_condition,
    request_loan,
    write_script,
)

SCRIPT = write_script(Call("transfer_to_loan_desk"))


class ToFile(TracingExporter):
    """Writes traces and spans as the SDK would send them, one a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def export(self, items: list[Any]) -> None:
        """Append ``items``."""
        with self.path.open("a") as file:
            file.writelines(json.dumps(item.export()) + "\n" for item in items)


def run_team(kind: Any, *, session: SQLiteSession | None = None) -> RunResult:
    """Live the story with a ``kind`` of model."""
    with ScriptedModel(SCRIPT) as scripted:
        client = AsyncOpenAI(base_url=scripted.base_url, max_retries=0)
        model = kind(MODEL, openai_client=client)
        loan_desk = Agent(
            LOAN_DESK,
            handoff_description=LOAN_DESK_BLURB,
            instructions=LOAN_DESK_PROMPT,
            model=model,
            tools=[function_tool(request_loan)],
        )
        archivist = Agent(
            ARCHIVIST,
            instructions=ARCHIVIST_PROMPT,
            model=model,
            tools=[function_tool(find_copies), function_tool(read_condition)],
            handoffs=[loan_desk],
        )
        config = RunConfig(workflow_name="interlibrary-loans")
        return asyncio.run(Runner.run(archivist, TASK, session=session, run_config=config))


def main(out: Path) -> None:
    """Live the story once for each way to record it that excludes the others."""
    own = BatchTraceProcessor(ToFile(out / "trace.jsonl"))
    set_trace_processors([own])
    session = SQLiteSession("loan-1", out / "session.sqlite")
    done = run_team(OpenAIResponsesModel, session=session)
    session.close()
    own.shutdown()
    (out / "run_state.json").write_text(json.dumps(done.to_state().to_json(), default=str))
    (out / "input_list.json").write_text(json.dumps(done.to_input_list(), default=str))
    chat = BatchTraceProcessor(ToFile(out / "trace_chat_completions.jsonl"))
    set_trace_processors([chat])
    run_team(OpenAIChatCompletionsModel)
    chat.shutdown()
    set_trace_processors([])
    with record_spans(out / "openinference.otlp.jsonl") as provider:
        OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
        run_team(OpenAIResponsesModel)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
