"""What came over the wire, or was returned, and is no list of messages."""

import json
from typing import Any

_ASKED = {
    "messageId": "m1",
    "role": "user",
    "parts": [{"kind": "text", "text": "How many?"}],
}
_IDS = {"taskId": "t1", "contextId": "x1"}
_TOLD: list[dict[str, Any]] = [
    {
        "kind": "task",
        "id": "t1",
        "contextId": "x1",
        "status": {"state": "submitted"},
        "history": [_ASKED],
    },
    {"kind": "status-update", **_IDS, "status": {"state": "completed"}, "final": True},
]
_ANSWER = {"role": "assistant", "content": [{"text": "Twelve lamps."}]}
_NODE = {
    "result": {"type": "agent_result", "message": _ANSWER, "stop_reason": "end_turn"},
    "status": "completed",
    "accumulated_usage": {"inputTokens": 5, "outputTokens": 2},
}
_RESULT = {"type": "multiagent_result", "status": "completed", "results": {"clerk": _NODE}}
DOCUMENTS: dict[str, Any] = {}
SAMPLES = {
    "a2a": ("".join(f"data: {json.dumps(told)}\n\n" for told in _TOLD).encode(),),
    "strands": (json.dumps(_RESULT).encode(),),
}
