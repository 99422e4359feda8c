"""Reads what CAMEL leaves behind.

A saved memory (JSON lines), the logs of model calls (``CAMEL_MODEL_LOG_ENABLED``, one file a call),
the turns of a role play, and records of tool calls. A plain ``chat_history`` is an OpenAI chat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.camel.model_calls import is_model_call, read_model_calls
from traceloc_plugins.camel.records import (
    is_memory,
    is_tool_call,
    is_turn,
    read_memory,
    read_tool_calls,
    read_turns,
)
from traceloc_plugins.records import first_records, read_traces


class CamelLoader:
    """Loader of CAMEL's memories and logs."""

    name = "camel"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write `agent.save_memory(…)` or set CAMEL_MODEL_LOG_ENABLED=true: both hold "
        "what was asked",
        "agents": "only a role play names roles, and model logs hold them: set "
        "CAMEL_MODEL_LOG_ENABLED=true",
        "instructions": "set CAMEL_MODEL_LOG_ENABLED=true: each request begins with the system "
        "message",
        "schemas": "set CAMEL_MODEL_LOG_ENABLED=true, and leave "
        "CAMEL_MODEL_LOG_MODEL_CONFIG_ENABLED on",
        "calls": "set CAMEL_MODEL_LOG_ENABLED=true, which logs all; without any in it the run "
        "made none",
        "results": "set CAMEL_MODEL_LOG_ENABLED=true, which logs all; without any in it the run "
        "made none",
        "inputs": "set CAMEL_MODEL_LOG_ENABLED=true: a model log holds each request as it was sent",
        "times": "set CAMEL_MODEL_LOG_ENABLED=true, or write `agent.save_memory(…)`; both hold "
        "them",
        "usage": "set CAMEL_MODEL_LOG_ENABLED=true: the responses in a model log hold them",
    }

    def sniff(self, head: Head) -> float:
        """Records of memories, dumps of model calls, pairs of roles."""
        records = first_records(head)
        if not records:
            return 0.0
        first = records[0]
        if is_memory(first):
            return 0.97
        if is_model_call(first):
            return 0.96
        return 0.95 if is_turn(first) or is_tool_call(first) else 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        """The agents whose model calls a file logs."""
        for value, _ in source.documents():
            if is_model_call(value):
                yield str(value["agent_id"])

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each memory, role play or agent."""
        calls: list[Any] = []
        first = sources[0]
        for source in sources:
            if not any(map(is_model_call, source.head().records[:1])):
                yield from read_traces(
                    self.name, [source], is_trace=_is_run, is_item=_is_item, read=_read
                )
                continue
            for value, _ in source.documents():
                for item in value if isinstance(value, list) else [value]:
                    if is_model_call(item):
                        calls.append(item)
                    else:
                        source.report("a record is no model call", code="TL120")
        yield from read_model_calls(self.name, first, calls)


def _is_item(value: Any) -> bool:
    return is_memory(value) or is_turn(value) or is_tool_call(value)


def _is_run(value: Any) -> bool:
    return isinstance(value, list) and any(map(_is_item, value[:20]))


def _read(builder: TraceBuilder, value: list[Any]) -> Trace:
    if any(map(is_memory, value[:20])):
        return read_memory(builder, value)
    return (
        read_turns(builder, value) if any(map(is_turn, value)) else read_tool_calls(builder, value)
    )
