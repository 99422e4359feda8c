"""LlamaIndex's events, Semantic Kernel's history, messages of Strands, CAMEL's memory."""

from __future__ import annotations

import json
from typing import Any


def _said(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "blocks": [{"block_type": "text", "text": text}], **more}


_ASKED = [_said("system", "You count."), _said("user", "How many lamps are left?")]
_CALL = {"tool_id": "c1", "tool_name": "stock", "tool_kwargs": {"sku": 7}}
_HAND = {"tool_id": "c2", "tool_name": "handoff", "tool_kwargs": {"to_agent": "writer"}}
LLAMAINDEX: list[Any] = [
    {"type": "AgentInput", "data": {"current_agent_name": "clerk", "input": _ASKED}},
    {
        "type": "AgentOutput",
        "data": {
            "current_agent_name": "clerk",
            "response": {"role": "assistant", "blocks": []},
            "tool_calls": [_CALL],
        },
    },
    {"type": "ToolCall", "data": _CALL},
    {
        "type": "ToolCallResult",
        "data": {
            **_CALL,
            "tool_output": {
                "blocks": [{"block_type": "text", "text": "no such sku"}],
                "raw_output": "no such sku",
                "is_error": True,
            },
        },
    },
    {
        "type": "AgentOutput",
        "data": {
            "current_agent_name": "clerk",
            "response": _said("assistant", "I pass it on."),
            "tool_calls": [_HAND],
        },
    },
    {
        "type": "ToolCallResult",
        "data": {**_HAND, "tool_output": {"content": "ok", "is_error": False}},
    },
    {
        "type": "AgentInput",
        "data": {
            "current_agent_name": "writer",
            "input": [_said("system", "You write."), *_ASKED[1:]],
        },
    },
    {
        "type": "AgentOutput",
        "data": {
            "current_agent_name": "writer",
            "response": _said("assistant", "Twelve."),
            "tool_calls": [],
        },
    },
    {"type": "StopEvent", "data": {"result": {"response": _said("assistant", "Twelve.")}}},
]


def _item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"content_type": kind, **fields}


SEMANTIC_KERNEL: dict[str, Any] = {
    "messages": [
        {"role": "system", "content_type": "message", "items": [_item("text", text="You count.")]},
        {"role": "user", "content_type": "message", "items": [_item("text", text="How many?")]},
        {
            "role": "assistant",
            "name": "clerk",
            "content_type": "message",
            "ai_model_id": "m",
            "metadata": {"id": "r1", "created": 1773050400, "usage": {"prompt_tokens": 5}},
            "items": [
                _item("function_call", id="c1", name="Shop-stock", arguments='{"sku": 7}'),
                _item(
                    "function_call",
                    id="c2",
                    name="Handoff-transfer_to_writer",
                    function_name="transfer_to_writer",
                    arguments="{}",
                ),
            ],
            "finish_reason": "tool_calls",
        },
        {
            "role": "tool",
            "content_type": "message",
            "name": "clerk",
            "items": [
                _item(
                    "function_result",
                    id="c1",
                    name="Shop-stock",
                    result="An error occurred while invoking the function Shop-stock: no such sku",
                ),
                _item("function_result", id="c2", result=None),
            ],
        },
        {
            "role": "assistant",
            "name": "writer",
            "content_type": "message",
            "items": [_item("text", text="Twelve.")],
        },
    ]
}
STRANDS: list[Any] = [
    {"role": "user", "content": [{"text": "How many lamps are left?"}], "tracking_id": "t0"},
    {
        "role": "assistant",
        "content": [
            {"reasoningContent": {"reasoningText": {"text": "I look it up."}}},
            {"toolUse": {"toolUseId": "c1", "name": "stock", "input": {"sku": 7}}},
        ],
        "metadata": {"usage": {"inputTokens": 5, "outputTokens": 2}},
        "tracking_id": "t1",
    },
    {
        "role": "user",
        "content": [
            {
                "toolResult": {
                    "toolUseId": "c1",
                    "status": "error",
                    "content": [{"text": "no such sku"}],
                }
            }
        ],
    },
    {"role": "assistant", "content": [{"text": "Twelve."}]},
]


def _record(backend: str, **message: Any) -> dict[str, Any]:
    return {
        "uuid": f"u-{backend}",
        "message": {"role_name": "System", "role_type": "system", "content": "", **message},
        "role_at_backend": backend,
        "extra_info": {},
        "timestamp": 1773050400.5,
        "agent_id": "a1",
    }


CAMEL: list[Any] = [
    _record("system", content="You count."),
    _record("user", content="How many lamps are left?", role_name="User"),
    _record(
        "assistant",
        tool_calls=[{"id": "c1", "function": {"name": "stock", "arguments": '{"sku": 7}'}}],
    ),
    _record(
        "function",
        func_name="stock",
        result="Tool execution failed: no such sku",
        tool_call_id="c1",
    ),
    _record("assistant", content="Twelve."),
]


def _model_call(second: int, answer: str, *messages: dict[str, Any]) -> bytes:
    call = {
        "request_timestamp": f"2026-03-09T10:00:{second:02}.000000",
        "model": "m",
        "agent_id": "a1",
        "request": {"messages": list(messages), "model_config_dict": {}},
        "response_timestamp": f"2026-03-09T10:00:{second + 1:02}.000000",
        "response": {
            "id": f"r{second}",
            "choices": [{"message": {"role": "assistant", "content": answer}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2},
        },
    }
    return json.dumps(call).encode()


_ASKED = {"role": "user", "content": "How many lamps are left?"}
_AGAIN = {"role": "user", "content": "Are you sure of it?"}


def _filed(number: int, role: str, text: str) -> bytes:
    message = {"role": role, "content": [{"text": text}]}
    time = f"2026-03-09T10:00:{number:02}+00:00"
    return json.dumps({"message": message, "message_id": number, "created_at": time}).encode()


_SESSION = {"session_id": "s1", "session_type": "AGENT"}
_STATE = {"agent_id": "clerk", "state": {}, "conversation_manager_state": {}}
_CLERK = "session_s1/agents/agent_clerk"
GROUPED = {
    "camel": {
        "later.json": _model_call(
            3, "Quite sure.", _ASKED, {"role": "assistant", "content": "Twelve lamps."}, _AGAIN
        ),
        "sooner.json": _model_call(1, "Twelve lamps.", _ASKED),
    },
    "strands": {
        f"{_CLERK}/messages/message_0.json": _filed(0, "user", "How many lamps are left?"),
        f"{_CLERK}/messages/message_1.json": _filed(1, "assistant", "There are twelve."),
        f"{_CLERK}/agent.json": json.dumps(_STATE).encode(),
        "session_s1/session.json": json.dumps(_SESSION).encode(),
    },
}
DOCUMENTS: dict[str, Any] = {
    "llamaindex": LLAMAINDEX,
    "semantic_kernel": SEMANTIC_KERNEL,
    "strands": STRANDS,
    "camel": CAMEL,
}
