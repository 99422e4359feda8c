"""Reads sessions of Strands Agents, dumps of an agent's ``messages``, and results of teams.

A session is a folder: a file for the session, one for each agent, one for each message. Messages
are those of Bedrock's Converse API. No message names its agent or session; its folders do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.records import integer
from traceloc_plugins.strands.sessions import Session, read_messages_file, read_session
from traceloc_plugins.strands.teams import is_team_result, read_team_result

_BLOCKS = frozenset(("toolUse", "toolResult", "reasoningContent", "cachePoint"))
_TEAMS = ("graph", "swarm")


class StrandsLoader:
    """Loader of Strands Agents' sessions."""

    name = "strands"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "use a session manager and `Agent(agent_id=…)`: a list of messages names nobody",
        "instructions": "no session stores `agent.system_prompt`; spans do, for the loader "
        "`otel`: set OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental",
        "schemas": "no session stores them; spans do, for the loader `otel`: set "
        "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental,gen_ai_tool_definitions",
        "calls": "give each agent a session of its own or write `agent.messages`; the session of "
        "a team has none",
        "results": "give each agent a session of its own or write `agent.messages`; the session "
        "of a team has none",
        "inputs": "write the messages of each agent; the session of a team holds only answers",
        "times": "use a session manager: its messages bear `created_at`, a list of messages has "
        "none",
        "usage": "messages bear it in their `metadata` in recent versions; spans do in all",
    }

    def sniff(self, head: Head) -> float:
        """A file of a session, or messages made of Converse's blocks."""
        first = head.first
        if isinstance(first, dict):
            return 0.95 if kind_of(first) or is_team_result(first) else 0.0
        if not isinstance(first, list):
            return 0.0
        messages = [item for item in first[:20] if _is_message(item)]
        if not messages:
            return 0.0
        if any("tracking_id" in m or _has_usage(m) for m in messages):
            return 0.9
        blocks = [block for m in messages for block in m["content"][:20] if isinstance(block, dict)]
        used = any(not _BLOCKS.isdisjoint(block) for block in blocks)
        return 0.5 if used and all("type" not in block for block in blocks) else 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        """The folder of the session, told by where its files lie."""
        return [str(_session_folder(Path(source.path)))]

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield one trace for a session; one for each list of messages."""
        session = Session()
        for source in sources:
            for value, _ in source.documents():
                kind = kind_of(value)
                if isinstance(value, list):
                    trace = read_messages_file(self.name, source, value)
                    if trace.steps:
                        yield trace
                elif is_team_result(value):
                    trace = read_team_result(self.name, source, value)
                    if trace.steps:
                        yield trace
                elif kind is None:
                    source.report("a record is no part of a session", code="TL120")
                else:
                    session.add(kind, value, source)
        if session.sources and (trace := read_session(self.name, session)).steps:
            yield trace
        elif session.sources:
            session.sources[0].report("the session holds no message", code="TL106")


def kind_of(value: Any) -> str | None:
    """Which part of a session a document is."""
    if not isinstance(value, dict):
        return None
    message = value.get("message")
    if isinstance(message, dict) and integer(value.get("message_id")) is not None:
        return "message" if _is_message(message) else None
    if isinstance(value.get("agent_id"), str) and "conversation_manager_state" in value:
        return "agent"
    if isinstance(value.get("session_id"), str) and "session_type" in value:
        return "session"
    if value.get("type") in _TEAMS and "status" in value and "id" in value:
        return "team"
    return None


def _is_message(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") in ("user", "assistant")
        and isinstance(value.get("content"), list)
    )


def _has_usage(message: dict[str, Any]) -> bool:
    metadata = message.get("metadata")
    usage = metadata.get("usage") if isinstance(metadata, dict) else None
    return isinstance(usage, dict) and "inputTokens" in usage


def _session_folder(path: Path) -> Path:
    """The folder that holds everything of a session; of a file elsewhere, the file itself."""
    folder = path.absolute().parent
    for here in (folder, *folder.parents[:4]):
        if here.name.startswith("session_"):
            return here
    if folder.name == "messages":
        above = folder.parent.parent
        return above.parent if above.name == "agents" else folder.parent
    return path.absolute()
