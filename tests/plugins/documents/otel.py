"""A small OpenTelemetry trace, of which the hostile tests make many damaged ones."""

from __future__ import annotations

import json
from typing import Any


def _span(number: int, parent: int, name: str, **attributes: Any) -> dict[str, Any]:
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "startTimeUnixNano": str(1_700_000_000_000_000_000 + 10 * number),
        "endTimeUnixNano": 1_700_000_000_000_000_005 + 10 * number,
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
        ],
        "events": [{"name": "exception", "attributes": []}],
        "status": {"code": 2, "message": "no such sku"} if number == 3 else {},
    }


_ASK = {"role": "user", "parts": [{"type": "text", "content": "How many lamps are left?"}]}
_CALL = {"type": "tool_call", "id": "c1", "name": "stock", "arguments": {"sku": 7}}
_SPANS = [
    _span(1, 0, "invoke_agent clerk", **{"gen_ai.operation.name": "invoke_agent"}),
    _span(
        2,
        1,
        "chat m",
        **{
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps([_ASK]),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [_CALL]}]),
        },
    ),
    _span(
        3,
        1,
        "execute_tool stock",
        **{
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "stock",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.result": '{"status": "error"}',
        },
    ),
    _span(
        4,
        1,
        "chat m",
        **{
            "openinference.span.kind": "LLM",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Twelve.",
        },
    ),
]
DOCUMENTS: dict[str, Any] = {
    "otel": {
        "resourceSpans": [
            {
                "resource": {"attributes": []},
                "scopeSpans": [{"scope": {"name": "test"}, "spans": _SPANS}],
            }
        ],
        "resourceLogs": [
            {
                "scopeLogs": [
                    {
                        "logRecords": [
                            {
                                "traceId": "0af7651916cd43dd8448eb211c80319c",
                                "spanId": f"{4:016x}",
                                "body": {"stringValue": "a note"},
                            }
                        ]
                    }
                ]
            }
        ],
    }
}
