"""AG2 (classic): a group chat whose speakers take turns by the rule of its scenario."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from autogen import ConversableAgent, GroupChat, GroupChatManager, UserProxyAgent
from record import named_scenario, record_chat
from scenario import Scenario

TOOL_HOST = "tool_executor"


def drive(scenario: Scenario, base_url: str) -> dict[str, Any]:
    """Run the group chat; gives its result as AG2 keeps it.

    After a tool call the executor speaks, after the executor the caller again; else the floor goes
    to the next name in `options["floor"]`.
    """
    config = {
        "config_list": [{"model": "gpt-4o", "base_url": base_url, "api_key": "none"}],
        "cache_seed": None,
    }
    never: dict[str, Any] = {"human_input_mode": "NEVER", "code_execution_config": False}
    team = {
        agent.name: ConversableAgent(
            agent.name, system_message=agent.prompt, llm_config=config, **never
        )
        for agent in scenario.agents
    }
    host = ConversableAgent(TOOL_HOST, llm_config=False, **never)
    for agent in scenario.agents:
        for tool in agent.tools:
            team[agent.name].register_for_llm(name=tool.__name__, description=tool.__doc__)(tool)
            if tool.__name__ not in host.function_map:
                host.register_for_execution(name=tool.__name__)(tool)
    user = UserProxyAgent("user_proxy", **never)
    floor = iter(scenario.options["floor"])
    callers: list[ConversableAgent] = []

    def choose(last: ConversableAgent, chat: GroupChat) -> ConversableAgent | None:
        if last is host:
            return callers.pop()
        if chat.messages[-1].get("tool_calls"):
            callers.append(last)
            return host
        name = next(floor, None)
        return team[name] if name else None

    chat = GroupChat(
        [user, host, *team.values()], [], max_round=40, speaker_selection_method=choose
    )
    manager = GroupChatManager(chat, llm_config=config)
    with contextlib.redirect_stdout(io.StringIO()):
        done = user.initiate_chat(manager, message=scenario.task)
    return {
        "chat_id": 0,
        "chat_history": done.chat_history,
        "summary": done.summary,
        "cost": done.cost,
    }


if __name__ == "__main__":
    record_chat(named_scenario(), drive)
