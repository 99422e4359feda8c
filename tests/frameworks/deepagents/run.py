"""Deep agents: the archivist sets a sub-agent to work by the library's own tool."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

from deepagents import create_deep_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.load import dumps
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.instrumentation.langchain import LangchainInstrumentor as OpenLLMetry
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_BLURB,
    LOAN_DESK_PROMPT,
    ORDER,
    TASK,
    Call,
    ServiceDown,
    find_copies,
    read_condition,
    request_loan,
    write_script,
)

SCRIPT = write_script(Call("task", {"description": ORDER, "subagent_type": LOAN_DESK}))
INPUT = {"messages": [("user", TASK)]}
THREAD = {"configurable": {"thread_id": "loan-1"}}


class ReportFailure(AgentMiddleware):
    """Gives a failed tool's message to the model instead of ending the run."""

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        """In a run by ``invoke``."""
        try:
            return handler(request)
        except ServiceDown as failure:
            return tell(failure, request.tool_call)

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
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


def build_agent(base_url: str, saver: SqliteSaver | None = None) -> Any:
    """The archivist, who knows of the loan desk."""
    model = ChatOpenAI(model=MODEL, base_url=base_url, max_retries=0)
    loan_desk = {
        "name": LOAN_DESK,
        "description": LOAN_DESK_BLURB,
        "system_prompt": LOAN_DESK_PROMPT,
        "tools": [tool(request_loan)],
        "model": model,
    }
    return create_deep_agent(
        model=model,
        tools=[tool(find_copies), tool(read_condition)],
        system_prompt=ARCHIVIST_PROMPT,
        subagents=[loan_desk],
        middleware=[ReportFailure()],
        checkpointer=saver,
        name=ARCHIVIST,
    )


async def write_events(agent: Any, path: Path) -> None:
    """The events of a run, one a line."""
    with path.open("w") as file:
        async for event in agent.astream_events(INPUT, version="v2"):
            file.write(dumps(event) + "\n")


def main(out: Path) -> None:
    """Live the story once for each way to record it that excludes the others."""
    with ScriptedModel(SCRIPT) as model, record_spans(out / "openinference.otlp.jsonl") as provider:
        saver = SqliteSaver(sqlite3.connect(out / "checkpoints.sqlite", check_same_thread=False))
        LangChainInstrumentor().instrument(tracer_provider=provider)
        state = build_agent(model.base_url, saver).invoke(INPUT, THREAD)
        LangChainInstrumentor().uninstrument()
        saver.conn.close()
    messages = [message.model_dump() for message in state["messages"]]
    (out / "state.json").write_text(json.dumps({"messages": messages}, default=str))
    with ScriptedModel(SCRIPT) as model:
        asyncio.run(write_events(build_agent(model.base_url), out / "events.jsonl"))
    # Last: it leaves its mark on the library when it is gone.
    with ScriptedModel(SCRIPT) as model, record_spans(out / "openllmetry.otlp.jsonl") as provider:
        OpenLLMetry().instrument(tracer_provider=provider)
        build_agent(model.base_url).invoke(INPUT)
        OpenLLMetry().uninstrument()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
