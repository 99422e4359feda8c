"""Runs of LangSmith: a clerk looks up the stock, fails once, and hands over to a writer."""

import json
from typing import Any

LC = ["langchain", "schema", "messages"]


def message(kind: str, content: Any, **fields: Any) -> dict[str, Any]:
    name = {"ai": "AIMessage", "human": "HumanMessage", "system": "SystemMessage"}[kind]
    kwargs = {"content": content, "type": kind, **fields}
    return {"lc": 1, "type": "constructor", "id": [*LC, name], "kwargs": kwargs}


def run(number: int, kind: str, name: str, parent: int | None, **fields: Any) -> dict[str, Any]:
    metadata = {"thread_id": "t-7", **fields.pop("metadata", {})}
    found = {
        "id": f"r{number}",
        "trace_id": "r0",
        "parent_run_id": None if parent is None else f"r{parent}",
        "name": name,
        "run_type": kind,
        "start_time": f"2026-03-09T10:00:{2 * number:02}.000000",
        "end_time": f"2026-03-09T10:00:{2 * number + 1:02}.000000",
        "session_name": "default",
        "extra": {"metadata": metadata, "runtime": {"sdk": "any"}},
        "error": None,
    }
    return found | fields


def inside(*nodes: str) -> dict[str, Any]:
    return {"langgraph_checkpoint_ns": "|".join(f"{node}:0-1" for node in nodes)}


def answer(content: Any, **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 9, "output_tokens": 3, "input_token_details": {"cache_read": 4}}
    said = message("ai", content, usage_metadata=usage, **fields)
    return {"generations": [[{"text": content, "message": said}]]}


ASKED = message("human", "How many lamps are left?")
CALL = {"name": "stock", "args": {"sku": 7}, "id": "c1", "type": "tool_call"}
OVER = {"name": "transfer_to_writer", "args": {}, "id": "c2", "type": "tool_call"}
TOOL = {"type": "function", "function": {"name": "stock", "parameters": {"type": "object"}}}
COMMAND = "ParentCommand(Command(graph='__parent__', goto='writer'))Traceback (most recent call"
BROKEN = "ValueError('no such sku')Traceback (most recent call last):\n  File \"stock.py\""
UPDATE = {
    "graph": "__parent__",
    "goto": "writer",
    "update": {"messages": [{"type": "tool", "content": "Over to you", "tool_call_id": "c2"}]},
}
LANGGRAPH: list[dict[str, Any]] = [
    run(
        0,
        "chain",
        "shop",
        None,
        inputs={"messages": [ASKED]},
        feedback_stats={"correctness": {"n": 1, "avg": 0.0}},
    ),
    run(1, "chain", "clerk", 0, inputs={}, error=COMMAND, metadata=inside("clerk")),
    run(
        2,
        "llm",
        "ChatAny",
        1,
        inputs={"messages": [[message("system", "You count."), ASKED]]},
        outputs=answer("", id="m1", tool_calls=[CALL]),
        metadata={"ls_model_name": "m-1", **inside("clerk", "agent")},
    ),
    run(
        3,
        "tool",
        "stock",
        1,
        inputs={"input": "{'sku': 7}"},
        outputs={},
        error=BROKEN,
        metadata=inside("clerk", "tools"),
    ),
    run(
        4,
        "llm",
        "ChatAny",
        1,
        inputs={"messages": [[message("system", "You count."), ASKED]]},
        outputs=answer("Twelve.", id="m2", tool_calls=[OVER]),
        metadata=inside("clerk", "agent"),
    ),
    run(
        5,
        "tool",
        "transfer_to_writer",
        1,
        inputs={},
        outputs={"output": UPDATE},
        metadata=inside("clerk", "tools"),
    ),
    run(6, "chain", "writer", 0, inputs={}, metadata=inside("writer")),
    run(
        7,
        "llm",
        "ChatAny",
        6,
        inputs={"messages": [[ASKED]]},
        outputs=answer("Twelve lamps.", id="m3"),
        metadata=inside("writer", "agent"),
    ),
]
LANGGRAPH[2]["extra"]["invocation_params"] = {"tools": [TOOL]}
LANGGRAPH[3]["extra"]["tool_call_id"] = "c1"


def ai(content: Any, *, calls: Any = (), **fields: Any) -> dict[str, Any]:
    made = [{"name": name, "args": args, "id": id} for id, name, args in calls]
    return {"type": "ai", "content": content, "tool_calls": made, **fields}


CHAT: list[dict[str, Any]] = [
    {"type": "system", "content": "You count.", "additional_kwargs": {}},
    {"type": "human", "content": "How many lamps?", "id": "h1"},
    ai("", calls=[("c1", "stock", {"sku": 7})], name="clerk", id="a1"),
    {"type": "tool", "content": "no such sku", "tool_call_id": "c1", "status": "error"},
    ai("Ask her.", calls=[("c2", "transfer_to_writer", {})], name="clerk", id="a2"),
    {"type": "tool", "content": "done", "tool_call_id": "c2", "name": "transfer_to_writer"},
    ai([{"type": "text", "text": "Twelve."}], name="writer", id="a3"),
]
STORY = [  # what CHAT and its like tell
    ("system", "system", ("clerk",)),
    ("message", "user", ()),
    ("action", "clerk", ()),
    ("result", "stock", ()),
    ("handoff", "clerk", ("writer",)),
    ("result", "transfer_to_writer", ()),
    ("message", "writer", ()),
]


def shown(trace: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(step.kind, step.agent, step.to) for step in trace.steps]


DOCUMENTS = {"langgraph": LANGGRAPH}
GROUPED = {
    "langgraph": {
        "newer.json": json.dumps(LANGGRAPH[2:]).encode(),
        "older.jsonl": "\n".join(map(json.dumps, LANGGRAPH[:2])).encode(),
    }
}
