"""A session of ADK."""

from __future__ import annotations

from typing import Any

SESSION: dict[str, Any] = {
    "id": "s-1",
    "appName": "shop",
    "userId": "u1",
    "state": {"mood": "fine"},
    "events": [
        {
            "id": "e1",
            "invocationId": "i1",
            "author": "user",
            "timestamp": 1773050400.5,
            "content": {"role": "user", "parts": [{"text": "How many lamps are left?"}]},
        },
        {
            "id": "e2",
            "invocationId": "i1",
            "author": "clerk",
            "timestamp": 1773050401.0,
            "nodeInfo": {"path": "clerk@1"},
            "modelVersion": "m",
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2},
            "content": {
                "role": "model",
                "parts": [
                    {"text": "I look it up.", "thought": True},
                    {"functionCall": {"id": "c1", "name": "stock", "args": {"sku": 7}}},
                ],
            },
        },
        {
            "id": "e3",
            "invocationId": "i1",
            "author": "clerk",
            "content": {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "c1",
                            "name": "stock",
                            "response": {"status": "error", "error_message": "no such sku"},
                        }
                    }
                ],
            },
        },
        {
            "id": "e4",
            "invocationId": "i1",
            "author": "clerk",
            "content": {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {
                            "id": "c2",
                            "name": "transfer_to_agent",
                            "args": {"agent_name": "writer"},
                        }
                    }
                ],
            },
        },
        {
            "id": "e5",
            "invocationId": "i1",
            "author": "clerk",
            "actions": {"transferToAgent": "writer"},
            "content": {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "c2",
                            "name": "transfer_to_agent",
                            "response": {"result": None},
                        }
                    }
                ],
            },
        },
        {
            "id": "e6",
            "invocationId": "i1",
            "author": "writer",
            "nodeInfo": {"path": "clerk@1/writer@1"},
            "partial": False,
            "content": {"role": "model", "parts": [{"text": "Twelve."}]},
        },
    ],
    "lastUpdateTime": 1773050403.0,
}
DOCUMENTS: dict[str, Any] = {"google_adk": SESSION}
