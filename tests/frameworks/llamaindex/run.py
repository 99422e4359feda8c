"""LlamaIndex: an agent workflow of two agents."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import Context, JsonSerializer
from llama_index.llms.openai_like import OpenAILike
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from scripted_model import MODEL, ScriptedModel
from span_file import record_spans
from story import (
    ARCHIVIST,
    ARCHIVIST_PROMPT,
    LOAN_DESK,
    LOAN_DESK_BLURB,
    LOAN_DESK_PROMPT,
    TASK,
    Call,
    find_copies,
    read_condition,
    request_loan,
    write_script,
)


async def live(base_url: str, out: Path) -> None:
    """Live the story and write what its stream and its context say."""
    model = OpenAILike(
        model=MODEL,
        api_base=base_url,
        api_key="none",
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
    )
    archivist = FunctionAgent(
        name=ARCHIVIST,
        description="Finds copies.",
        system_prompt=ARCHIVIST_PROMPT,
        tools=[find_copies, read_condition],
        llm=model,
        can_handoff_to=[LOAN_DESK],
    )
    loan_desk = FunctionAgent(
        name=LOAN_DESK,
        description=LOAN_DESK_BLURB,
        system_prompt=LOAN_DESK_PROMPT,
        tools=[request_loan],
        llm=model,
    )
    team = AgentWorkflow(agents=[archivist, loan_desk], root_agent=ARCHIVIST)
    context = Context(team)
    memory = ChatMemoryBuffer.from_defaults(token_limit=8000)
    handler = team.run(user_msg=TASK, ctx=context, memory=memory)
    with (out / "events.jsonl").open("w") as file:
        async for event in handler.stream_events():
            record = {"type": type(event).__name__, "data": event.model_dump(mode="json")}
            file.write(json.dumps(record, default=str) + "\n")
    await handler
    state = context.to_dict(serializer=JsonSerializer())
    (out / "context.json").write_text(json.dumps(state, default=str))


def main(out: Path) -> None:
    """Live the story once, with spans."""
    script = write_script(
        Call("handoff", {"to_agent": LOAN_DESK, "reason": "Copy A-118 has to be requested."})
    )
    with (
        ScriptedModel(script) as model,
        record_spans(out / "openinference.otlp.jsonl") as provider,
    ):
        LlamaIndexInstrumentor().instrument(tracer_provider=provider)
        asyncio.run(live(model.base_url, out))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
