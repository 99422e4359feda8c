"""Tools that a chat request offers its model."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder, parse_arguments
from traceloc_plugins.records import bounded


def add_tools(builder: TraceBuilder, tools: Any) -> None:
    """Note the tools of a request, in OpenAI's or Anthropic's shape, or as JSON text of those."""
    tools = parse_arguments(tools)
    for item in tools if isinstance(tools, list) else ():
        body = item.get("function") if isinstance(item, dict) else None
        body = body if isinstance(body, dict) else item
        if not isinstance(body, dict) or not isinstance(body.get("name"), str):
            builder.note("skipped", "tools without a name")
            continue
        description = body.get("description")
        parameters = body.get("parameters", body.get("input_schema"))
        builder.tool(
            body["name"],
            description=description if isinstance(description, str) else None,
            parameters=bounded(parameters),
        )
