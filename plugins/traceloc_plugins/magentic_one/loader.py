"""Reads the chat dumps of Magentic-One: a bare list of ``{content, role}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.magentic_one.conversation import is_orchestration, read_orchestration
from traceloc_plugins.openai_chat.messages import is_chat, is_message
from traceloc_plugins.records import read_traces


class MagenticOneLoader:
    """Loader of Magentic-One chat dumps."""

    name = "magentic_one"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the person's message with the role `human`",
        "agents": "write who spoke as the role, such as `Orchestrator (-> WebSurfer)`",
        "instructions": "the chat does not hold them; run on AutoGen 0.4 and log "
        "`autogen_core.EVENT_LOGGER_NAME`",
        "schemas": "the chat does not hold them; run on AutoGen 0.4 and log "
        "`autogen_core.EVENT_LOGGER_NAME`",
        "calls": "the chat does not hold them; run on AutoGen 0.4 and write the `TaskResult`",
        "results": "the chat does not hold them; run on AutoGen 0.4 and write the `TaskResult`",
        "inputs": "the chat does not hold it",
        "times": "the chat does not hold them; run on AutoGen 0.4 and write the `TaskResult`",
        "usage": "the chat does not hold them; run on AutoGen 0.4 and write the `TaskResult`",
    }

    def sniff(self, head: Head) -> float:
        """Messages whose roles carry orders and thoughts in parentheses."""
        first = head.first
        if isinstance(first, list) and first and isinstance(first[0], list):
            first = first[0]
        messages = first if isinstance(first, list) else list(head.documents[:50])
        found = [item for item in messages[:50] if is_message(item)]
        return 0.97 if found and is_orchestration(found) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each list of messages."""
        return read_traces(self.name, sources, is_trace=is_chat, is_item=is_message, read=_read)


def _read(builder: TraceBuilder, messages: list[Any]) -> Trace:
    return builder.build(task=read_orchestration(builder, messages))
