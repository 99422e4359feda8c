"""Names of agents in LangGraph's checkpoint namespaces, shared by every instrumentation of it."""

from __future__ import annotations

NODES = frozenset(
    {
        "agent",
        "model",
        "tools",
        "tool",
        "call_model",
        "call_tool",
        "model_request",
        "llm",
        "chatbot",
    }
    | {"__start__", "__end__", "pre_model_hook", "post_model_hook", "generate_structured_response"}
)
"""Nodes inside an agent's own graph: what they are called says nothing about who acts."""


def agent_of(namespace: object) -> str | None:
    """The agent of ``researcher:48e0…|agent:f788…``: the first segment that is no inner node."""
    if not isinstance(namespace, str) or not namespace:
        return None
    name = namespace.partition("|")[0].partition(":")[0].strip()
    return name if name and name not in NODES else None
