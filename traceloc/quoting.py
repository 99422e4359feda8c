"""Words on one line, for whoever lists steps or counts them."""

from __future__ import annotations

from pydantic import JsonValue
from pydantic_core import to_json

from traceloc.trace import Step

QUOTE_CHARS = 200


def quote_step(step: Step) -> str:
    """What was said or called in a step, on one line of at most 200 characters."""
    words = " ".join(step.text[: 4 * QUOTE_CHARS].split())
    if step.tool_calls and len(words) < QUOTE_CHARS // 2:
        calls = ", ".join(
            f"{call.name}({_arguments(call.arguments)})" for call in step.tool_calls[:3]
        )
        words = f"{words} → {calls}" if words else calls
    if not words and step.reasoning:
        words = " ".join(step.reasoning[: 4 * QUOTE_CHARS].split())
    return shorten(words, QUOTE_CHARS)


def say_count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 trace``, ``2 traces``, ``1 schema``, ``3 schemata``.

    Args:
        number: How many.
        noun: What one of them is called, perhaps with words before it.
        plural: What several are called, where that is not the noun with an "s".
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def shorten(words: str, longest: int) -> str:
    """At most so many characters of a text; where some are left out, the last one says so."""
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _arguments(arguments: JsonValue) -> str:
    if arguments is None:
        return ""
    text = arguments if isinstance(arguments, str) else to_json(arguments).decode()
    return " ".join(text[:QUOTE_CHARS].split())
