"""Reads sessions of Claude Code and of the Claude Agent SDK."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.claude_code.sessions import read_sessions
from traceloc_plugins.claude_code.writing import write_session

_SESSION = re.compile(rb'"session_?[iI]d"\s*:\s*"([^"\\]{1,80})"')
_CHUNK = 1 << 20
_OVERLAP = 256


class ClaudeCodeLoader:
    """Session files, their sub-agents' files, and ``stream-json`` output."""

    name = "claude_code"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "`stream-json` begins after the request; the session in ~/.claude/projects holds "
        "it",
        "agents": "nothing to switch on: there is one agent, called `claude`; sub-agents bear "
        "their type",
        "instructions": "no file holds system prompts",
        "schemas": "no file holds them; only `stream-json` names the tools",
        "calls": "nothing to switch on: each call is written; the session made none",
        "results": "nothing to switch on: each result is written; the session made no call",
        "times": "`stream-json` has none; the session in ~/.claude/projects has one on each line",
        "usage": "each response of the model bears them in a session of ~/.claude/projects",
    }

    def sniff(self, head: Head) -> float:
        """An Anthropic message inside a line that names its session and its own uuid."""
        first = head.first
        if isinstance(first, dict):
            for key in ("messages", "loglines"):
                if isinstance(inner := first.get(key), list):
                    scores = [_score(item) for item in inner[:5] if isinstance(item, dict)]
                    return min(max(scores, default=0.0), 0.6)
        return max((_score(record) for record in head.records[:50]), default=0.0)

    def group_keys(self, source: Source) -> Iterable[str]:
        """Session ids: a sub-agent's file names the session of its parent."""
        found: set[str] = set()
        rest = b""
        for chunk in source.pieces(_CHUNK):
            data = rest + chunk
            found.update(m.decode("utf-8", "replace") for m in _SESSION.findall(data))
            rest = data[-_OVERLAP:]
        return sorted(found)

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace per session."""
        for session in read_sessions(sources):
            trace = write_session(session)
            if trace.steps:
                yield trace


def _score(record: dict[str, Any]) -> float:
    kind = record.get("type")
    message = record.get("message")
    if kind in ("user", "assistant") and isinstance(message, dict):
        if "sessionId" in record and ("uuid" in record or "parentUuid" in record):
            return 0.97
        if "session_id" in record and ("parent_tool_use_id" in record or "uuid" in record):
            return 0.95
        if "uuid" in record or "sessionId" in record:
            return 0.9
        return 0.4 if "content" in message and "role" in message else 0.0
    if kind == "system" and record.get("subtype") == "init" and "session_id" in record:
        return 0.95
    if kind == "result" and "num_turns" in record and "session_id" in record:
        return 0.95
    if kind == "summary" and "leafUuid" in record:
        return 0.9
    if kind == "file-history-snapshot" and "snapshot" in record:
        return 0.9
    if kind in ("progress", "system", "queue-operation") and "sessionId" in record:
        return 0.85
    return 0.0
