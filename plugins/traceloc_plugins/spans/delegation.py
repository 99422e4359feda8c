"""Calls that hand the work to another agent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_TARGET = re.compile(
    r"(?:transfer(?:red)?_(?:back_)?to|hand_?off_(?:back_)?to|delegate_(?:\w+_)?to|route_to)_(?P<to>\w+)",
    re.IGNORECASE,
)
_TARGET_KEYS = ("agent_name", "to_agent", "coworker", "target_agent", "agent", "recipient", "to")
_NAMED_IN_ARGUMENTS = frozenset(
    {"transfer_to_agent", "handoff_to_agent", "handoff", "delegate_to_agent"}
    | {"delegate work to coworker", "ask question to coworker", "delegate_work_to_coworker"}
    | {"ask_question_to_coworker", "transfer_to_agent_tool", "handoff_tool"}
)


_GOING_BACK = re.compile(r"Transferring back to (?P<to>[^\n]{1,200})")
"""What LangGraph's supervisor says in the name of an agent that has finished."""


def going_back_to(text: str) -> str | None:
    """The agent that control goes back to, where a framework says so in a message of its own."""
    match = _GOING_BACK.fullmatch(text.strip()) if len(text) < 300 else None
    return match["to"].strip() if match else None


def is_handoff(tool: str) -> bool:
    """Whether a tool only hands over control or work."""
    return tool.lower() in _NAMED_IN_ARGUMENTS or _TARGET.fullmatch(tool) is not None


def handoff_target(tool: str, arguments: Any) -> str | None:
    """The agent a call leads to; ``None`` for an ordinary tool, or where it is not said."""
    if tool.lower() in _NAMED_IN_ARGUMENTS:
        if isinstance(arguments, dict):
            for key in _TARGET_KEYS:
                if isinstance(name := arguments.get(key), str) and name.strip():
                    return name.strip()
        return None
    match = _TARGET.fullmatch(tool)
    return match["to"] if match else None


def known_name(name: str, agents: Iterable[str]) -> str:
    """The agent's own spelling of a name: ``flight_desk`` is ``Flight Desk``."""
    plain = _plain(name)
    return next((agent for agent in agents if _plain(agent) == plain), name)


# Every call asks for all agents of its trace.
@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
