"""Trajectories of SWE-agent and mini-SWE-agent."""

from typing import Any

TRAJ: dict[str, Any] = {
    "environment": "main",
    "trajectory": [
        {
            "action": "open lamps.py\n",
            "observation": "[File: lamps.py]",
            "response": "Look first.\n```\nopen lamps.py\n```",
            "thought": "Look first.\n",
            "state": {"open_file": "n/a"},
            "execution_time": 0.5,
        },
        {"action": "submit\n", "observation": "the patch", "thought": "Done.\n"},
    ],
    "history": [
        {
            "role": "system",
            "content": "You mend.",
            "agent": "main",
            "message_type": "system_prompt",
        },
        {"role": "user", "content": "A demonstration.", "agent": "main", "is_demo": True},
        {
            "role": "user",
            "content": "How many lamps are left?",
            "agent": "main",
            "message_type": "observation",
        },
        {
            "role": "assistant",
            "content": "Look first.\n```\nopen lamps.py\n```",
            "thought": "Look first.\n",
            "action": "open lamps.py\n",
            "agent": "main",
            "message_type": "action",
        },
        {
            "role": "user",
            "content": "[File: lamps.py]",
            "agent": "main",
            "message_type": "observation",
        },
        {
            "role": "assistant",
            "content": "Twelve.",
            "thought": "Done.\n",
            "action": "submit\n",
            "agent": "main",
            "message_type": "action",
        },
    ],
    "info": {"exit_status": "submitted", "submission": "the patch"},
}
MINI: dict[str, Any] = {
    "info": {"exit_status": "LimitsExceeded", "submission": "", "mini_version": "2.4.6"},
    "messages": [
        {"role": "system", "content": "You mend."},
        {"role": "user", "content": "How many lamps are left?"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "c1", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
            ],
            "extra": {
                "cost": 0.5,
                "timestamp": 1795243231.5,
                "response": {"model": "m-1", "usage": {"prompt_tokens": 9}},
            },
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": "<returncode>2</returncode>\n<output>\nno\n</output>",
            "extra": {"returncode": 2, "timestamp": 1795243232.5, "raw_output": "no"},
        },
        {"role": "assistant", "content": "Twelve."},
        {"role": "exit", "content": "", "extra": {"exit_status": "LimitsExceeded"}},
    ],
    "trajectory_format": "mini-swe-agent-1.1",
}
DOCUMENTS = {"swe_agent": TRAJ, "mini_swe_agent": MINI}
