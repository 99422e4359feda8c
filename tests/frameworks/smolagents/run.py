"""smolagents: a manager and the agent it manages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from scripted_model import MODEL, ScriptedModel
from smolagents import OpenAIServerModel, ToolCallingAgent, tool
from smolagents.monitoring import LogLevel
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


def main(out: Path) -> None:
    """Live the story once, with spans; then write what each agent remembers."""
    script = write_script(Call(LOAN_DESK, {"task": ORDER}), answer_tool="final_answer")
    shared = {"max_steps": 6, "verbosity_level": LogLevel.OFF}
    with (
        ScriptedModel(script) as scripted,
        record_spans(out / "openinference.otlp.jsonl") as provider,
    ):
        SmolagentsInstrumentor().instrument(tracer_provider=provider)
        model = OpenAIServerModel(MODEL, api_base=scripted.base_url, api_key="none")
        loan_desk = ToolCallingAgent(
            tools=[tool(request_loan)],
            model=model,
            name=LOAN_DESK,
            description=LOAN_DESK_BLURB,
            instructions=LOAN_DESK_PROMPT,
            **shared,
        )
        archivist = ToolCallingAgent(
            tools=[tool(find_copies), tool(read_condition)],
            model=model,
            name=ARCHIVIST,
            instructions=ARCHIVIST_PROMPT,
            managed_agents=[loan_desk],
            **shared,
        )
        done = archivist.run(TASK, return_full_result=True)
    (out / "archivist_run.json").write_text(json.dumps(done.dict(), default=str))
    steps = loan_desk.memory.get_full_steps()
    (out / "loan_desk_steps.json").write_text(json.dumps(steps, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
