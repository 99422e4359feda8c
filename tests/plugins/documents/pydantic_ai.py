"""A message history of Pydantic AI."""

from __future__ import annotations

import json
from typing import Any

HISTORY: list[Any] = [
    {
        "kind": "request",
        "instructions": "You keep the stock of a shop.",
        "timestamp": "2026-03-09T10:00:00Z",
        "run_id": "r1",
        "parts": [{"part_kind": "user-prompt", "content": ["How many lamps are left?"]}],
    },
    {
        "kind": "response",
        "timestamp": "2026-03-09T10:00:01Z",
        "model_name": "m",
        "usage": {"request_tokens": 5, "response_tokens": 2, "details": None},
        "parts": [
            {"part_kind": "thinking", "content": "I look it up."},
            {
                "part_kind": "tool-call",
                "tool_name": "stock",
                "args": '{"sku": 7}',
                "tool_call_id": "c1",
            },
            {
                "part_kind": "tool-call",
                "tool_name": "ask_agent_writer",
                "args": {"task": "Write it down."},
                "tool_call_id": "c2",
            },
        ],
    },
    {
        "kind": "request",
        "instructions": "You keep the stock of a shop.",
        "parts": [
            {
                "part_kind": "retry-prompt",
                "tool_name": "stock",
                "tool_call_id": "c1",
                "content": [{"type": "missing", "loc": ["sku"], "msg": "Field required"}],
            },
            {
                "part_kind": "tool-return",
                "tool_name": "ask_agent_writer",
                "tool_call_id": "c2",
                "content": "Written.",
                "timestamp": "2026-03-09T10:00:09Z",
                "outcome": "success",
            },
            {"part_kind": "retry-prompt", "content": "Please answer with a number."},
        ],
    },
    {"kind": "response", "parts": [{"part_kind": "text", "content": "Twelve."}], "usage": None},
]
WRITER: list[Any] = [
    {
        "kind": "request",
        "timestamp": "2026-03-09T10:00:05Z",
        "run_id": "r2",
        "parts": [{"part_kind": "user-prompt", "content": "Write it down."}],
    },
    {
        "kind": "response",
        "timestamp": "2026-03-09T10:00:08Z",
        "model_name": "m",
        "parts": [{"part_kind": "text", "content": "Written."}],
    },
]
"""The history of the agent that the second call sets to work."""
DOCUMENTS: dict[str, Any] = {"pydantic_ai": HISTORY}
GROUPED = {
    "pydantic_ai": {
        "clerk.json": json.dumps(HISTORY).encode(),
        "writer.json": json.dumps(WRITER).encode(),
    }
}
