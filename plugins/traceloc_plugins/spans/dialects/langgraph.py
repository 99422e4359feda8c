"""Names of agents in LangGraph's metadata, shared by every instrumentation of it."""

from __future__ import annotations

from typing import Any

from traceloc_plugins.spans.dialect import Attribution
from traceloc_plugins.spans.values import decoded

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

STEPS_OF_AN_AGENT = frozenset({"agent", "model", "model_request", "tools"})
"""Nodes that the graph of one prebuilt agent is made of."""


_HOOKS = frozenset({"before_agent", "before_model", "after_model", "after_agent"})
"""What LangChain's middlewares do in a node of their own, ``SummarizationMiddleware.before_model``
for one."""


def metadata_of(about: dict[str, Any], *names: str) -> dict[str, Any]:
    """A run's metadata: JSON in a string, an object, or flattened to one attribute a key."""
    for name in names:
        found = about.get(name)
        if isinstance(found, str):
            found = decoded(found) if "lang" in found or "lc_" in found else None
        if isinstance(found, dict):
            return found
        prefix = f"{name}."
        if flat := {key[len(prefix) :]: about[key] for key in about if key.startswith(prefix)}:
            return {key: _unquoted(value) for key, value in flat.items()}
    return {}


def _unquoted(value: Any) -> Any:
    """A text without the quotes of JSON, which Langfuse's SDK of version 5 puts round it."""
    return decoded(value) if isinstance(value, str) and value[:1] == '"' else value


def agent_of(namespace: object) -> str | None:
    """The agent of ``researcher:48e0…|agent:f788…``: the first segment that is no inner node."""
    if not isinstance(namespace, str) or not namespace:
        return None
    name = namespace.partition("|")[0].partition(":")[0].strip()
    return name if name and not is_inner(name) else None


def is_inner(node: str) -> bool:
    """Whether a node is a part of one agent: its model, its tools, a hook of a middleware."""
    return node in NODES or node.rpartition(".")[2] in _HOOKS


def agent_in(metadata: dict[str, Any]) -> tuple[str, Attribution] | None:
    """The agent that a run's metadata names."""
    for key in ("langgraph_checkpoint_ns", "checkpoint_ns"):
        if name := agent_of(metadata.get(key)):
            return name, "namespace"
    if isinstance(name := metadata.get("lc_agent_name"), str) and name.strip():
        return name.strip(), "explicit"
    return None


def is_langgraph(metadata: dict[str, Any]) -> bool:
    """Whether a span is a node of a graph, whose own name is then no agent's."""
    return any(str(key).startswith("langgraph_") for key in metadata)
