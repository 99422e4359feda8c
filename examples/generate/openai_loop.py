"""A plain tool loop over the `openai` client: one agent, the message list as its only log."""

from __future__ import annotations

import inspect
import json
from typing import Any

from openai import OpenAI
from record import named_scenario, record_chat
from scenario import Scenario, ToolFailure

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def describe_tool(tool: Any) -> dict[str, Any]:
    """The chat-completions schema of a plain function."""
    parameters = inspect.signature(tool).parameters
    properties = {name: {"type": _TYPES[item.annotation]} for name, item in parameters.items()}
    return {
        "type": "function",
        "function": {
            "name": tool.__name__,
            "description": tool.__doc__,
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(parameters),
            },
        },
    }


def drive(scenario: Scenario, base_url: str) -> dict[str, Any]:
    """Run until an answer makes no tool call; gives what was said and the tools there were."""
    agent = scenario.agents[0]
    client = OpenAI(base_url=base_url, api_key="none", max_retries=0)
    tools = [describe_tool(tool) for tool in agent.tools]
    by_name = {tool.__name__: tool for tool in agent.tools}
    messages: list[Any] = [
        {"role": "system", "content": agent.prompt},
        {"role": "user", "content": scenario.task},
    ]
    while True:
        answer = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        for asked in message.tool_calls or ():
            try:
                result = by_name[asked.function.name](**json.loads(asked.function.arguments))
            except ToolFailure as failure:
                result = json.dumps({"error": str(failure)})
            messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})
        if not message.tool_calls:
            return {"messages": messages, "tools": tools}


if __name__ == "__main__":
    record_chat(named_scenario(), drive)
