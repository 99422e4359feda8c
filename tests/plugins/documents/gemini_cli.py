"""A session of the Gemini CLI."""

from typing import Any


def returned(id: str, **response: str) -> list[dict[str, Any]]:
    return [{"functionResponse": {"id": id, "name": "stock", "response": response}}]


SESSION: dict[str, Any] = {
    "sessionId": "s-1",
    "projectHash": "0f0f",
    "startTime": "2026-03-09T10:00:00.000Z",
    "messages": [
        {
            "id": "m1",
            "timestamp": "2026-03-09T10:00:00.000Z",
            "type": "user",
            "content": "How many lamps are left?",
        },
        {
            "id": "m2",
            "timestamp": "2026-03-09T10:00:01.000Z",
            "type": "gemini",
            "content": "I look.",
            "thoughts": [{"subject": "Stock", "description": "A tool knows."}],
            "tokens": {"input": 9, "output": 3, "cached": 1, "thoughts": 2, "total": 14},
            "model": "m-1",
            "toolCalls": [
                {
                    "id": "c1",
                    "name": "stock",
                    "args": {"sku": 7},
                    "description": "Counts.",
                    "status": "success",
                    "result": returned("c1", output="12"),
                },
                {
                    "id": "c2",
                    "name": "stock",
                    "args": {},
                    "status": "error",
                    "result": returned("c2", error="no such sku"),
                },
                {
                    "id": "c3",
                    "name": "stock",
                    "args": {},
                    "status": "cancelled",
                    "result": returned("c3", error="[Operation Cancelled]"),
                },
            ],
        },
        {"id": "m3", "type": "gemini", "content": "Twelve.", "tokens": {"input": 20}},
        {"id": "m4", "type": "error", "content": "quota exceeded"},
    ],
}
DOCUMENTS = {"gemini_cli": SESSION}
