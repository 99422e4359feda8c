"""A LangChain message in any of its serialisations."""

from __future__ import annotations

from typing import Any, NamedTuple

from traceloc.trace import StepError, Usage
from traceloc_plugins.facts import usage_from, word

ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "other",
}
_ESCAPED = "__lc_escaped__"
_COUNTS = {
    "input_tokens": "input",
    "output_tokens": "output",
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "cache_read": "cache_read",
    "cache_creation": "cache_write",
    "reasoning": "reasoning",
    "total_cost": "cost_usd",
}
"""Our names of counts by LangChain's, the ones to prefer first."""


class Entry(NamedTuple):
    """A message and where it was found."""

    fields: dict[str, Any]
    """As :func:`unwrap` gives them."""
    position: int
    namespace: Any = None
    """Checkpoint namespace of the graph it was written in."""
    time: Any = None
    line: int | None = None
    repeated: bool = False


class Failure(NamedTuple):
    """A node that raised, or that stopped to ask somebody."""

    node: str
    text: str
    error: StepError | None
    position: int
    namespace: Any = None
    time: Any = None
    line: int | None = None


def unwrap(value: Any) -> dict[str, Any] | None:
    """The fields of a message, with its type; ``None`` for anything else."""
    if not isinstance(value, dict):
        return None
    if len(value) == 1 and _ESCAPED in value:
        value = value[_ESCAPED]
        if not isinstance(value, dict):
            return None
    kind: Any = value.get("type")
    if "lc" in value and isinstance(value.get("kwargs"), dict):
        path = value.get("id")
        name = path[-1] if isinstance(path, list) and path else None
        value, kind = value["kwargs"], name or value["kwargs"].get("type")
    elif isinstance(value.get("data"), dict) and isinstance(kind, str):
        beside, value = value, value["data"]
        if len(beside) > 2:  # what stands beside the two is said of the message as well
            value = {**{k: v for k, v in beside.items() if k not in ("type", "data")}, **value}
    if not isinstance(kind, str) or "content" not in value:
        return None
    kind = kind.removesuffix("Chunk").removesuffix("Message").lower()
    return {**value, "type": kind} if kind in ROLES else None


def unescaped(value: Any) -> Any:
    """A bounded value without the envelopes that ``dumps`` puts around what is written already."""
    if isinstance(value, list):
        return [unescaped(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_ESCAPED}:
        return unescaped(value[_ESCAPED])
    return {key: unescaped(inner) for key, inner in value.items()}


def is_message(value: Any) -> bool:
    """Whether a JSON value is a message."""
    return unwrap(value) is not None


def usage_of(fields: dict[str, Any]) -> Usage | None:
    """Tokens of the model call that a message came from."""
    return read_usage(fields.get("usage_metadata"))


def read_usage(raw: Any) -> Usage | None:
    """Tokens as LangChain counts them, in a message or in a run's metadata."""
    if not isinstance(raw, dict):
        return None
    flat = dict(raw)
    for key in ("input_token_details", "output_token_details"):
        if isinstance(more := raw.get(key), dict):
            flat.update(more)
    return usage_from(flat, {theirs: ours for theirs, ours in _COUNTS.items() if theirs in flat})


def model_of(fields: dict[str, Any]) -> str | None:
    """The model that wrote a message."""
    about = fields.get("response_metadata")
    if not isinstance(about, dict):
        return None
    return word(about.get("model_name")) or word(about.get("model"))
