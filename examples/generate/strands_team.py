"""Strands: a swarm of agents, with its own OpenTelemetry spans in the GenAI conventions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from record import named_scenario, record_spans
from scenario import Scenario

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def drive(scenario: Scenario, base_url: str, provider: TracerProvider) -> None:
    """Run the swarm on its task; its first agent begins."""
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    from opentelemetry import trace
    from strands import Agent as StrandsAgent
    from strands import tool
    from strands.models.openai import OpenAIModel
    from strands.multiagent import Swarm

    trace.set_tracer_provider(provider)
    client = {"base_url": base_url, "api_key": "none", "max_retries": 0}
    team = [
        StrandsAgent(
            model=OpenAIModel(client_args=client, model_id="gpt-4o"),
            name=agent.name,
            description=agent.blurb,
            system_prompt=agent.prompt,
            tools=[tool(function) for function in agent.tools],
            callback_handler=None,
        )
        for agent in scenario.agents
    ]
    Swarm(team, entry_point=team[0], id=scenario.slug)(scenario.task)


if __name__ == "__main__":
    record_spans(named_scenario(), drive, batch=False)
