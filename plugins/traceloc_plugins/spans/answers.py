"""What a tool returned, as a step."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder, result_error
from traceloc.trace import StepError
from traceloc_plugins.spans.values import decoded

_LONGEST = 4000


def add_answer(builder: TraceBuilder, tool: str, **fields: Any) -> int:
    """Write the step in the tool's own name; ``fields`` are those of ``TraceBuilder.step``."""
    agent = builder.agent(tool, kind="tool", attribution="role")
    return builder.step(kind="result", role="tool", agent=agent, tool=tool, **fields)


def shown_error(text: str) -> StepError | None:
    """The error in a result that is an object, such as ``{"status": "error"}``.

    Pydantic's list of what does not fit a schema is one as well.
    """
    if text.startswith('[{"type"'):
        listed = decoded(text)
        first = listed[0] if isinstance(listed, list) and listed else None
        if isinstance(first, dict) and first.keys() >= {"type", "loc", "msg"}:
            return StepError(kind="parse", message=str(first["msg"])[:_LONGEST], declared=False)
    return result_error(decoded(text)) if text[:1] == "{" else None
