"""LangGraph: two agents in one graph, the first hands over by a command."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.load import dumps
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from langsmith import RunTree
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.instrumentation.langchain import LangchainInstrumentor as OpenLLMetry
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_PROMPT,
    TASK,
    Call,
    ServiceDown,
    find_copies,
    read_condition,
    request_loan,
    write_script,
)

SCRIPT = write_script(Call("transfer_to_loan_desk"))
INPUT = {"messages": [("user", TASK)]}
THREAD = {"configurable": {"thread_id": "loan-1"}}


class ReportFailure(AgentMiddleware):
    """Gives a failed tool's message to the model instead of ending the run."""

    def wrap_tool_call(self, request: Any, handler: Any) -> ToolMessage | Command:
        """In a run by ``invoke``."""
        try:
            return handler(request)
        except ServiceDown as failure:
            return tell(failure, request.tool_call)

    async def awrap_tool_call(self, request: Any, handler: Any) -> ToolMessage | Command:
        """In a run by ``astream_events``."""
        try:
            return await handler(request)
        except ServiceDown as failure:
            return tell(failure, request.tool_call)


def tell(failure: ServiceDown, made: dict[str, Any]) -> ToolMessage:
    """The message that answers the call ``made``."""
    return ToolMessage(
        f"Error: {failure}", tool_call_id=made["id"], name=made["name"], status="error"
    )


@tool
def transfer_to_loan_desk(
    tool_call_id: Annotated[str, InjectedToolCallId],
    state: Annotated[dict, InjectedState],
) -> Command:
    """Hand over to the loan desk."""
    said = ToolMessage(
        "Transferred to loan_desk", tool_call_id=tool_call_id, name="transfer_to_loan_desk"
    )
    update = {"messages": [*state["messages"], said]}
    return Command(goto=LOAN_DESK, graph=Command.PARENT, update=update)


def build_graph(base_url: str) -> StateGraph:
    """The team, not yet compiled."""
    model = ChatOpenAI(model=MODEL, base_url=base_url, max_retries=0)
    archivist = create_agent(
        model,
        [tool(find_copies), tool(read_condition), transfer_to_loan_desk],
        system_prompt=ARCHIVIST_PROMPT,
        middleware=[ReportFailure()],
        name=ARCHIVIST,
    )
    loan_desk = create_agent(
        model, [tool(request_loan)], system_prompt=LOAN_DESK_PROMPT, name=LOAN_DESK
    )
    graph = StateGraph(MessagesState)
    graph.add_node(ARCHIVIST, archivist, destinations=(LOAN_DESK,))
    graph.add_node(LOAN_DESK, loan_desk)
    graph.add_edge(START, ARCHIVIST)
    graph.add_edge(LOAN_DESK, END)
    return graph


def walk(run: RunTree) -> Iterator[RunTree]:
    """A run and all below it, as LangSmith's client would list them."""
    yield run
    for child in run.child_runs:
        yield from walk(child)


async def write_events(graph: Any, path: Path) -> None:
    """The events of a run, one a line."""
    with path.open("w") as file:
        async for event in graph.astream_events(INPUT, version="v2"):
            file.write(dumps(event) + "\n")


def main(out: Path) -> None:
    """Live the story once for each way to record it that excludes the others."""
    with ScriptedModel(SCRIPT) as model:
        saver = SqliteSaver(sqlite3.connect(out / "checkpoints.sqlite", check_same_thread=False))
        runs = RunCollectorCallbackHandler()
        graph = build_graph(model.base_url).compile(saver, name="loans")
        with record_spans(out / "openinference.otlp.jsonl") as provider:
            LangChainInstrumentor().instrument(tracer_provider=provider)
            state = graph.invoke(INPUT, {**THREAD, "callbacks": [runs]})
            LangChainInstrumentor().uninstrument()
        saver.conn.close()
    messages = [message.model_dump() for message in state["messages"]]
    (out / "state.json").write_text(json.dumps({"messages": messages}, default=str))
    with (out / "langsmith_runs.jsonl").open("w") as file:
        file.writelines(run.json() + "\n" for root in runs.traced_runs for run in walk(root))
    with ScriptedModel(SCRIPT) as model, record_spans(out / "openllmetry.otlp.jsonl") as provider:
        OpenLLMetry().instrument(tracer_provider=provider)
        build_graph(model.base_url).compile(name="loans").invoke(INPUT)
        OpenLLMetry().uninstrument()
    with ScriptedModel(SCRIPT) as model:
        graph = build_graph(model.base_url).compile(name="loans")
        asyncio.run(write_events(graph, out / "events.jsonl"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
