"""Files into sessions: one document, or a log of changes to one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from traceloc.loading import Source
from traceloc_plugins.facts import word

TYPES = frozenset({"user", "gemini", "info", "error", "warning"})


@dataclass(slots=True)
class Entry:
    """A message, as the last change left it."""

    message: dict[str, Any]
    native: int
    line: int | None = None
    left: bool = False
    """Whether the person went back behind it."""


@dataclass(slots=True)
class Session:
    """One session."""

    facts: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    unknown: int = 0


def read_sessions(source: Source) -> Iterator[Session]:
    """Sessions of a file."""
    log = Session()
    by_id: dict[str, Entry] = {}
    waiting: dict[str, list[dict[str, Any]]] = {}
    for place, (value, line) in enumerate(source.documents()):
        for record in value if isinstance(value, list) else [value]:
            if not isinstance(record, dict):
                log.unknown += 1
            elif isinstance(record.get("messages"), list):
                yield _document(record)
            else:
                native = line - 1 if line is not None and source.is_json_lines() else place
                _apply(record, Entry(record, native, line), log, by_id, waiting)
    if log.entries or log.facts:
        log.unknown += sum(map(len, waiting.values()))
        yield log


def _document(record: dict[str, Any]) -> Session:
    session = Session({key: value for key, value in record.items() if key != "messages"})
    for native, message in enumerate(record["messages"]):
        if isinstance(message, dict):
            session.entries.append(Entry(message, native))
        else:
            session.unknown += 1
    return session


def _apply(
    record: dict[str, Any],
    entry: Entry,
    log: Session,
    by_id: dict[str, Entry],
    waiting: dict[str, list[dict[str, Any]]],
) -> None:
    """Apply one line of the log to the session."""
    kind, id = word(record.get("type")), word(record.get("id"))
    if (back := word(record.get("$rewindTo"))) is not None:
        target = by_id.get(back)
        for other in reversed(log.entries if target else []):
            other.left = True
            if other is target:
                break
    elif isinstance(changed := record.get("$set"), dict):
        log.facts.update({key: value for key, value in changed.items() if key != "messages"})
    elif kind == "message_update":
        if id in by_id:
            _merge(by_id[id].message, record)
        elif id is not None:
            waiting.setdefault(id, []).append(record)
    elif kind in TYPES:
        if id in by_id and not by_id[id].left:
            by_id[id].message = record  # written anew when its tools returned
            return
        log.entries.append(entry)
        if id is not None:
            by_id[id] = entry
            for update in waiting.pop(id, ()):
                _merge(record, update)
    elif "sessionId" in record:
        log.facts.update(record)
    else:
        log.unknown += 1


def _merge(message: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        if key in ("type", "id"):
            continue
        known = message.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            value = {**known, **value}
        message[key] = value
