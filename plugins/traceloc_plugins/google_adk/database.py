"""The SQLite database of ADK's ``DatabaseSessionService``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from typing import Any

from pydantic_core import from_json

from traceloc.loading import Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.databases import Database
from traceloc_plugins.google_adk.sessions import read_session

_KEY = ("app_name", "user_id", "session_id")
_PARTS = (
    "id",
    "invocation_id",
    "author",
    "branch",
    "content",
    "partial",
    "error_code",
    "error_message",
    "usage_metadata",
)
"""What versions before the JSON column kept apart; their ``actions`` are pickled and not read."""
_JSON = ("content", "usage_metadata")


def read_database(name: str, source: Source) -> Iterator[Trace]:
    """Yield a trace for each session.

    Raises:
        TraceFormatError: If the database is damaged or holds no sessions.
    """
    with closing(Database(source)) as database:
        known = database.tables.get("events", ())
        if not {*_KEY, "timestamp"} <= set(known):
            raise source.error("holds no table of events of ADK", code="TL120")
        states = _states(database)
        whole = "event_data" in known
        columns = (*_KEY, "timestamp", *(("event_data",) if whole else _PARTS))
        rows = database.rows("events", columns, order="app_name user_id session_id timestamp")
        for key, found in groupby(rows, key=lambda row: tuple(row[name] for name in _KEY)):
            builder = TraceBuilder(format=name, source=source.path, dialect="database")
            if not whole:
                builder.note("skipped", "actions of events: they are pickled, which is not read")
            database.note_unread_log(builder)
            app, user, session = map(str, key)
            document = {
                "id": session,
                "app_name": app,
                "user_id": user,
                "state": states.get(key),
                "events": [_event(row, whole=whole) for row in found],
            }
            trace = read_session(builder, document)
            if trace.steps:
                yield trace


def _states(database: Database) -> dict[tuple[Any, ...], Any]:
    columns = ("app_name", "user_id", "id", "state")
    rows = database.rows("sessions", columns, order="app_name user_id id")
    return {(row["app_name"], row["user_id"], row["id"]): _parsed(row["state"]) for row in rows}


def _event(row: dict[str, Any], *, whole: bool) -> Any:
    if whole:
        return _parsed(row["event_data"])
    fields = {key: _parsed(row[key]) if key in _JSON else row[key] for key in _PARTS}
    fields["timestamp"] = row["timestamp"]
    fields["partial"] = bool(fields["partial"])
    return {key: value for key, value in fields.items() if not isinstance(value, bytes | None)}


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return None if isinstance(value, bytes) else value
    try:
        return from_json(value)
    except ValueError:
        return None
