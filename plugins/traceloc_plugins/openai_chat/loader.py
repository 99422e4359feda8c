"""Reads chats in the shape of the OpenAI API.

A document is a list of messages, an object with ``messages`` (and perhaps ``tools``), or the dump
of a request with its response; a file holds one, a list of them, one a line, or a message a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.exporting.openai_messages import MARK, from_messages
from traceloc.loading import Head, Source, TraceBuilder, text_of
from traceloc.trace import Trace
from traceloc_plugins.openai_chat.messages import (
    ChatReader,
    is_chat,
    is_message,
    named_agents,
)
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import (
    bounded,
    drain,
    id_field,
    integer,
    keep_fields,
    read_traces,
    text_field,
)
from traceloc_plugins.roles import ROLES

GENERIC = 0.3
"""Many formats look like this; whoever knows a mark of its own comes first."""

_FOREIGN = frozenset(("parts", "items", "content_type", "kind", "source", "requestor", "turn_idx"))
"""Keys of messages in other frameworks' dialects, which this reader understands only in part."""


class OpenAIChatLoader:
    """Loader of OpenAI chat messages."""

    name = "openai_chat"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the first request among the messages",
        "agents": "write `name` of the assistant's messages",
        "instructions": "write the system message too, or `system` beside the messages",
        "schemas": "write `tools` of the request beside the messages",
        "calls": "write `tool_calls` of the assistant's messages; without any the run made none",
        "results": "write the messages with the role `tool` too",
        "inputs": "the format does not hold it; write one chat for each agent",
        "outcome": "write `reward` or `is_correct` beside the messages, which no signal reads",
        "times": "the format does not hold them; instrument the client with OpenTelemetry",
        "usage": "the format does not hold them; instrument the client with OpenTelemetry",
    }

    def sniff(self, head: Head) -> float:
        """Messages with the API's roles; a shape many formats share."""
        first = head.first
        if isinstance(first, list) and first and isinstance(first[0], list):
            first = first[0]
        elif isinstance(first, list) and head.records and not is_message(head.records[0]):
            first = head.records[0]
        messages = first if isinstance(first, list) else _body(first).get("messages")
        if isinstance(first, dict) and MARK in first and messages:
            return 0.98
        score = GENERIC
        if not isinstance(messages, list):
            # One message a line: the weakest shape of all.
            messages, score = list(head.documents[:20]), GENERIC - 0.05
        found = [item for item in messages[:20] if is_message(item)]
        known = [item for item in found if item["role"].lower() in ROLES]
        if not known or len(known) < len(found) / 2:
            return 0.0
        foreign = any(not item.keys().isdisjoint(_FOREIGN) for item in found)
        return score / 2 if foreign else score

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each chat."""
        return read_traces(
            self.name, sources, is_trace=_is_trace, is_item=is_message, read=_read_chat
        )


def _is_trace(value: Any) -> bool:
    return is_chat(value) or isinstance(_body(value).get("messages"), list)


def _body(value: Any) -> dict[str, Any]:
    """The object that holds the messages: the document, or the request inside a dump."""
    if not isinstance(value, dict):
        return {}
    if "messages" not in value:
        for key in ("request", "kwargs", "body"):
            inner = value.get(key)
            if isinstance(inner, dict) and "messages" in inner:
                return inner
    return value


def _read_chat(builder: TraceBuilder, value: Any) -> Trace:
    if isinstance(value, dict) and MARK in value:
        if (trace := from_messages(value)) is not None:
            return trace.model_copy(update={"source": builder.source})
        builder.note("note", "traceloc wrote this chat, and somebody changed it")
    document = {"messages": value} if isinstance(value, list) else dict(value)
    body = _body(document)
    if body is not document:
        document = {**document, **body}
        for key in ("request", "kwargs", "body"):
            document.pop(key, None)
    messages = document.pop("messages")
    model = text_field(document, "model")
    agents = named_agents(messages)
    for agent in agents:
        builder.agent(agent, kind="worker")
    chat = ChatReader(builder, known=agents)
    system = text_of(bounded(document.pop("system", None))) or None
    if not agents or model or system:
        builder.agent(
            "assistant", kind="worker", attribution="role", model=model, instructions=system
        )
    add_tools(builder, document.pop("tools", None) or document.pop("functions", None))
    length = len(messages)
    for index, message in drain(messages):
        chat.add(message, index)
    for offset, message in enumerate(_answers(document)):
        chat.add(message, length + offset)

    task = text_field(document, "question", "task", "query") or chat.first_request
    id = id_field(document, "id", "trace_id", "conversation_id", "run_id")
    others = {key: value for key, value in document.items() if value != task}
    attributes = keep_fields(builder, others)
    _keep_step_labels(builder, document)
    return builder.build(id=id, task=task, attributes=attributes)


def _answers(document: dict[str, Any]) -> Iterator[Any]:
    """What the model replied to the request, where both were dumped."""
    response = document.get("response")
    owner = response if isinstance(response, dict) else document
    choices = owner.get("choices")
    if isinstance(choices, list):
        owner.pop("choices")
        for choice in choices:
            if isinstance(choice, dict) and "message" in choice:
                yield choice["message"]
    elif owner is not document and is_message(owner):
        document.pop("response")
        yield owner


def _keep_step_labels(builder: TraceBuilder, document: dict[str, Any]) -> None:
    """Judged steps: -1 is wrong. The earliest of a failed run is its decisive error."""
    verdict = integer(document.get("final_label"))
    if verdict is not None:
        builder.outcome("passed" if verdict > 0 else "failed", source="label")
    labels = document.get("step_labels")
    if not isinstance(labels, dict) or (verdict is not None and verdict > 0):
        return
    wrong = [integer(step) for step, label in labels.items() if label == -1]
    if steps := [step for step in wrong if step is not None]:
        builder.label(native_index=min(steps), agent="assistant")
