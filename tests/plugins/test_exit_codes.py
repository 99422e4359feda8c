"""Where a log says how a command ended, what it printed is nobody's error."""

from __future__ import annotations

import json
from typing import Any

import pytest

PRINTED = "Traceback (most recent call last):\n  File 'job.py'\nValueError: of yesterday"


def mini_swe_agent(code: int) -> Any:
    return {
        "trajectory_format": "mini-swe-agent-1.1",
        "info": {"exit_status": "Submitted"},
        "messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": "```bash\ncat job.log\n```"},
            {"role": "user", "content": PRINTED, "extra": {"returncode": code}},
        ],
    }


def codex(code: int) -> Any:
    call = {"type": "function_call", "call_id": "c", "name": "shell", "arguments": "{}"}
    output = json.dumps({"output": PRINTED, "metadata": {"exit_code": code}})
    items = [call, {"type": "function_call_output", "call_id": "c", "output": output}]
    return "\n".join(json.dumps({"type": "response_item", "payload": item}) for item in items)


def codex_stream(code: int) -> Any:
    item = {"type": "command_execution", "id": "i", "command": "cat job.log", "exit_code": code}
    item |= {"aggregated_output": PRINTED, "status": "completed"}
    lines = [{"type": "thread.started", "thread_id": "t"}, {"type": "item.completed", "item": item}]
    return "\n".join(map(json.dumps, lines))


def openhands(code: int) -> Any:
    extras = {"metadata": {"exit_code": code}}
    return [
        {"id": 0, "source": "user", "action": "message", "args": {"content": "Look."}},
        {"id": 1, "source": "agent", "action": "run", "args": {"command": "cat job.log"}},
        {"id": 2, "cause": 1, "observation": "run", "content": PRINTED, "extras": extras},
    ]


def autogen(code: int) -> Any:
    return [
        {"type": "TextMessage", "source": "user", "content": "Look."},
        {"type": "CodeExecutionEvent", "source": "coder"}
        | {"result": {"exit_code": code, "output": PRINTED}},
    ]


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("mini_swe_agent", mini_swe_agent),
        ("codex", codex),
        ("codex", codex_stream),
        ("openhands", openhands),
        ("autogen", autogen),
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_decides(load_one: Any, name: str, made: Any, code: int) -> None:
    trace = load_one(made(code), format=name)
    (result,) = [step for step in trace.steps if step.text == PRINTED]
    assert result.kind == "result"
    assert (result.error is not None) == bool(code)
