"""Calls of Weave: a clerk looks up the stock, fails once, and a writer called inside answers."""

import json
from typing import Any

CLERK = "weave:///team/shop/object/Clerk:9f"


def call(number: int, op: str, parent: int | None, **fields: Any) -> dict[str, Any]:
    kind = fields.pop("kind", None)
    return {
        "id": f"w{number}",
        "project_id": "team/shop",
        "op_name": f"weave:///team/shop/op/{op}:0f{number}",
        "trace_id": "t0",
        "parent_id": None if parent is None else f"w{parent}",
        "thread_id": "t-7",
        "started_at": f"2026-03-09T10:00:{2 * number:02}+00:00",
        "ended_at": f"2026-03-09T10:00:{2 * number + 1:02}+00:00",
        "attributes": {"weave": {"kind": kind} if kind else {}},
        "inputs": {},
        "summary": {"weave": {"status": "success"}},
        "exception": None,
    } | fields


def model(number: int, parent: int, *said: Any, calls: Any = None, **fields: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {}}
    message = {"role": "assistant", "content": fields.pop("answer", None), "tool_calls": calls}
    asked = [{"role": role, "content": text} for role, text in said]
    return call(
        number,
        "openai.chat.completions.create",
        parent,
        kind="llm",
        inputs={"model": "m-1", "messages": asked, "tools": fields.pop("tools", [])},
        output={"id": f"chat-{number}", "choices": [{"message": message}]},
        summary={"usage": {"m-1": usage}},
    )


def wanted(number: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"c{number}", "type": "function", "function": function}


ASKED = ("user", "How many lamps are left?")
TOOL = {"type": "function", "function": {"name": "stock", "parameters": {"type": "object"}}}
BROKEN = '{"type": "ValueError", "message": "no such sku", "traceback": []}'
WEAVE: list[dict[str, Any]] = [
    call(
        0,
        "shop",
        None,
        inputs={"question": "How many lamps are left?", "expected_answer": "31415"},
        output="Twelve.",
        summary={"usage": {"m-1": {"prompt_tokens": 27}}, "weave": {"feedback": [{"note": "bad"}]}},
    ),
    call(1, "Clerk.run", 0, inputs={"self": CLERK, "task": "How many lamps?"}, output="Twelve."),
    model(
        2,
        1,
        ("system", "You count."),
        ASKED,
        calls=[wanted(1, "stock", '{"sku": 7}')],
        tools=[TOOL],
    ),
    call(3, "stock", 1, inputs={"sku": 7}, exception=BROKEN),
    model(4, 1, ASKED, calls=[wanted(2, "transfer_to_writer", "{}")]),
    call(5, "writer", 1, inputs={"task": "Write it down."}, output="Twelve."),
    model(6, 5, ("user", "Write it down."), answer="Twelve."),
]
DOCUMENTS = {"weave": WEAVE}
GROUPED = {
    "weave": {
        "newer.json": json.dumps({"calls": WEAVE[3:]}).encode(),
        "older.json": json.dumps({"calls": WEAVE[:3]}).encode(),
    }
}
