"""LangGraph: a supervisor graph that hands tasks to worker agents.

`options["export"]` says how the run is written down: "openinference" (spans of the OpenInference
LangChain instrumentation) or "messages" (the final state through `convert_to_openai_messages`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain_core.messages import HumanMessage, ToolMessage, convert_to_openai_messages
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command, Send
from record import named_scenario, record_chat, record_spans
from scenario import Agent, Scenario, ToolFailure

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


@wrap_tool_call
def report_failure(request: Any, handler: Any) -> ToolMessage | Command:
    """Give a failed tool's message to the model instead of ending the run."""
    try:
        return handler(request)
    except ToolFailure as failure:
        called = request.tool_call
        return ToolMessage(
            f"Error: {failure}", tool_call_id=called["id"], name=called["name"], status="error"
        )


def handover_to(peer: Agent) -> BaseTool:
    """The tool by which the supervisor gives `peer` a task of its own."""

    def transfer(
        request: str,
        tool_call_id: Annotated[str, InjectedToolCallId],
        state: Annotated[dict, InjectedState],
    ) -> Command:
        done = ToolMessage(
            f"Successfully transferred to {peer.name}",
            tool_call_id=tool_call_id,
            name=f"transfer_to_{peer.name}",
        )
        task = {"messages": [HumanMessage(request)]}
        update = {"messages": [*state["messages"], done]}
        return Command(goto=Send(peer.name, task), graph=Command.PARENT, update=update)

    return StructuredTool.from_function(
        transfer, name=f"transfer_to_{peer.name}", description=f"Give a task to {peer.blurb}."
    )


def worker_node(worker: Any, *, whole: bool) -> Callable[[MessagesState], dict[str, Any]]:
    """The node that runs `worker` on its task; adds its last message or its `whole` work."""

    def work(state: MessagesState) -> dict[str, Any]:
        done = worker.invoke(state)["messages"][len(state["messages"]) :]
        return {"messages": done if whole else done[-1:]}

    return work


def build_graph(scenario: Scenario, base_url: str) -> Any:
    """The team of `scenario`, its first agent the supervisor."""
    model = ChatOpenAI(model="gpt-4o", base_url=base_url, api_key="none", max_retries=0)
    graph = StateGraph(MessagesState)
    whole = scenario.options["export"] == "messages"
    boss = scenario.agents[0]
    for agent in scenario.agents:
        peers = [handover_to(scenario.agent(name)) for name in agent.peers]
        built = create_agent(
            model,
            [*map(StructuredTool.from_function, agent.tools), *peers],
            system_prompt=agent.prompt,
            middleware=[report_failure],
            name=agent.name,
        )
        if agent is boss:
            graph.add_node(agent.name, built, destinations=agent.peers)
        else:
            graph.add_node(agent.name, worker_node(built, whole=whole))
            graph.add_edge(agent.name, boss.name)
    graph.add_edge(START, boss.name)
    return graph.compile(name=scenario.slug.replace("-", "_"))


def run(scenario: Scenario, base_url: str) -> dict[str, Any]:
    """Run the team on its task; gives the final state."""
    task = {"messages": [HumanMessage(scenario.task)]}
    return build_graph(scenario, base_url).invoke(task, {"recursion_limit": 80})


def drive_spans(scenario: Scenario, base_url: str, provider: TracerProvider) -> None:
    """Run with OpenInference spans."""
    from openinference.instrumentation import TraceConfig
    from openinference.instrumentation.langchain import LangChainInstrumentor

    config = TraceConfig(hide_llm_invocation_parameters=True)
    LangChainInstrumentor().instrument(tracer_provider=provider, config=config)
    run(scenario, base_url)


def drive_messages(scenario: Scenario, base_url: str) -> list[dict[str, Any]]:
    """Run and give the final messages as OpenAI dicts."""
    return convert_to_openai_messages(run(scenario, base_url)["messages"])


if __name__ == "__main__":
    chosen = named_scenario()
    if chosen.options["export"] == "openinference":
        record_spans(chosen, drive_spans, batch=True)
    else:
        record_chat(chosen, drive_messages)
