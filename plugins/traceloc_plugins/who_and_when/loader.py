"""Reads failed runs in the shape of the Who&When data set.

A document is ``{history, question, …}`` with one entry a message, who spoke under ``name`` or in
``role``. The answers beside it (``mistake_agent``, ``mistake_step``, ``ground_truth`` …) are truth;
the same file without them reads the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.ag2.conversation import HUMANS, read_conversation
from traceloc_plugins.magentic_one.conversation import is_orchestration, read_orchestration
from traceloc_plugins.records import drain, integer, keep_fields, read_traces, text_field
from traceloc_plugins.roles import ROLES

_AUTHORS = ("name", "agent", "speaker", "sender", "author", "role")
_WORDS = ("content", "text", "message", "value")
_STRANGERS = ("trajectory", "environment", "messages", "info")
"""Keys beside a ``history`` in formats that only share the word."""


class WhoAndWhenLoader:
    """Loader of Who&When and its relatives."""

    name = "who_and_when"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write `question`",
        "agents": "write `name` of the messages in `history`",
        "instructions": "write `system_prompt`, by agent",
        "schemas": "the format does not hold them",
        "calls": "the format does not hold them; code stands in the words",
        "results": "the format does not hold them; what code returned is the next message",
        "inputs": "the format does not hold it",
        "times": "the format does not hold them",
        "usage": "the format does not hold them",
    }

    def sniff(self, head: Head) -> float:
        """A ``history`` of authored messages, beside a question or a blamed step."""
        for record in head.records[:1]:
            if not _is_run(record) or any(key in record for key in _STRANGERS):
                return 0.0
            if not {"question", "mistake_step", "mistake_agent"}.isdisjoint(record):
                return 0.96
            roles = [item.get("role") for item in record["history"] if isinstance(item, dict)]
            return 0.0 if "system" in roles or "tool" in roles else 0.6
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run."""
        return read_traces(self.name, sources, is_trace=_is_run, read=_read_run)


def _is_run(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("history"), list):
        return False
    return any(
        isinstance(item, dict) and _key(item, _AUTHORS) and _key(item, _WORDS)
        for item in value["history"][:20]
    )


def _key(message: dict[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in message), None)


def _read_run(builder: TraceBuilder, run: dict[str, Any]) -> Trace:
    run = dict(run)
    history = run.pop("history")
    prompts = run.pop("system_prompt") if isinstance(run.get("system_prompt"), dict) else {}
    orders = next((key for key in _AUTHORS if is_orchestration(history, key=key)), None)
    for index, message in drain(history):
        history[index] = _as_message(message, orders)
    request = None
    if orders:
        request = read_orchestration(builder, history)
    else:
        read_conversation(builder, history, human_opens=False)
    for name, prompt in prompts.items():
        if isinstance(prompt, str):
            builder.agent(name, kind="worker", instructions=prompt)

    _keep_label(builder, run)
    task = text_field(run, "question", "task") or request
    others = {key: value for key, value in run.items() if value != task}
    attributes = keep_fields(builder, others)
    return builder.build(task=task, attributes=attributes)


def _as_message(message: Any, orders: str | None) -> Any:
    """The message with who spoke under ``name``, or ``role`` for orders, and its ``content``."""
    if not isinstance(message, dict):
        return message
    author = orders or next((key for key in _AUTHORS if text_field(message, key)), None)
    words = next((key for key in _WORDS if message.get(key) is not None), "content")
    role = message.get("role")
    stated = isinstance(role, str) and role.lower() in ROLES
    if words == "content" and (author == orders == "role" or (stated and author == "name")):
        return message
    alike = {key: value for key, value in message.items() if key not in (author, words, "role")}
    alike["content"] = message.get(words)
    if orders:
        alike["role"] = message.get(orders)
        return alike
    if role is not None and not stated and author != "role":
        alike["stated_role"] = role
    if author and not (author == "role" and stated):
        alike["name"] = message[author]
    human = text_field(alike, "name") in HUMANS
    alike["role"] = role if stated else "user" if human else "assistant"
    return alike


def _keep_label(builder: TraceBuilder, run: dict[str, Any]) -> None:
    agent, step = text_field(run, "mistake_agent"), integer(run.get("mistake_step"))
    if agent is None and step is None:
        return
    builder.outcome("failed", source="label")
    builder.label(
        native_index=step,
        agent=agent,
        category=text_field(run, "mistake_type"),
        reason=text_field(run, "mistake_reason"),
    )
    builder.truth(expected=text_field(run, "ground_truth"))
