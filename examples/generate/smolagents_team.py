"""smolagents: a manager and a code-writing agent, traced by the OpenInference instrumentation."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from record import named_scenario, record_spans
from scenario import Scenario
from smolagents import CodeAgent, OpenAIServerModel, ToolCallingAgent, tool
from smolagents.monitoring import LogLevel

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def drive(scenario: Scenario, base_url: str, provider: TracerProvider) -> None:
    """Run the team on its task; agents in `options["coders"]` act by writing Python."""
    SmolagentsInstrumentor().instrument(tracer_provider=provider)
    model = OpenAIServerModel("gpt-4o", api_base=base_url, api_key="none")
    team: dict[str, Any] = {}
    for agent in reversed(scenario.agents):
        shared = {
            "tools": [tool(function) for function in agent.tools],
            "model": model,
            "name": agent.name,
            "description": agent.blurb,
            "instructions": agent.prompt,
            "managed_agents": [team[name] for name in agent.peers],
            "max_steps": 12,
            "verbosity_level": LogLevel.OFF,
        }
        if agent.name in scenario.options["coders"]:
            imports = scenario.options.get("imports", [])
            team[agent.name] = CodeAgent(**shared, additional_authorized_imports=imports)
        else:
            team[agent.name] = ToolCallingAgent(**shared)
    with contextlib.redirect_stdout(io.StringIO()):
        team[scenario.agents[0].name].run(scenario.task)


if __name__ == "__main__":
    record_spans(named_scenario(), drive, batch=False)
