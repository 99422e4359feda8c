"""A team of MetaGPT, a simulation of tau2, a task of A2A."""

from __future__ import annotations

from typing import Any

METAGPT: dict[str, Any] = {
    "env": {
        "desc": "",
        "roles": {
            "Clerk": {
                "name": "Ann",
                "profile": "Clerk",
                "goal": "count lamps",
                "actions": [{"name": "Count", "case": {"prompt": "Count the lamps."}}],
                "rc": {
                    "memory": {
                        "storage": [
                            {
                                "id": "m1",
                                "content": "How many lamps are left?",
                                "role": "Human",
                                "cause_by": "metagpt.actions.add_requirement.UserRequirement",
                                "sent_from": "",
                                "send_to": ["<all>"],
                            },
                            {
                                "id": "m2",
                                "content": "Twelve.",
                                "role": "Clerk",
                                "cause_by": "shop.Count",
                                "sent_from": "shop.roles.Clerk",
                                "send_to": ["Bob"],
                            },
                        ]
                    }
                },
            },
            "Writer": {"name": "Bob", "profile": "Writer", "actions": [], "rc": {}},
        },
    },
    "investment": 10.0,
    "idea": "How many lamps are left?",
}
TAU2: dict[str, Any] = {
    "timestamp": "2026-03-09T10:00:00",
    "info": {
        "agent_info": {"implementation": "llm_agent", "llm": "m"},
        "user_info": {"implementation": "user_simulator"},
        "environment_info": {"domain_name": "shop", "policy": "Be kind."},
    },
    "tasks": [{"id": "7", "evaluation_criteria": {"actions": [{"name": "refund"}]}}],
    "simulations": [
        {
            "id": "sim-1",
            "task_id": "7",
            "trial": 0,
            "seed": 3,
            "termination_reason": "user_stop",
            "reward_info": {"reward": 0.0, "info": {"note": "31415"}},
            "review": {
                "errors": [
                    {
                        "source": "user",
                        "error_type": "minor_slip",
                        "severity": "minor",
                        "turn_idx": 1,
                        "reasoning": "too short",
                    },
                    {
                        "source": "agent",
                        "error_tags": ["wrong_tool"],
                        "severity": "critical",
                        "turn_idx": 2,
                        "reasoning": "asked for the wrong lamp",
                    },
                ]
            },
            "messages": [
                {"role": "assistant", "turn_idx": 0, "content": "How can I help?"},
                {
                    "role": "user",
                    "turn_idx": 1,
                    "content": None,
                    "tool_calls": [
                        {"id": "u1", "name": "look", "arguments": {}, "requestor": "user"}
                    ],
                },
                {"role": "tool", "id": "u1", "content": "dark", "requestor": "user"},
                {
                    "role": "assistant",
                    "turn_idx": 2,
                    "timestamp": "2026-03-09T10:00:05",
                    "content": None,
                    "cost": 0.01,
                    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
                    "tool_calls": [
                        {"id": "a1", "name": "stock", "arguments": {"sku": 7}},
                        {"id": "a2", "name": "stock", "arguments": {"sku": 8}},
                    ],
                },
                {
                    "role": "tool",
                    "tool_messages": [
                        {"role": "tool", "id": "a1", "content": "no such sku", "error": True},
                        {"role": "tool", "id": "a2", "content": "12", "error": False},
                    ],
                },
                {"role": "assistant", "turn_idx": 3, "content": "Twelve."},
            ],
        }
    ],
}
A2A: dict[str, Any] = {
    "id": "t1",
    "contextId": "x1",
    "kind": "task",
    "status": {
        "state": "failed",
        "timestamp": "2026-03-09T10:00:05Z",
        "message": {
            "kind": "message",
            "messageId": "m3",
            "role": "agent",
            "parts": [{"kind": "text", "text": "The shop is closed."}],
        },
    },
    "history": [
        {
            "kind": "message",
            "messageId": "m1",
            "role": "user",
            "parts": [{"kind": "text", "text": "How many lamps are left?"}],
        },
        {
            "kind": "message",
            "messageId": "m2",
            "role": "agent",
            "metadata": {"agent_name": "clerk"},
            "parts": [
                {
                    "kind": "data",
                    "data": {"id": "c1", "name": "stock", "args": {"sku": 7}},
                    "metadata": {"adk_type": "function_call"},
                }
            ],
        },
        {
            "kind": "message",
            "messageId": "m2b",
            "role": "agent",
            "parts": [
                {
                    "kind": "data",
                    "data": {"id": "c1", "name": "stock", "response": {"status": "error"}},
                    "metadata": {"adk_type": "function_response"},
                }
            ],
        },
    ],
    "artifacts": [
        {"artifactId": "r", "name": "report", "parts": [{"kind": "text", "text": "Twelve."}]}
    ],
}
DOCUMENTS: dict[str, Any] = {"metagpt": METAGPT, "tau2": TAU2, "a2a": A2A}
