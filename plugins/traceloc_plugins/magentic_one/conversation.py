"""Reads roles such as ``Orchestrator (-> WebSurfer)``: who spoke, how, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json

from traceloc.loading import TraceBuilder, text_of
from traceloc.trace import AgentKind, Role, StepKind
from traceloc_plugins.ag2.conversation import HUMANS, find_executions
from traceloc_plugins.records import bounded, drain, split_truth

_ROLE = re.compile(r"\s*(?P<agent>[^()]*[^()\s])\s*\(\s*(?P<arrow>->)?\s*(?P<mark>[^()]+?)\s*\)\s*")
MAX_ROLE = 200
"""Longer roles are taken as they stand; no framework writes such, and hostile ones cost time."""
_READ = frozenset(("content", "role"))


class Speaker(NamedTuple):
    """What a role says."""

    agent: str
    mark: str | None = None
    """What stands in parentheses: ``thought``, ``termination condition`` …"""
    to: str | None = None
    """Whom an order is for."""


def parse_role(role: Any) -> Speaker | None:
    """The parts of a role; ``None`` where it is no text."""
    return _parse(role) if isinstance(role, str) and role.strip() else None


@lru_cache(maxsize=1024)
def _parse(role: str) -> Speaker:
    found = _ROLE.fullmatch(role) if len(role) <= MAX_ROLE else None
    if not found:
        return Speaker(role.strip())
    if found["arrow"]:
        return Speaker(found["agent"], to=found["mark"])
    return Speaker(found["agent"], mark=found["mark"])


def is_orchestration(messages: Iterable[Any], *, key: str = "role") -> bool:
    """Whether some message is an order or a private thought by its role, or by another field."""
    for message in messages:
        speaker = parse_role(message.get(key)) if isinstance(message, dict) else None
        if speaker and (speaker.to or speaker.mark == "thought"):
            return True
    return False


def read_orchestration(builder: TraceBuilder, messages: list[Any]) -> str | None:
    """Add a conversation led by an orchestrator to a trace.

    Args:
        builder: The trace under construction.
        messages: Messages as parsed from JSON; consumed.

    Returns:
        What the human asked first.
    """
    executions = find_executions(messages)
    _introduce(builder, messages, executions)
    request = None
    for index, message in drain(messages):
        if not isinstance(message, dict):
            builder.note("skipped", "items that are no message")
            continue
        try:
            text = _add(builder, message, index, executed=index in executions)
        except (ValueError, RecursionError):
            builder.note("skipped", "messages that cannot be represented")
            continue
        request = request or text
    return request


def _introduce(builder: TraceBuilder, messages: list[Any], executions: set[int]) -> None:
    kinds: dict[str, AgentKind] = {}
    executed: dict[str, list[bool]] = {}
    for index, message in enumerate(messages):
        speaker = parse_role(message.get("role")) if isinstance(message, dict) else None
        if speaker is None:
            continue
        kinds.setdefault(speaker.agent, "worker")
        executed.setdefault(speaker.agent, []).append(index in executions)
        if speaker.to or speaker.mark:
            kinds[speaker.agent] = "orchestrator"
        elif speaker.agent.lower() in HUMANS:
            kinds[speaker.agent] = "human"
    for name, kind in kinds.items():
        runs = executed[name]
        is_executor = kind == "worker" and sum(runs) * 2 > len(runs)
        builder.agent(name, kind="tool" if is_executor else kind)


def _add(
    builder: TraceBuilder, message: dict[str, Any], index: int, *, executed: bool
) -> str | None:
    """Add a message; gives its words back if the human spoke them."""
    speaker = parse_role(message.get("role"))
    if speaker is None:
        builder.note(
            "missing",
            "messages do not say who spoke; write it as the role, such as 'WebSurfer'",
        )
        speaker = Speaker("unknown")
    content = message.get("content")
    text = content if isinstance(content, str) else text_of(bounded(content))
    human = speaker.agent.lower() in HUMANS
    role: Role = "user" if human else "assistant"
    kind: StepKind = "message"
    attributes: dict[str, Any] = {}
    if speaker.to:
        kind = "handoff"
    elif speaker.mark == "thought":
        kind = "thought"
        if ledger := parse_ledger(text):
            attributes["ledger"] = ledger
    elif speaker.mark:
        kind = "event"
        attributes["mark"] = speaker.mark
    elif executed:
        kind = "result"
    if not message.keys() <= _READ:
        others = {name: value for name, value in message.items() if name not in _READ}
        fields, truth = split_truth(others)
        attributes.update(fields)
        if truth:
            builder.truth(**{f"messages[{index}]": truth})
    builder.step(
        kind=kind,
        role=role,
        agent=speaker.agent,
        native_index=index,
        text=text,
        to=(speaker.to,) if speaker.to else (),
        tool="code" if kind == "result" else None,
        attributes=attributes or None,
    )
    return text if human else None


def parse_ledger(text: str) -> dict[str, Any] | None:
    """The JSON object that ends a thought, as in ``Updated Ledger: {…}``."""
    start = text.find("{")
    if start < 0 or not text.rstrip().endswith("}"):
        return None
    try:
        ledger = from_json(text[start:])
    except ValueError:
        return None
    return bounded(ledger) if isinstance(ledger, dict) else None
