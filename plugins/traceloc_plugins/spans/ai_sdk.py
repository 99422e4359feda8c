"""Parts of messages as Vercel's AI SDK writes them, in the words of the GenAI conventions."""

from __future__ import annotations

from typing import Any


def plain_part(part: dict[str, Any]) -> dict[str, Any]:
    """``tool-call`` and ``tool-result`` as everybody else has them; other parts as they are."""
    kind, name = part.get("type"), part.get("toolName")
    if not isinstance(name, str) or kind not in ("tool-call", "tool-result"):
        return part
    about = {"id": part.get("toolCallId"), "name": name}
    if kind == "tool-call":
        return {**about, "type": "tool_call", "arguments": part.get("input", part.get("args"))}
    value, failed = part.get("output", part.get("result")), part.get("isError") is True
    if isinstance(value, dict) and "value" in value and isinstance(value.get("type"), str):
        failed = failed or value["type"].startswith("error")
        value = value["value"]
    return {**about, "type": "tool_call_response", "response": value, "is_error": failed}
