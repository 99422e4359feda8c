"""A small trace of MLflow: a tool that fails, a reply that is made up, an assessment."""

from __future__ import annotations

import base64
import json
from typing import Any

_ASK = {"role": "user", "content": "How many lamps are left?"}
_CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": '{"sku": 8}'}}


def _span(number: int, name: str, kind: str, given: Any, gave: Any, **more: Any) -> dict[str, Any]:
    return {
        "trace_id": base64.b64encode(bytes(range(16))).decode(),
        "span_id": _id(number),
        "parent_span_id": _id(1) if number > 1 else None,
        "name": name,
        "start_time_unix_nano": 1_700_000_000_000_000_000 + 10 * number,
        "end_time_unix_nano": 1_700_000_000_000_000_005 + 10 * number,
        "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {
            "mlflow.traceRequestId": '"tr-7"',
            "mlflow.spanType": json.dumps(kind),
            "mlflow.spanInputs": json.dumps(given),
            "mlflow.spanOutputs": json.dumps(gave),
        },
        "links": [],
        **more,
    }


def _id(number: int) -> str:
    return base64.b64encode(number.to_bytes(8)).decode()


DOCUMENTS: dict[str, Any] = {
    "mlflow": {
        "info": {
            "trace_id": "tr-7",
            "request_time": "2026-03-09T10:00:00Z",
            "state": "OK",
            "trace_metadata": {"mlflow.trace.session": "s-1", "mlflow.source.name": "shop.py"},
            "tags": {"mlflow.traceName": "shop"},
            "assessments": [
                {"assessment_name": "correctness", "feedback": {"value": "no"}},
                {"assessment_name": "expected_answer", "expectation": {"value": "Eleven."}},
            ],
        },
        "data": {
            "spans": [
                _span(1, "clerk", "AGENT", {"question": "How many lamps are left?"}, "Twelve."),
                _span(
                    2,
                    "model",
                    "CHAT_MODEL",
                    {"messages": [_ASK], "model": "m"},
                    {"choices": [{"message": {"role": "assistant", "tool_calls": [_CALL]}}]},
                ),
                _span(
                    3,
                    "stock",
                    "TOOL",
                    {"sku": 8},
                    None,
                    status={"code": "STATUS_CODE_ERROR", "message": "no such sku"},
                ),
                _span(
                    4,
                    "model",
                    "CHAT_MODEL",
                    {"messages": [_ASK, {"role": "assistant", "tool_calls": [_CALL]}]},
                    {"choices": [{"message": {"role": "assistant", "content": "Twelve."}}]},
                ),
            ]
        },
    }
}
