"""A trajectory of OpenHands V0."""

import json
from typing import Any


def event(id: int, source: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": f"2026-03-09T10:00:{id:02}.500000", "source": source, **more}


def metadata(call_id: str, arguments: str) -> dict[str, Any]:
    function = {"name": "execute_bash", "arguments": arguments}
    message = {"role": "assistant", "tool_calls": [{"id": call_id, "function": function}]}
    return {
        "function_name": "execute_bash",
        "tool_call_id": call_id,
        "model_response": {
            "id": "r1",
            "model": "m-1",
            "choices": [{"message": message}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3},
        },
        "total_calls_in_response": 2,
    }


FIRST, SECOND = metadata("c1", '{"command": "ls"}'), metadata("c2", '{"command": "wc"}')
TRAJECTORY: list[dict[str, Any]] = [
    event(
        0,
        "agent",
        action="system",
        args={"content": "You count.", "agent_class": "CodeActAgent", "tools": []},
    ),
    event(1, "user", action="message", args={"content": "How many lamps are left?"}),
    event(2, "user", observation="null", cause=1, content="", extras={}),
    event(
        3,
        "agent",
        action="run",
        args={"command": "ls", "thought": "I look."},
        tool_call_metadata=FIRST,
    ),
    event(
        4,
        "agent",
        observation="run",
        cause=3,
        content="twelve",
        extras={"metadata": {"exit_code": 0}},
        tool_call_metadata=FIRST,
        success=True,
    ),
    event(5, "agent", action="run", args={"command": "wc"}, tool_call_metadata=SECOND),
    event(
        6,
        "agent",
        observation="run",
        cause=5,
        content="no such file",
        extras={"metadata": {"exit_code": 1}},
        tool_call_metadata=SECOND,
        success=False,
    ),
    event(7, "agent", action="message", args={"content": "Twelve."}),
    event(8, "environment", observation="agent_state_changed", content="", extras={}),
]
DOCUMENTS = {"openhands": TRAJECTORY}


def written(second: int, source: str, kind: str, **more: Any) -> bytes:
    stamp = f"2026-03-09T10:00:{second:02}.000000"
    event = {"id": f"e{second}", "timestamp": stamp, "source": source, "kind": kind}
    return json.dumps(event | more).encode()


def said(role: str, text: str) -> dict[str, Any]:
    return {"llm_message": {"role": role, "content": [{"type": "text", "text": text}]}}


RAN = {"tool_name": "terminal", "tool_call_id": "c1"}
GROUPED = {
    "openhands": {
        "base_state.json": json.dumps(
            {"id": "v-1", "agent": {}, "workspace": {}, "execution_status": "finished"}
        ).encode(),
        "event-00000.json": written(
            0, "user", "MessageEvent", **said("user", "How many lamps are left?")
        ),
        "event-00001.json": written(
            1,
            "agent",
            "ActionEvent",
            thought=[{"type": "text", "text": "I look."}],
            tool_call={"id": "c1", "name": "terminal", "arguments": '{"command": "ls"}'},
            **RAN,
        ),
        "event-00002.json": written(
            2,
            "environment",
            "ObservationEvent",
            observation={"content": [{"type": "text", "text": "no such folder"}], "exit_code": 2},
            **RAN,
        ),
        "event-00003.json": written(3, "agent", "MessageEvent", **said("assistant", "Twelve.")),
    }
}
