"""A rollout of Codex, as a list of its lines."""

import json
from typing import Any


def line(kind: str, second: int = 0, **payload: Any) -> dict[str, Any]:
    stamp = f"2026-03-09T10:00:{second:02}.000Z"
    return {"timestamp": stamp, "type": kind, "payload": payload}


def message(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


ROLLOUT = [
    line("session_meta", id="s-1", cwd="/shop", originator="codex_cli_rs", cli_version="0.50.0"),
    line("response_item", **message("user", "<environment_context>\n</environment_context>")),
    line("response_item", **message("user", "How many lamps are left?")),
    line("event_msg", type="user_message", message="How many lamps are left?"),
    line("turn_context", cwd="/shop", model="m-1"),
    line("event_msg", 1, type="agent_reasoning", text="I count."),
    line(
        "response_item", 1, type="reasoning", summary=[{"type": "summary_text", "text": "I count."}]
    ),
    line(
        "response_item",
        1,
        type="function_call",
        name="shell",
        call_id="c1",
        arguments='{"command": ["ls", "lamps"]}',
    ),
    line(
        "response_item",
        2,
        type="function_call_output",
        call_id="c1",
        output='{"output": "no such folder", "metadata": {"exit_code": 2}}',
    ),
    line(
        "event_msg",
        2,
        type="token_count",
        info={
            "last_token_usage": {"input_tokens": 9, "output_tokens": 3},
            "total_token_usage": {"input_tokens": 9, "output_tokens": 3},
        },
    ),
    line("event_msg", 3, type="agent_message", message="Twelve."),
    line("response_item", 3, **message("assistant", "Twelve.")),
]
DOCUMENTS = {"codex": ROLLOUT}


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


SPAWNED = {"subagent": {"thread_spawn": {"parent_thread_id": "s-1", "agent_role": "scout"}}}
GROUPED = {
    "codex": {
        "a.jsonl": lines(
            line("session_meta", id="s-2", cwd="/shop", source=SPAWNED),
            line("response_item", 3, **message("user", "Count the lamps.")),
            line("response_item", 4, **message("assistant", "Twelve of them.")),
        ),
        "b.jsonl": lines(
            line("session_meta", id="s-1", cwd="/shop", source="cli"),
            line("response_item", 1, **message("user", "How many lamps are left?")),
            line(
                "response_item",
                2,
                type="function_call",
                name="spawn_agent",
                call_id="c1",
                arguments='{"message": "Count the lamps."}',
            ),
            line(
                "response_item",
                5,
                type="function_call_output",
                call_id="c1",
                output='{"agent_id": "s-2"}',
            ),
            line("response_item", 6, **message("assistant", "Twelve.")),
        ),
    }
}
