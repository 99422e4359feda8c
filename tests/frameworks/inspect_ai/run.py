"""Inspect AI: two ReAct agents in an evaluation, the first hands over."""

from __future__ import annotations

import sys
from pathlib import Path

import story
from inspect_ai import Task, eval
from inspect_ai.agent import handoff, react
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from inspect_ai.tool import Tool, ToolError, tool
from scripted_model import MODEL, ScriptedModel
from story import ARCHIVIST, LOAN_DESK, Call, write_script


@tool
def find_copies() -> Tool:
    """Wraps the tool of the story."""

    async def execute(title: str) -> str:
        return story.find_copies(title)

    execute.__doc__ = story.find_copies.__doc__
    return execute


@tool
def read_condition() -> Tool:
    """Wraps the tool of the story; its failure is told to the model."""

    async def execute(copy: str) -> str:
        raise ToolError(story.SERVICE_DOWN)

    execute.__doc__ = story.read_condition.__doc__
    return execute


@tool
def request_loan() -> Tool:
    """Wraps the tool of the story."""

    async def execute(copy: str, start: str, end: str) -> str:
        return story.request_loan(copy, start, end)

    execute.__doc__ = story.request_loan.__doc__
    return execute


def main(out: Path) -> None:
    """Live the story once, as a sample whose answer is wrong."""
    script = write_script(Call("transfer_to_loan_desk"), answer_tool="submit")
    loan_desk = react(
        name=LOAN_DESK,
        description=story.LOAN_DESK_BLURB,
        prompt=story.LOAN_DESK_PROMPT,
        tools=[request_loan()],
    )
    archivist = react(
        name=ARCHIVIST,
        prompt=story.ARCHIVIST_PROMPT,
        tools=[find_copies(), read_condition(), handoff(loan_desk)],
    )
    task = Task(
        dataset=[Sample(story.TASK, target="loan of A-118")],
        solver=archivist,
        scorer=includes(),
        message_limit=30,
        name="interlibrary_loans",
    )
    with ScriptedModel(script) as scripted:
        model = get_model(
            f"openai/{MODEL}", base_url=scripted.base_url, api_key="none", responses_api=False
        )
        (log,) = eval(task, model=model, display="none", log_dir=str(out), log_format="eval")
    if log.status != "success":
        raise SystemExit(f"the evaluation ended with {log.status}: {log.error}")
    (written,) = out.glob("*.eval")
    written.rename(out / "loans.eval")
    write_eval_log(read_eval_log(str(out / "loans.eval")), str(out / "loans.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
