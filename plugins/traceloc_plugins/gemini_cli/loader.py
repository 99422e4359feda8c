"""Reads the chat files of the Gemini CLI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.gemini_cli.sessions import TYPES, read_sessions
from traceloc_plugins.gemini_cli.writing import write_session


class GeminiCliLoader:
    """Sessions as one JSON document, and as JSON lines since 0.40."""

    name = "gemini_cli"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "nothing to switch on: there is one agent, called `gemini`",
        "instructions": "no session holds system prompts",
        "schemas": "no session holds them, only the descriptions of the tools that were called",
        "calls": "nothing to switch on: each call is written; the session made none",
        "results": "nothing to switch on: each result is written; the session made no call",
        "inputs": "no session holds it, and sub-agents show only as a call and its answer",
    }

    def sniff(self, head: Head) -> float:
        """A session of a hashed project, whose messages are of Gemini's types."""
        for record in head.records[:1]:
            if "sessionId" not in record or "projectHash" not in record:
                continue
            messages = record.get("messages")
            if messages is None:
                others = head.records[1:10]
                return 0.97 if head.is_json_lines and any(map(_is_record, others)) else 0.8
            if isinstance(messages, list):
                return 0.97 if not messages or any(map(_is_message, messages[:5])) else 0.5
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace a session."""
        for source in sources:
            for session in read_sessions(source):
                trace = write_session(session, source)
                if trace.steps:
                    yield trace
                else:
                    source.report("session holds no message", code="TL106")


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and word(item.get("type")) in TYPES and "id" in item


def _is_record(item: dict[str, Any]) -> bool:
    return _is_message(item) or "$set" in item or item.get("type") == "message_update"
