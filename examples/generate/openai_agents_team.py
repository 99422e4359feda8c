"""OpenAI Agents SDK: agents with handoffs, traced by the OpenInference instrumentation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import Agent as SdkAgent
from agents import (
    RunConfig,
    RunContextWrapper,
    Runner,
    function_tool,
    set_default_openai_api,
    set_default_openai_client,
    set_trace_processors,
)
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from record import named_scenario, record_spans
from scenario import Scenario

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def tell_failure(context: RunContextWrapper[Any], error: Exception) -> str:
    """What the model reads when a tool has failed."""
    return f"Tool call failed: {error}"


def drive(scenario: Scenario, base_url: str, provider: TracerProvider) -> None:
    """Run the team on its task."""
    set_trace_processors([])
    OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
    set_default_openai_client(
        AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0), use_for_tracing=False
    )
    set_default_openai_api("chat_completions")
    team: dict[str, SdkAgent[None]] = {}
    for agent in reversed(scenario.agents):
        tools = [function_tool(tool, failure_error_function=tell_failure) for tool in agent.tools]
        team[agent.name] = SdkAgent(
            name=agent.name,
            handoff_description=agent.blurb,
            instructions=agent.prompt,
            model="gpt-4o",
            tools=tools,
            handoffs=[team[name] for name in agent.peers],
        )
    config = RunConfig(workflow_name=scenario.slug)
    first = team[scenario.agents[0].name]
    asyncio.run(Runner.run(first, scenario.task, run_config=config, max_turns=30))


if __name__ == "__main__":
    record_spans(named_scenario(), drive, batch=True)
