"""Traces as the messages of OpenAI's chat API, and back without loss.

A chat knows roles, calls and results, and nothing else of a trace. What it has no place for stands
under ``traceloc`` of the document and of each message: traceloc reads again what it wrote, and
everybody else finds a plain chat, one message a step, in the order of the steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from traceloc.exporting.functions import write_function
from traceloc.loading.bounding import bounded, is_deep
from traceloc.loading.native import WRITABLE_DEPTH, find_misnumbering
from traceloc.trace import SCHEMA_VERSION, Step, ToolCall, Trace

OWN = "traceloc"
"""Key of what a chat has no place for."""
MARK = "traceloc_schema"
"""Key the document begins with: a reader sees it before it has read the messages."""
FORMAT = "openai_chat"

_ROLES = {"assistant": "assistant", "user": "user"}
_DEPTH = WRITABLE_DEPTH + 1
"""Levels that are read: what a step keeps stands one deeper here than in our own documents."""
_NO_NAME = re.compile(r"[\s<|\\/>]+")


def to_messages(trace: Trace) -> dict[str, Any]:
    """The trace as a chat: ``messages``, ``tools``, and the rest under ``traceloc``.

    Ground truth and outcome are in that rest too.
    """
    calls = _answered_calls(trace)
    written: dict[str, Any] = {
        MARK: SCHEMA_VERSION,
        "messages": [_message(step, calls) for step in trace.steps],
    }
    if trace.tools:
        written["tools"] = [write_function(tool) for tool in trace.tools]
    written[OWN] = trace.model_dump(mode="json", exclude_defaults=True, exclude={"steps"})
    return written


def from_messages(document: dict[str, Any]) -> Trace | None:
    """The trace that traceloc wrote as a chat; ``None`` if somebody else wrote or changed it.

    Its format is ``openai_chat`` and its dialect the format it was first read from.
    """
    if is_deep(document, _DEPTH):
        document = bounded(document, depth=_DEPTH)
    own = document.get(OWN)
    if not isinstance(own, dict):
        return None
    try:
        steps = list(_restored(document["messages"]))
        if find_misnumbering(steps) is not None:
            return None
        first = own.get("format")
        dialect = own.get("dialect") if first == FORMAT else first
        trace = Trace.model_validate({**own, "format": FORMAT, "dialect": dialect})
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return trace.model_copy(update={"steps": tuple(steps)})


def _message(step: Step, calls: Mapping[tuple[int, int], str]) -> dict[str, Any]:
    own = step.model_dump(mode="json", exclude_defaults=True)
    own.pop("text", None)
    answered = None
    if step.kind == "result" and step.tool_result and step.tool_result.call_step is not None:
        answered = calls.get((step.tool_result.call_step, step.index))
    role = "tool" if answered is not None else _ROLES.get(step.role, "system")
    if step.kind == "result" and answered is None:
        role = "user"  # a tool's message must answer a call
    message: dict[str, Any] = {"role": role, "content": step.text}
    if answered is not None:
        message["tool_call_id"] = answered
    elif role in ("assistant", "user"):
        message["name"] = _NO_NAME.sub("_", step.agent)[:64] or "agent"
    if role == "assistant":
        if (reasoning := own.pop("reasoning", None)) is not None:
            message["reasoning_content"] = reasoning
        if step.tool_calls:
            message["tool_calls"] = [_call(step, i) for i in range(len(step.tool_calls))]
            if all(_is_plain(call) for call in step.tool_calls):
                del own["tool_calls"]
                own["result_steps"] = [call.result_step for call in step.tool_calls]
    return {**message, OWN: own}


def _answered_calls(trace: Trace) -> dict[tuple[int, int], str]:
    """Ids of calls, as they are written, by the step of the call and that of its result."""
    found: dict[tuple[int, int], str] = {}
    for step in trace.steps:
        for position, call in enumerate(step.tool_calls if step.role == "assistant" else ()):
            if call.result_step is not None:
                found.setdefault((step.index, call.result_step), _id(call, step.index, position))
    return found


def _call(step: Step, position: int) -> dict[str, Any]:
    call = step.tool_calls[position]
    arguments = call.arguments
    text = arguments if isinstance(arguments, str) else _json(arguments)
    function = {"name": call.name, "arguments": text}
    return {"id": _id(call, step.index, position), "type": "function", "function": function}


def _id(call: ToolCall, step: int, position: int) -> str:
    return call.id if call.id is not None else f"call_{step}_{position}"


def _is_plain(call: ToolCall) -> bool:
    """Whether a chat's call says all that there is, but where the result stands."""
    return call.id is not None and isinstance(call.arguments, dict | list)


def _json(value: Any) -> str:
    return to_json(value, inf_nan_mode="constants").decode()


def _restored(messages: list[dict[str, Any]]) -> Iterator[Step]:
    for message in messages:
        fields = {**message[OWN], "text": message["content"]}
        if "reasoning_content" in message:
            fields["reasoning"] = message["reasoning_content"]
        if "result_steps" in fields:
            places = fields.pop("result_steps")
            fields["tool_calls"] = [
                {
                    "name": call["function"]["name"],
                    "id": call["id"],
                    "arguments": bounded(
                        from_json(call["function"]["arguments"], allow_inf_nan=True),
                        depth=WRITABLE_DEPTH,
                    ),
                    "result_step": place,
                }
                for call, place in zip(message["tool_calls"], places, strict=True)
            ]
        yield Step.model_validate(fields)
