"""Names of agents: which are none, and what a span's own name says."""

from __future__ import annotations

import re

from traceloc_plugins.spans.dialect import Attribution
from traceloc_plugins.spans.raw import RawSpan

PLACEHOLDERS = frozenset(
    {"openai agent", "agent workflow", "agent", "unknown", "default", "none", "unnamedagent"}
    | {"invoke_agent", "agent run", "chatagent", "agentexecutor"}
)
"""Names that an instrumentation puts where it does not know the agent."""

GENERIC_ROOTS = frozenset(
    {"LangGraph", "RunnableSequence", "invocation", "unknown", "main", ""}
    | {"claude.conversation", "task", "turn"}
)
"""Spans at the root of frameworks, whose name is the same for every application."""

_ID = re.compile(r"(?:\w+[.-])?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_SDK_METHOD = re.compile(r"ai\.\w+")
_IN_BRACKETS = re.compile(r"(?:agent_run|invocation|invoke_agent) \[(?P<name>[^\]]+)\]")
_ENDINGS = (".run", ".run_stream", "._execute_core", " run", ".agent", ".workflow")


def is_placeholder(name: str) -> bool:
    """Whether a name says nothing about who acts: a class, a method, an id made for one run."""
    return (
        name.lower() in PLACEHOLDERS
        or _ID.fullmatch(name) is not None
        or _SDK_METHOD.fullmatch(name) is not None
    )


def guessed_name(span: RawSpan) -> tuple[str, Attribution] | None:
    """An agent span's own name, for want of anything better: ``CodeAgent`` of ``CodeAgent.run``."""
    name = span.name.strip()
    if match := _IN_BRACKETS.fullmatch(name):
        return match["name"], "explicit"
    name = name.removeprefix("invoke_agent ")
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return None if not name or is_placeholder(name) else (name, "guess")
