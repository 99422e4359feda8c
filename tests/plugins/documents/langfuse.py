"""A small Langfuse export: a tool that fails, a reply that is made up, a score."""

from __future__ import annotations

import json
from typing import Any

_CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": '{"sku": 8}'}}
_ASK = {"role": "user", "content": "How many lamps are left?"}


def _observation(number: int, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"o{number}",
        "traceId": "t-7",
        "parentObservationId": None if number == 0 else "o0",
        "type": kind,
        "name": name,
        "startTime": f"2026-03-09T10:00:0{number}.000Z",
        "endTime": f"2026-03-09T10:00:0{number}.500Z",
        "level": "DEFAULT",
        "statusMessage": None,
        "metadata": {"scope": {"name": "langfuse-sdk"}},
        "input": None,
        "output": None,
        **fields,
    }


DOCUMENTS: dict[str, Any] = {
    "langfuse": {
        "trace": {
            "id": "t-7",
            "name": "shop",
            "timestamp": "2026-03-09T10:00:00.000Z",
            "sessionId": "s-1",
            "metadata": {"expected_answer": "Eleven.", "shift": "late"},
            "scores": [{"name": "is correct", "value": 0, "dataType": "BOOLEAN"}],
        },
        "observations": [
            _observation(0, "AGENT", "clerk", input=json.dumps(_ASK)),
            _observation(
                1,
                "GENERATION",
                "chat",
                model="m",
                input={"messages": [_ASK], "tools": [{"type": "function", "function": {}}]},
                output=json.dumps({"role": "assistant", "tool_calls": [_CALL]}),
                usageDetails={"input": 9, "output": 2},
            ),
            _observation(
                2,
                "TOOL",
                "stock",
                input='{"sku": 8}',
                level="ERROR",
                statusMessage="no such sku",
            ),
            _observation(
                3,
                "GENERATION",
                "chat",
                input=json.dumps(json.dumps([_ASK, {"role": "assistant", "tool_calls": [_CALL]}])),
                output={"role": "assistant", "content": "Twelve."},
            ),
        ],
    }
}
