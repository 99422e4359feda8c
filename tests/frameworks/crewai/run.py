"""CrewAI: a crew in which the archivist delegates to its coworker."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crewai import LLM, Agent, Crew, CrewOutput, Task
from crewai.events import crewai_event_bus
from crewai.events.base_events import BaseEvent
from crewai.tools import tool
from openinference.instrumentation.crewai import CrewAIInstrumentor
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


def list_kinds(kind: type[BaseEvent]) -> Iterator[type[BaseEvent]]:
    """All kinds of events below ``kind``."""
    for each in kind.__subclasses__():
        yield each
        yield from list_kinds(each)


def build_agents(base_url: str) -> tuple[Agent, Agent]:
    """The archivist and the loan desk."""
    model = LLM(f"openai/{MODEL}", base_url=base_url, api_key="none")
    archivist = Agent(
        role=ARCHIVIST,
        goal="Find a copy that may be borrowed.",
        backstory=ARCHIVIST_PROMPT,
        tools=[tool(find_copies), tool(read_condition)],
        llm=model,
        allow_delegation=True,
    )
    loan_desk = Agent(
        role=LOAN_DESK,
        goal=LOAN_DESK_BLURB,
        backstory=LOAN_DESK_PROMPT,
        tools=[tool(request_loan)],
        llm=model,
    )
    return archivist, loan_desk


def delegate(base_url: str) -> CrewOutput:
    """One task, of which the archivist gives a part to its coworker."""
    archivist, loan_desk = build_agents(base_url)
    loan = Task(description=TASK, expected_output="The number of the loan.", agent=archivist)
    return Crew(
        agents=[archivist, loan_desk],
        tasks=[loan],
        name="interlibrary_loans",
    ).kickoff()


def one_by_one(base_url: str, log: Path) -> CrewOutput:
    """Two tasks, of which the second is given what the first found."""
    archivist, loan_desk = build_agents(base_url)
    archivist.allow_delegation = False
    find = Task(description=TASK, expected_output="A copy.", agent=archivist)
    loan = Task(
        description="Request the loan of the copy that was found.",
        expected_output="The number of the loan.",
        agent=loan_desk,
        context=[find],
    )
    return Crew(
        agents=[archivist, loan_desk],
        tasks=[find, loan],
        name="interlibrary_loans",
        output_log_file=str(log),
    ).kickoff()


def write(done: CrewOutput, path: Path) -> None:
    """What a crew gave back."""
    path.write_text(json.dumps(done.model_dump(mode="json"), default=str))


def main(out: Path) -> None:
    """Live the story by delegation, with spans and every event of the bus, then task by task."""
    order = {"task": ORDER, "context": TASK, "coworker": LOAN_DESK}
    events: list[Any] = []
    with (
        ScriptedModel(write_script(Call("delegate_work_to_coworker", order))) as scripted,
        record_spans(out / "openinference.otlp.jsonl") as provider,
    ):
        CrewAIInstrumentor().instrument(tracer_provider=provider)
        with crewai_event_bus.scoped_handlers():
            for kind in sorted(set(list_kinds(BaseEvent)), key=lambda kind: kind.__name__):
                crewai_event_bus.on(kind)(lambda source, event: events.append(event.to_json()))
            write(delegate(scripted.base_url), out / "delegation_output.json")
        CrewAIInstrumentor().uninstrument()
    with (out / "events.jsonl").open("w") as file:
        file.writelines(json.dumps(event, default=str) + "\n" for event in events)
    with ScriptedModel(write_script(None)) as scripted:
        done = one_by_one(scripted.base_url, out / "tasks.json")
        write(done, out / "tasks_output.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
