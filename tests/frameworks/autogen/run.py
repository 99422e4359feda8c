"""AutoGen AgentChat: a swarm of two agents."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import redirect_stdout
from pathlib import Path

from autogen_agentchat import EVENT_LOGGER_NAME as TEAM_LOG
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_agentchat.ui import Console
from autogen_core import EVENT_LOGGER_NAME as CORE_LOG
from autogen_ext.models.openai import OpenAIChatCompletionClient
from scripted_model import MODEL, ScriptedModel
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN,
    LOAN_DESK,
    LOAN_DESK_PROMPT,
    TASK,
    Call,
    find_copies,
    read_condition,
    request_loan,
    write_script,
)

SCRIPT = write_script(Call("transfer_to_loan_desk"))


def build_team(base_url: str) -> Swarm:
    """The swarm, which is over when the loan desk names the loan."""
    client = OpenAIChatCompletionClient(model=MODEL, base_url=base_url, max_retries=0)
    archivist = AssistantAgent(
        ARCHIVIST,
        client,
        tools=[find_copies, read_condition],
        handoffs=[LOAN_DESK],
        max_tool_iterations=3,
        system_message=ARCHIVIST_PROMPT,
    )
    loan_desk = AssistantAgent(
        LOAN_DESK,
        client,
        tools=[request_loan],
        max_tool_iterations=3,
        system_message=LOAN_DESK_PROMPT,
    )
    over = TextMentionTermination(f"Loan {LOAN}", sources=[LOAN_DESK]) | MaxMessageTermination(20)
    return Swarm([archivist, loan_desk], termination_condition=over)


async def live(base_url: str, out: Path) -> None:
    """Live the story and write what its stream, its result and its state say."""
    team = build_team(base_url)
    with (out / "stream.jsonl").open("w") as file:
        async for item in team.run_stream(task=TASK):
            file.write(item.model_dump_json() + "\n")
    assert isinstance(item, TaskResult)
    (out / "result.json").write_text(item.model_dump_json())
    (out / "state.json").write_text(json.dumps(await team.save_state()))


async def print_it(base_url: str, path: Path) -> None:
    """Live the story and write what the console shows."""
    with path.open("w") as file, redirect_stdout(file):
        await Console(build_team(base_url).run_stream(task=TASK))


def keep(name: str, path: Path) -> None:
    """Write the events of a logger, one a line."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = logging.FileHandler(path)
    # Events of AgentChat are models, those of the core print themselves as JSON.
    handler.format = lambda record: (  # type: ignore[method-assign]
        record.msg.model_dump_json() if hasattr(record.msg, "model_dump_json") else str(record.msg)
    )
    logger.addHandler(handler)


def main(out: Path) -> None:
    """Live the story twice: once with all logs, once on the console."""
    keep(CORE_LOG, out / "core_events.jsonl")
    keep(TEAM_LOG, out / "team_events.jsonl")
    with ScriptedModel(SCRIPT) as model:
        asyncio.run(live(model.base_url, out))
    for name in (CORE_LOG, TEAM_LOG):
        logging.getLogger(name).handlers.clear()
    with ScriptedModel(SCRIPT) as model:
        asyncio.run(print_it(model.base_url, out / "console.txt"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
