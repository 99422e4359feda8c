"""What a crew leaves behind."""

from __future__ import annotations

from typing import Any

OUTPUT: dict[str, Any] = {
    "raw": "Twelve lamps are ordered.",
    "tasks_output": [
        {
            "name": "count",
            "description": "Count the lamps.",
            "expected_output": "a number",
            "raw": "There are twelve lamps.",
            "agent": "Store Clerk",
            "messages": [
                {"role": "system", "content": "You are Store Clerk."},
                {"role": "user", "content": "How many lamps are left?"},
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "stock", "arguments": '{"sku": 7}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "name": "stock", "content": "no such sku"},
                {"role": "assistant", "content": "There are twelve lamps."},
            ],
            "tool_failures": [
                {
                    "tool_name": "stock",
                    "tool_args": {"sku": 7},
                    "failure": {
                        "message": "no such sku",
                        "reason": "exception",
                        "code": "KeyError",
                    },
                }
            ],
        },
        {
            "name": "order",
            "description": "Order more.",
            "raw": "Twelve lamps are ordered.",
            "agent": "Buyer",
            "messages": [
                {"role": "system", "content": "You are Buyer."},
                {"role": "user", "content": "Order more. Context: There are twelve lamps."},
                {"role": "assistant", "content": "Twelve lamps are ordered."},
            ],
            "tool_failures": [],
        },
    ],
    "token_usage": {"total_tokens": 30},
}
DOCUMENTS: dict[str, Any] = {"crewai": OUTPUT}
