"""What LlamaIndex writes into OpenInference's spans in a way of its own."""

from __future__ import annotations

import re
from typing import Any

from traceloc_plugins.spans.dialect import ToolUse
from traceloc_plugins.spans.messages import read_messages
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.values import decoded

_AGENT = re.compile(r"current_agent_name='([^'\\]{1,200})'\)")
_LOOKED_AT = 1000
_OUTPUT = frozenset({"blocks", "tool_name", "raw_output", "is_error"})


def is_preparation(span: RawSpan) -> bool:
    """Whether a span that calls itself a model call only puts the request together."""
    return span.name.endswith("._prepare_chat_with_tools")


def agent_of_step(span: RawSpan) -> str | None:
    """The agent whose turn a workflow's step is, from the end of the printed event."""
    if not span.name.endswith(".run_agent_step"):
        return None
    names = _AGENT.findall(str(span.attributes.get("input.value", ""))[-_LOOKED_AT:])
    return names[-1] if names else None


def take_output(use: ToolUse, raw: Any) -> bool:
    """Take a ``ToolOutput`` apart; false for anything else."""
    if not isinstance(raw, str) or '"raw_output"' not in raw:
        return False
    value = decoded(raw)
    if not isinstance(value, dict) or not value.keys() >= _OUTPUT:
        return False
    messages = read_messages({"role": "tool", "content": value["blocks"]}, "tool")
    use.result = messages[0].text if messages else ""
    use.failed = use.failed or value["is_error"] is True
    return True
