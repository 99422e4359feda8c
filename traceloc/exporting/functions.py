"""Tools that were offered, as functions of OpenAI's API: other formats take them so as well."""

from __future__ import annotations

from typing import Any

from traceloc.trace import ToolSpec


def write_function(tool: ToolSpec) -> dict[str, Any]:
    """One tool: name, description and the JSON Schema of its parameters."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description or "",
            "parameters": tool.parameters or {},
        },
    }
