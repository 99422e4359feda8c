"""Puts the files of a session together: who said what, in the order it was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.loading import Source, TraceBuilder
from traceloc.trace import Trace, Usage
from traceloc_plugins.records import (
    bounded,
    id_field,
    integer,
    keep_fields,
    keep_rest,
    split_truth,
)
from traceloc_plugins.spans.messages import read_messages
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.strands.teams import add_team
from traceloc_plugins.turns import Thread, Turns

_READ = ("role", "content", "metadata", "tracking_id")
_OF_A_FILE = frozenset(("message", "message_id", "redact_message", "created_at", "updated_at"))
_KNOWN = ("session_id", "session_type", "created_at", "updated_at")


class Filed(NamedTuple):
    """A message file: when it was written, its number, and whose it is."""

    time: int
    number: int
    owner: str
    message: dict[str, Any]
    fields: dict[str, Any]
    """Everything the file says."""


@dataclass
class Session:
    """What was found of a session."""

    sources: list[Source] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Agents by the folder of their files."""
    messages: list[Filed] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    agents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, kind: str, value: dict[str, Any], source: Source) -> None:
        """Take one file."""
        self.sources.append(source)
        folder = Path(source.path).parent
        if kind == "message":
            owner = folder.parent if folder.name == "messages" else folder
            redacted = value.get("redact_message")
            message = redacted if isinstance(redacted, dict) else value["message"]
            time = nanoseconds(value.get("created_at")) or 0
            number = integer(value.get("message_id")) or 0
            self.messages.append(Filed(time, number, str(owner), message, value))
        elif kind == "agent":
            name = value["agent_id"] or "agent"
            self.names[str(folder)] = name
            self.agents[name] = {k: v for k, v in value.items() if k not in ("agent_id", *_KNOWN)}
        elif kind == "session":
            self.fields |= value
        else:
            self.fields.setdefault("teams", []).append(value)

    def name_of(self, folder: str) -> str:
        """The agent whose files lie in a folder."""
        _, mark, name = Path(folder).name.partition("agent_")
        return self.names.get(folder) or (mark and name) or "agent"


def read_session(name: str, session: Session) -> Trace:
    """One trace of all agents of a session."""
    builder = TraceBuilder(format=name, source=session.sources[0].path, dialect="session")
    folders = list(dict.fromkeys(filed.owner for filed in session.messages))
    turns = Turns(builder, [session.name_of(folder) for folder in folders])
    several = len(folders) > 1
    threads = {
        folder: Thread(turns, turns.introduce(session.name_of(folder)), private=several)
        for folder in folders
    }
    for index, filed in enumerate(sorted(session.messages, key=lambda f: (f.time, f.number))):
        when = moment(filed.time or None)
        keep_rest(builder, filed.fields, _OF_A_FILE, place=f"files[{index}]")
        _add(builder, threads[filed.owner], filed.message, index, timestamp=when)
    teams = session.fields.get("teams")
    if not session.messages and teams:
        for team in teams:
            add_team(builder, turns, team)
        session.fields.pop("teams")
    states = {who: kept for who, state in session.agents.items() if (kept := _kept(state))}
    others = {key: value for key, value in session.fields.items() if key not in _KNOWN}
    if session.messages:
        builder.note(
            "missing",
            "instructions and tools of the agents: a session does not keep them; OpenTelemetry "
            "spans do, with OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental,"
            "gen_ai_tool_definitions",
        )
    id = id_field(session.fields, "session_id")
    return builder.build(
        id=id,
        session_id=id,
        task=turns.first_request,
        attributes=keep_fields(builder, {**others, "agents": states}),
    )


def read_messages_file(name: str, source: Source, messages: list[Any]) -> Trace:
    """A dump of ``agent.messages``."""
    builder = TraceBuilder(format=name, source=source.path, dialect="messages")
    turns = Turns(builder)
    builder.agent("assistant", kind="worker", attribution="role")
    thread = Thread(turns, "assistant")
    for index, message in enumerate(messages):
        if isinstance(message, dict) and isinstance(message.get("content"), list | str):
            _add(builder, thread, message, index)
        else:
            builder.note("skipped", "items that are no message")
    return builder.build(task=turns.first_request)


def _add(
    builder: TraceBuilder, thread: Thread, message: dict[str, Any], index: int, **fields: Any
) -> None:
    metadata = message.get("metadata")
    usage = _usage(metadata.get("usage")) if isinstance(metadata, dict) else None
    others = {key: value for key, value in message.items() if key not in _READ}
    attributes, truth = split_truth(others)
    if truth:
        builder.truth(**{f"messages[{index}]": truth})
    try:
        for found in read_messages([bounded({k: message.get(k) for k in ("role", "content")})]):
            extra: dict[str, Any] = {"attributes": attributes or None, **fields}
            if found.role == "assistant" and usage is not None:
                extra |= {"usage": usage, "llm_call_id": id_field(message, "tracking_id")}
                usage = None
            thread.add(found, native_index=index, **extra)
    except (ValueError, RecursionError):
        builder.note("skipped", "messages that cannot be represented")


def _kept(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if value not in ({}, [], None)}


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    return Usage(
        input=integer(usage.get("inputTokens")),
        output=integer(usage.get("outputTokens")),
        cache_read=integer(usage.get("cacheReadInputTokens")),
        cache_write=integer(usage.get("cacheWriteInputTokens")),
    )
