"""Model and tool calls of the core log, for teams that do not send AgentChat messages.

Where messages are logged they say more, and these calls only repeat them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from traceloc_plugins.openai_chat.content import read_content
from traceloc_plugins.records import bounded, integer, text_field


def messages_of_calls(records: Sequence[Any], name_of: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """AgentChat messages that stand for logged calls, with their positions.

    Args:
        records: Lines of the log.
        name_of: Gives the agent's name for its id.
    """
    waiting: list[tuple[str, str]] = []
    asked = False
    for index, record in enumerate(records):
        kind = record.get("type") if isinstance(record, dict) else None
        if kind == "LLMCall":
            source = name_of(record.get("agent_id"))
            if not asked and (request := _request(record)):
                asked = True
                yield index, {"source": "user", "type": "TextMessage", "content": request}
            for result in _unlogged(record, waiting):
                message = {"type": "ToolCallExecutionEvent", "content": [result]}
                yield index, {"source": source, **message}
            response = _response(record)
            waiting = []
            if response is None:
                continue
            content = read_content(response)
            usage = {k: integer(record.get(k)) for k in ("prompt_tokens", "completion_tokens")}
            base = {"source": source, "models_usage": usage, "id": f"call {index}"}
            if content.calls:
                calls = [
                    {"id": c.id or f"{index}.{n}", "name": c.name, "arguments": c.arguments}
                    for n, c in enumerate(content.calls)
                ]
                waiting = [(str(call["id"]), str(call["name"])) for call in calls]
                thought = content.text or content.reasoning
                made = {"type": "ToolCallRequestEvent", "content": calls, "thought": thought}
                yield index, base | made
            else:
                yield index, base | {"type": "TextMessage", "content": content.text}
        elif kind == "ToolCall":
            tool = text_field(record, "tool_name") or "tool"
            id = next((id for id, name in waiting if name == tool), None)
            waiting = [item for item in waiting if item[0] != id]
            result = {"name": tool, "call_id": id, "content": bounded(record.get("result"))}
            yield (
                index,
                {
                    "source": name_of(record.get("agent_id")),
                    "type": "ToolCallExecutionEvent",
                    "content": [result],
                },
            )


def _unlogged(record: dict[str, Any], waiting: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Results that only the next prompt shows: calls that failed are not logged."""
    names = dict(waiting)
    messages = record.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("role") == "tool":
            id = message.get("tool_call_id")
            if isinstance(id, str) and id in names:
                content = bounded(message.get("content"))
                yield {"name": names.pop(id), "call_id": id, "content": content}


def _request(record: dict[str, Any]) -> str | None:
    messages = record.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict) and message.get("role") == "user":
            return text_field(message, "content")
    return None


def _response(record: dict[str, Any]) -> dict[str, Any] | None:
    response = record.get("response")
    choices = response.get("choices") if isinstance(response, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else response
    return bounded(message) if isinstance(message, dict) and "role" in message else None
