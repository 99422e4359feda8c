"""Names of agents in checkpoint namespaces such as ``researcher:48e0…|agent:f788…``."""

from __future__ import annotations

from typing import Any

from traceloc_plugins.spans.dialects.langgraph import is_inner as is_part

_LONGEST = 4000
"""Characters of a namespace that are read; deeper graphs than that are no graphs."""


def is_inner(node: str) -> bool:
    """Whether a node belongs to the making of an agent, so that its name is nobody's."""
    return is_part(node) or node.endswith("_middleware")


def agent_in(namespace: Any) -> str | None:
    """The agent of a namespace; ``None`` where it names none.

    An agent's own graph has inner nodes such as ``tools``, so the deepest node above one of those
    is the agent. Where there are none, the outermost node is.
    """
    if isinstance(namespace, list):
        namespace = "|".join(part for part in namespace if isinstance(part, str))
    if not isinstance(namespace, str) or not namespace:
        return None
    names = [part.partition(":")[0].strip() for part in namespace[:_LONGEST].split("|")]
    names = [name for name in names if name and not name.isdecimal()]
    for name, below in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        if is_inner(below) and not is_inner(name):
            return name
    return names[0] if names and not is_inner(names[0]) else None
