"""AutoGen: a Magentic-One group chat whose orchestrator keeps a ledger."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import MagenticOneGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient
from record import named_scenario, record_chat
from scenario import Scenario


def drive(scenario: Scenario, base_url: str) -> dict[str, Any]:
    """Run the group chat; gives its `TaskResult`."""
    client = OpenAIChatCompletionClient(
        model="gpt-4o", base_url=base_url, api_key="none", max_retries=0
    )
    team = [
        AssistantAgent(
            agent.name,
            client,
            tools=list(agent.tools),
            description=agent.blurb,
            system_message=agent.prompt,
            max_tool_iterations=8,
        )
        for agent in scenario.agents
        if agent.name != scenario.options["unprompted"]
    ]
    chat = MagenticOneGroupChat(team, model_client=client, max_turns=12)
    result = asyncio.run(chat.run(task=scenario.task))
    return json.loads(result.model_dump_json())


if __name__ == "__main__":
    record_chat(named_scenario(), drive)
