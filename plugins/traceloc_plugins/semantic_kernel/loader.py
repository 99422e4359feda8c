"""Reads chat histories of Semantic Kernel: ``ChatHistory.serialize()``, or a list of messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, parse_arguments
from traceloc.loading.tool_errors import error_kind
from traceloc.trace import StepError, ToolCall, Trace, Usage
from traceloc_plugins.records import (
    bounded,
    id_field,
    integer,
    keep_fields,
    read_traces,
    split_truth,
    text_field,
)
from traceloc_plugins.spans.delegation import handoff_target, known_name
from traceloc_plugins.spans.messages import role_of
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.turns import Turns

_READ = frozenset(
    ("content_type", "role", "name", "items", "metadata", "ai_model_id", "finish_reason")
)
_FAILURES = re.compile(
    r"An error occurred (?:while|during) |The tool call with name .{1,200} is not part of"
    r"|The tool call arguments are |(?:The )?[Ff]unction .{1,200} (?:was not found|is not found)",
)
"""What the kernel's default handler makes of an exception, or of a call it refuses."""
_KNOWN = frozenset(("text", "streaming_text", "function_call", "function_result", "reasoning"))
_MEDIA = ("image", "audio", "binary", "file_reference", "streaming_file_reference")


class SemanticKernelLoader:
    """Loader of Semantic Kernel's chat histories."""

    name = "semantic_kernel"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the whole `ChatHistory`, with the first message of the user",
        "agents": "give agents a `name`: assistants' messages bear it",
        "instructions": "a history holds none of an agent's own; add them as a system message "
        "before you write it",
        "schemas": "a history does not hold them",
        "calls": "nothing to switch on: a history holds each call; without any the run made none",
        "results": "nothing to switch on: a history holds each result",
        "inputs": "a history does not hold it; write the thread of each agent",
        "times": "a history holds them only where the service states `created` in the metadata",
        "usage": "a history holds them only where the service states `usage` in the metadata",
    }

    def sniff(self, head: Head) -> float:
        """Messages made of items that tell their content type."""
        first = head.first
        if isinstance(first, list) and first and isinstance(first[0], dict | list):
            first = first if _is_message(first[0]) else first[0]
        messages = _messages(first)
        if messages is None:
            messages = list(head.documents[:20])
        return 0.96 if any(map(_is_message, messages[:20])) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each history."""
        return read_traces(
            self.name, sources, is_trace=_is_history, is_item=_is_message, read=_read
        )


def _messages(value: Any) -> list[Any] | None:
    found = value.get("messages") if isinstance(value, dict) else value
    return found if isinstance(found, list) else None


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return False
    marked = any(isinstance(item, dict) and "content_type" in item for item in value["items"][:5])
    return isinstance(value.get("role"), str) and (marked or value.get("content_type") == "message")


def _is_history(value: Any) -> bool:
    return any(map(_is_message, (_messages(value) or [])[:20]))


def _read(builder: TraceBuilder, value: Any) -> Trace:
    messages = _messages(value) or []
    reader = _Reader(builder, messages)
    for index, message in enumerate(messages):
        try:
            reader.add(message, index)
        except (ValueError, RecursionError):
            builder.note("skipped", "messages that cannot be represented")
    others = value if isinstance(value, dict) else {}
    fields = {key: kept for key, kept in others.items() if key != "messages"}
    attributes = keep_fields(builder, fields)
    return builder.build(task=reader.turns.first_request, attributes=attributes)


class _Reader:
    def __init__(self, builder: TraceBuilder, messages: Sequence[Any]) -> None:
        self._builder = builder
        self._names = {
            name: None
            for message in messages
            if _is_message(message) and message["role"] == "assistant"
            if (name := text_field(message, "name"))
        }
        self.turns = Turns(builder, self._names)
        self._only = next(iter(self._names)) if len(self._names) == 1 else None
        self._told: set[tuple[str, str]] = set()
        """Ids of responses with their words."""

    def add(self, message: Any, index: int) -> None:
        if not _is_message(message):
            self._builder.note("skipped", "items that are no message")
            return
        message = bounded(message)
        metadata = message.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        others = {k: v for k, v in message.items() if k not in _READ and v not in (None, "utf-8")}
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"messages[{index}]": truth})
        fields: dict[str, Any] = {
            "native_index": index,
            "timestamp": moment(nanoseconds(metadata.get("created"))),
            "attributes": attributes or None,
        }
        role = role_of(message["role"], "other")
        items = [item for item in message["items"] if isinstance(item, dict)]
        text = "\n".join(filter(None, map(_words, items)))
        calls = [item for item in items if item.get("content_type") == "function_call"]
        self._add_results(items, fields)
        who = text_field(message, "name")
        for item in items:
            kind = str(item.get("content_type"))[:64]
            if kind not in _KNOWN and not _words(item):
                self._builder.note("skipped", f"items of type {kind!r}")
        if role == "system":
            self._instruct(self._only or who, text, fields)
        elif role == "user" and (text or not items):
            known = who in self._names
            if known:  # another agent's words, as the next one gets them
                self.turns.say(str(who), text, flags=("copied_context",), **fields)
            else:
                self.turns.ask(text, agent=who or "user", **fields)
        elif role == "assistant" and (text or calls):
            self._add_words(message, metadata, items, text, fields)

    def _instruct(self, agent: str | None, text: str, fields: dict[str, Any]) -> None:
        """A system prompt; among several agents that have names nobody is called assistant."""
        if agent is not None or not self._names:
            self.turns.instruct(agent or "assistant", text, **fields)
            return
        system = self._builder.agent("system", kind="system", attribution="role")
        self._builder.step(kind="system", role="system", agent=system, text=text, **fields)

    def _add_words(
        self,
        message: dict[str, Any],
        metadata: dict[str, Any],
        items: list[dict[str, Any]],
        text: str,
        fields: dict[str, Any],
    ) -> None:
        who = text_field(message, "name")
        if who is None:
            who = self._only or "assistant"
            self._builder.agent(who, kind="worker", attribution="role")
        calls, targets = [], []
        for item in items:
            if item.get("content_type") != "function_call":
                continue
            call = _call(item)
            calls.append(call)
            plain = text_field(item, "function_name") or call.name.rpartition("-")[2]
            if target := handoff_target(plain, call.arguments):
                targets.append(known_name(target, self._names))
        named = [self.turns.introduce(name) for name in targets if name in self._names]
        if text_field(message, "finish_reason"):
            shown = {"finish_reason": message["finish_reason"]}
            fields["attributes"] = {**(fields["attributes"] or {}), **shown}
        usage = metadata.get("usage")
        id = id_field(metadata, "id")
        if id and not calls and (id, text) in self._told:
            fields["flags"] = ("duplicate",)  # told before a hand-off, and once more after it
        self._told.add((id or "", text))
        self.turns.say(
            who,
            text,
            calls=calls,
            to=tuple(named) or None,
            reasoning="\n".join(
                text_field(i, "text") or "" for i in items if i.get("content_type") == "reasoning"
            ),
            model=text_field(message, "ai_model_id"),
            usage=_usage(usage) if isinstance(usage, dict) else None,
            llm_call_id=id,
            **fields,
        )

    def _add_results(self, items: list[dict[str, Any]], fields: dict[str, Any]) -> None:
        for item in items:
            if item.get("content_type") != "function_result":
                continue
            value = item.get("result")
            text = result_text(value)
            error = None
            if _FAILURES.match(text[:400]):
                error = StepError(kind=error_kind(text), message=text[:500], declared=False)
            self.turns.answer(
                text,
                call_id=id_field(item, "id", "call_id"),
                tool=text_field(item, "name", "function_name"),
                value=value if isinstance(value, dict) else None,
                error=error,
                **fields,
            )


def _words(item: dict[str, Any]) -> str:
    kind = item.get("content_type")
    if kind in _MEDIA:
        return f"[{kind}]"
    return (text_field(item, "text") or "") if kind in ("text", "streaming_text", None) else ""


def _call(item: dict[str, Any]) -> ToolCall:
    return ToolCall(
        name=text_field(item, "name", "function_name") or "unknown",
        id=id_field(item, "id", "call_id"),
        arguments=bounded(parse_arguments(item.get("arguments"))),
    )


def _usage(usage: dict[str, Any]) -> Usage:
    def inner(key: str, name: str) -> int | None:
        details = usage.get(key)
        return integer(details.get(name)) if isinstance(details, dict) else None

    return Usage(
        input=integer(usage.get("prompt_tokens")),
        output=integer(usage.get("completion_tokens")),
        cache_read=inner("prompt_tokens_details", "cached_tokens"),
        reasoning=inner("completion_tokens_details", "reasoning_tokens"),
    )
