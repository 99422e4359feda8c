"""Pydantic AI: agents that call each other through tools, with its own OpenTelemetry spans."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic_ai import Agent as PydanticAgent
from pydantic_ai import ModelRetry
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from record import named_scenario, record_spans
from scenario import Agent, Scenario, ToolFailure

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def retrying(tool: Callable[..., Any]) -> Callable[..., Any]:
    """`tool`, with its failures given to the model as a request to retry."""

    @functools.wraps(tool)
    def work(*args: Any, **kwargs: Any) -> Any:
        try:
            return tool(*args, **kwargs)
        except ToolFailure as failure:
            raise ModelRetry(str(failure)) from None

    return work


def delegate_to(peer: Agent, built: PydanticAgent[None, str]) -> Callable[..., Any]:
    """The tool by which an agent asks `peer` for something."""

    async def ask(request: str) -> str:
        return (await built.run(request)).output

    ask.__name__ = f"ask_{peer.name}"
    ask.__doc__ = f"Ask {peer.blurb}; it sees nothing but the request."
    return ask


def drive(scenario: Scenario, base_url: str, provider: TracerProvider) -> None:
    """Run the team on its task."""
    settings = InstrumentationSettings(tracer_provider=provider, include_content=True)
    client = OpenAIProvider(base_url=base_url, api_key="none")
    model = OpenAIChatModel("gpt-4o", provider=client)
    PydanticAgent.instrument_all(settings)
    team: dict[str, PydanticAgent[None, str]] = {}
    for agent in reversed(scenario.agents):
        peers = [delegate_to(scenario.agent(name), team[name]) for name in agent.peers]
        team[agent.name] = PydanticAgent(
            model,
            name=agent.name,
            instructions=agent.prompt,
            tools=[*map(retrying, agent.tools), *peers],
            retries=2,
        )
    asyncio.run(team[scenario.agents[0].name].run(scenario.task))


if __name__ == "__main__":
    record_spans(named_scenario(), drive, batch=False)
