"""What AgentChat's ``Console`` prints: a line of dashes with type and source, then the content.

Calls and results are printed as Python ``repr``. They are parsed, never evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from traceloc_plugins.autogen.messages import TYPES
from traceloc_plugins.literals import read_literal
from traceloc_plugins.spans.delegation import handoff_target

_HEADER = re.compile(
    r"^-{10} (?:(?P<type>[A-Z]\w{0,60}(?:\[[\w.]{1,80}\])?) \((?P<source>[^()\n]{1,120})\)"
    r"|(?P<only>[^()\n]{1,120})) -{10}$",
    re.MULTILINE,
)
_USAGE = re.compile(r"\n?\[Prompt tokens: (\d{1,12}), Completion tokens: (\d{1,12})\]\s*$")
_SUMMARY = re.compile(r"^(?P<key>Finish reason|Duration): (?P<value>.*)$", re.MULTILINE)
_CALLS, _RESULTS = "[FunctionCall(", "[FunctionExecutionResult("
_MAX_REPR = 200_000


def looks_like_console(text: str) -> float:
    """How sure it is that a text was printed by the console."""
    found = list(_HEADER.finditer(text[:65536]))
    if any(m["type"] and m["type"].partition("[")[0] in TYPES for m in found):
        return 0.95
    return 0.8 if found and (_CALLS in text or _RESULTS in text) else 0.0


def read_console(text: str) -> list[Any]:
    """The messages, as AgentChat dumps them, and at the end what the summary says."""
    found: list[Any] = []
    target: str | None = None
    headers = list(_HEADER.finditer(text))
    for number, header in enumerate(headers):
        end = headers[number + 1].start() if number + 1 < len(headers) else len(text)
        body = text[header.end() : end].strip("\n")
        if header["only"] == "Summary":
            summary = {m["key"]: m["value"] for m in _SUMMARY.finditer(body)}
            kept = {
                "stop_reason": summary.get("Finish reason"),
                "duration": summary.get("Duration"),
            }
            found.append({"messages": [], **{k: v for k, v in kept.items() if v}})
            continue
        message: dict[str, Any] = {
            "source": (header["source"] or header["only"]).strip(),
            "type": header["type"] or "TextMessage",
        }
        if usage := _USAGE.search(body):
            body = body[: usage.start()]
            message["models_usage"] = {
                "prompt_tokens": int(usage[1]),
                "completion_tokens": int(usage[2]),
            }
        message["content"] = body
        if body.startswith((_CALLS, _RESULTS)) and (items := list(_objects(body))):
            message["content"] = items
            calls = body.startswith(_CALLS)
            message["type"] = "ToolCallRequestEvent" if calls else "ToolCallExecutionEvent"
            if calls:
                goals = (handoff_target(str(i.get("name")), i.get("arguments")) for i in items)
                target = next(filter(None, goals), target)
        elif message["type"] == "HandoffMessage" and target:
            message["target"] = target
        found.append(message)
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The fields of objects whose ``repr`` stands in a list."""
    if len(text) > _MAX_REPR:
        return
    try:
        listed = read_literal(text, objects=True)
    except ValueError:
        return
    if isinstance(listed, list):
        yield from (item for item in listed if isinstance(item, dict))
