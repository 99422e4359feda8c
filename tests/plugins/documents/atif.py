"""A trajectory in ATIF, as an agent with one tool would leave it."""

import json
from typing import Any

TRAJECTORY: dict[str, Any] = {
    "schema_version": "ATIF-v1.7",
    "session_id": "s-1",
    "trajectory_id": "t-1",
    "agent": {
        "name": "clerk",
        "version": "2",
        "model_name": "m-1",
        "tool_definitions": [{"type": "function", "function": {"name": "stock"}}],
    },
    "steps": [
        {"step_id": 1, "source": "system", "message": "You count."},
        {"step_id": 2, "source": "user", "message": "How many lamps are left?"},
        {
            "step_id": 3,
            "timestamp": "2026-03-09T10:00:00Z",
            "source": "agent",
            "message": "I look.",
            "reasoning_content": "A tool knows.",
            "tool_calls": [
                {"tool_call_id": "c1", "function_name": "stock", "arguments": {"sku": 7}},
                {"tool_call_id": "c2", "function_name": "stock", "arguments": {"sku": 8}},
            ],
            "observation": {
                "results": [
                    {"source_call_id": "c2", "content": "none", "extra": {"is_error": True}},
                    {"source_call_id": "c1", "content": "12"},
                ]
            },
            "metrics": {"prompt_tokens": 9, "completion_tokens": 3, "cached_tokens": 1},
        },
        {"step_id": 4, "source": "agent", "message": "Twelve."},
    ],
    "final_metrics": {"total_steps": 4},
}
DOCUMENTS = {"atif": TRAJECTORY}

HELPER = {
    "schema_version": "ATIF-v1.5",
    "session_id": "h-1",
    "agent": {"name": "helper", "version": "1"},
    "steps": [
        {"step_id": 1, "source": "user", "message": "Count the lamps.", "is_copied_context": True},
        {"step_id": 2, "source": "agent", "message": "Twelve of them."},
    ],
}
ASKED = {"content": "asked", "subagent_trajectory_ref": [{"trajectory_path": "helper.json"}]}
BOSS = {
    "schema_version": "ATIF-v1.5",
    "session_id": "b-1",
    "agent": {"name": "boss", "version": "1"},
    "steps": [
        {"step_id": 1, "source": "user", "message": "How many lamps are left?"},
        {
            "step_id": 2,
            "source": "agent",
            "message": "I ask.",
            "tool_calls": [{"tool_call_id": "c1", "function_name": "ask", "arguments": {}}],
            "observation": {"results": [{"source_call_id": "c1", **ASKED}]},
        },
        {"step_id": 3, "source": "agent", "message": "Twelve."},
    ],
}
GROUPED = {
    "atif": {
        "boss.json": json.dumps(BOSS).encode(),
        "helper.json": json.dumps(HELPER).encode(),
    }
}
