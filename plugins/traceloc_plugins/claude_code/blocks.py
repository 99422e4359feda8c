"""Content blocks with what the API's own tools returned, inside the model's message."""

from __future__ import annotations

from typing import Any


def is_server_result(block: dict[str, Any]) -> bool:
    """Whether a block of an assistant's message answers a call that the API carried out."""
    kind = block.get("type")
    return isinstance(kind, str) and kind.endswith("_tool_result") and "tool_use_id" in block


def failed_on_server(block: dict[str, Any]) -> bool:
    """Whether what came back is an error, which only its type tells."""
    content = block.get("content")
    kind = content.get("type") if isinstance(content, dict) else None
    return isinstance(kind, str) and kind.endswith("_error")
