"""BeeAI's habit of one span per event: what belongs together is told apart by names only.

An iteration of its ReAct agent is a row of spans: ``agent.react.start-4`` around the request,
``agent.react.update-13`` for each piece of the answer that was understood (thought, tool,
arguments, and at last the tool's output), ``tool.search.start-12`` and ``-success-12`` around the
tool, if it is a known one. Here the request gets its answer, the last update stands for the tool's
run, and the other events make no steps.
"""

from __future__ import annotations

import re
from typing import Any

from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.returned import json_text
from traceloc_plugins.spans.values import decoded

SCOPE = "openinference.instrumentation.beeai"
_NUMBER = re.compile(r"-\d+$")


def fold_events(spans: list[RawSpan]) -> None:
    """Say what each event of BeeAI stands for; does nothing to other spans."""
    events = [span for span in spans if span.scope == SCOPE]
    if not events:
        return
    by_id = {span.id: span for span in events}
    iterations: dict[str | None, list[RawSpan]] = {}
    requests: dict[str | None, RawSpan] = {}
    for span in events:
        what = _NUMBER.sub("", span.text("target") or span.name)
        if what.startswith("agent."):
            span.kind = "task"
            if what.endswith(".update"):
                iterations.setdefault(span.parent, []).append(span)
        elif what.startswith("tool."):
            span.kind = "task"
        elif what.startswith("backend."):
            span.kind = "llm" if what.endswith(".start") else "task"
            if span.kind == "llm":
                requests[_iteration_of(span, by_id)] = span
        elif name := span.text("source"):
            span.attributes["agent.name"] = name
    for iteration, updates in iterations.items():
        updates.sort(key=lambda span: span.start or 0)
        if (request := requests.get(iteration)) is not None:
            _answer(request, updates)


def _iteration_of(request: RawSpan, by_id: dict[str, RawSpan]) -> str | None:
    """The span around the agent's event in which a request was made."""
    above = by_id.get(request.parent or "")
    if above is not None and isinstance(
        offered := decoded(above.attributes.get("llm.tools")), list
    ):
        request.attributes["llm.tools"] = [_tool(raw) for raw in offered]
    return above.parent if above is not None else request.parent


def _tool(raw: Any) -> Any:
    """A tool's definition without the prefix of its keys."""
    if not isinstance(raw, dict):
        return raw
    plain = {str(key).removeprefix("tool."): value for key, value in raw.items()}
    return {"tool.json_schema": json_text(plain)}


def _answer(request: RawSpan, updates: list[RawSpan]) -> None:
    last = updates[-1]
    said = last.text("thought") or ""
    name, arguments = last.text("tool.name"), last.first("tool.parameters")
    message: dict[str, object] = {"message.role": "assistant"}
    if name is None:
        message["message.content"] = last.text("output.value") or said
    else:
        function = {"tool_call.function.name": name, "tool_call.function.arguments": arguments}
        message |= {"message.content": said, "message.tool_calls": [function]}
        if last.first("output.value") is not None:
            last.kind, last.end = "tool", last.start
            last.attributes.setdefault("input.value", arguments)
    request.end = updates[0].start or request.end
    request.attributes["llm.output_messages"] = json_text([message])
