"""Puts a task together and adds its messages and artifacts to a trace.

Version 1.0 dropped ``kind``, names roles and states in capitals (``ROLE_AGENT``,
``TASK_STATE_FAILED``), and wraps what a stream sends (``statusUpdate``). Some servers write snake
case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic_core import to_json

from traceloc.loading import TraceBuilder
from traceloc.trace import ToolCall, Trace
from traceloc_plugins.records import (
    bounded,
    id_field,
    keep_fields,
    keep_rest,
    split_truth,
    text_field,
)
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.spelling import snake
from traceloc_plugins.turns import Turns, model_error

_WRAPPED = {
    "task": "task",
    "message": "message",
    "msg": "message",
    "status_update": "status-update",
    "artifact_update": "artifact-update",
}
_FAILED = frozenset(("failed", "rejected"))
_STATES = frozenset(
    ("submitted", "working", "input-required", "completed", "canceled", "cancelled", "unknown")
) | {"failed", "rejected", "auth-required", "unspecified"}
_OF_A_TASK = frozenset(("id", "task_id", "kind", "final"))
_OF_A_MESSAGE = frozenset(
    ("message_id", "id", "parts", "metadata", "role", "kind", "task_id", "context_id")
)
_OF_AN_ARTIFACT = frozenset(("parts", "name", "artifact_id"))
_NAMES = ("agent_name", "agent", "author", "adk_author", "adk_app_name")
_MAX_ITEMS = 100_000


class Found(NamedTuple):
    """A part of a task: which, the task's id, and its fields in snake case."""

    kind: str
    task_id: str
    fields: dict[str, Any]


def state_of(status: Any) -> str:
    """A state in the spelling of 0.3; empty where it is none of the protocol's."""
    raw = snake(status).get("state")
    if not isinstance(raw, str):
        return ""
    state = raw.removeprefix("TASK_STATE_").lower().replace("_", "-")
    return state if state in _STATES else ""


def as_item(value: Any) -> Found | None:
    """The part of a task that a document is; ``None`` for anything else."""
    fields = snake(value)
    if "jsonrpc" in fields and isinstance(fields.get("result"), dict):
        return as_item(fields["result"])
    for key, kind in _WRAPPED.items():
        if len(fields) == 1 and isinstance(fields.get(key), dict):
            return _item(kind, snake(fields[key]))
    stated = fields.get("kind")
    if stated in _WRAPPED.values():
        return _item(str(stated), fields)
    if "status" in fields and "context_id" in fields and "id" in fields:
        return _item("task", fields)
    if "context_id" in fields and "task_id" in fields and ("status" in fields):
        return _item("status-update", fields)
    return None


def listed(value: Any) -> list[Any]:
    """The tasks of a page, as ``ListTasks`` answers with; else the document itself."""
    fields = value if isinstance(value, dict) else {}
    if "jsonrpc" in fields and isinstance(fields.get("result"), dict):
        fields = fields["result"]
    tasks = fields.get("tasks")
    return tasks if isinstance(tasks, list) else [value]


def _item(kind: str, fields: dict[str, Any]) -> Found | None:
    id = id_field(fields, "id" if kind == "task" else "task_id", "context_id")
    if kind in ("task", "status-update") and not state_of(fields.get("status")):
        return None
    if kind == "message" and not isinstance(fields.get("parts"), list):
        return None
    if kind == "artifact-update" and not isinstance(fields.get("artifact"), dict):
        return None
    return Found(kind, id or "", fields)


def merge(tasks: dict[str, dict[str, Any]], item: Found) -> None:
    """Add what was found to its task."""
    task = tasks.setdefault(item.task_id, {"id": item.task_id, "entries": [], "fields": {}})
    entries: list[tuple[str, Any]] = task["entries"]
    if len(entries) >= _MAX_ITEMS:
        return
    fields = bounded(item.fields)
    if item.kind == "message":
        entries.append(("message", fields))
    elif item.kind == "artifact-update":
        entries.append(("artifact", fields["artifact"]))
    else:
        for key, kind in (("history", "message"), ("artifacts", "artifact")):
            listed = fields.pop(key, None)
            entries += ((kind, inner) for inner in (listed if isinstance(listed, list) else ()))
        entries.append(("status", fields.pop("status")))
    if item.kind in ("task", "status-update"):
        known = _OF_A_TASK
    else:
        known = fields.keys() - {"context_id"}
    task["fields"] |= {key: value for key, value in fields.items() if value and key not in known}


class TaskReader:
    """Adds a task to a trace.

    Args:
        builder: The trace under construction.
    """

    def __init__(self, builder: TraceBuilder) -> None:
        self._builder = builder
        self._turns = Turns(builder)
        self._seen: set[str] = set()
        self._agent = "agent"

    def read(self, task: dict[str, Any]) -> Trace:
        """The trace."""
        self._agent = self._named(task["fields"].get("metadata")) or "agent"
        if self._agent == "agent":
            self._builder.agent("agent", kind="worker", attribution="role")
        state = ""
        for index, (kind, value) in enumerate(task["entries"]):
            try:
                if kind == "message":
                    self._add_message(snake(value), index)
                elif kind == "artifact":
                    self._add_artifact(snake(value), index)
                else:
                    state = state_of(value)
                    self._add_status(snake(value), state, index)
            except (ValueError, RecursionError):
                self._builder.note("skipped", "parts of the task that cannot be represented")
        if state in _FAILED:
            self._builder.outcome("failed", source="error", detail=f"the task's state is {state}")
        fields = dict(task["fields"])
        session = id_field(fields, "context_id")
        fields.pop("context_id", None)
        return self._builder.build(
            id=task["id"] or None,
            session_id=session,
            task=self._turns.first_request,
            attributes=keep_fields(self._builder, {**fields, "state": state or None}),
        )

    def _add_status(self, status: dict[str, Any], state: str, index: int) -> None:
        when = moment(nanoseconds(status.get("timestamp")))
        message = snake(status.get("message"))
        text = _words(message.get("parts"))
        error = model_error(text or f"the task is {state}") if state in _FAILED else None
        if message and self._add_message(message, index, timestamp=when, error=error):
            return
        if state not in ("working", "submitted", "completed"):
            self._builder.step(
                kind="event",
                role="assistant",
                agent=self._agent,
                native_index=index,
                text=f"the task is {state}",
                timestamp=when,
                error=error,
            )

    def _add_message(self, message: dict[str, Any], index: int, **fields: Any) -> bool:
        id = id_field(message, "message_id", "id")
        if id and id in self._seen:
            self._builder.note("skipped", "messages that are repeated")
            return False
        self._seen.add(id or "")
        keep_rest(self._builder, message, _OF_A_MESSAGE, place=f"entries[{index}]")
        parts = [snake(part) for part in _list(message.get("parts"))]
        metadata, truth = split_truth(snake(message.get("metadata")))
        if truth:
            self._builder.truth(**{f"entries[{index}]": truth})
        common = {"native_index": index, "attributes": metadata or None, **fields}
        text = _words(parts)
        role = str(message.get("role") or "").upper().removeprefix("ROLE_")
        if role == "USER":
            self._turns.ask(text, **common)
            return True
        agent = self._named(message.get("metadata")) or self._agent
        calls = [call for call, _ in _calls(parts) if call is not None]
        answers = [answer for _, answer in _calls(parts) if answer is not None]
        if text or calls or not answers:
            self._turns.say(agent, text, calls=calls, **common)
        for answer in answers:
            value = answer.get("response")
            self._turns.answer(
                result_text(value),
                call_id=id_field(answer, "id"),
                tool=text_field(answer, "name"),
                value=value,
                native_index=index,
            )
        return True

    def _add_artifact(self, artifact: dict[str, Any], index: int) -> None:
        keep_rest(self._builder, artifact, _OF_AN_ARTIFACT, place=f"entries[{index}]")
        text = _words(artifact.get("parts"))
        name = text_field(artifact, "name", "artifact_id")
        repeated = bool(text) and self._turns.has_said("assistant", text)
        self._turns.say(
            self._agent,
            text,
            native_index=index,
            flags=("duplicate",) if repeated else None,
            attributes={"artifact": name} if name else None,
        )

    def _named(self, metadata: Any) -> str | None:
        return text_field(snake(metadata), *_NAMES)


def _calls(parts: list[dict[str, Any]]) -> Iterator[tuple[ToolCall | None, dict[str, Any] | None]]:
    """Calls and results that data parts carry, as ADK's agents send them."""
    for part in parts:
        data, kind = part.get("data"), snake(part.get("metadata")).get("adk_type")
        if not isinstance(data, dict):
            continue
        if kind == "function_call" and (name := text_field(data, "name")):
            yield ToolCall(name=name, id=id_field(data, "id"), arguments=data.get("args")), None
        elif kind == "function_response":
            yield None, data


def _words(parts: Any) -> str:
    words = []
    for raw in _list(parts):
        part = snake(raw)
        file = part.get("file")
        file = snake(file) if isinstance(file, dict) else part
        if isinstance(text := part.get("text"), str):
            words.append(text)
        elif "data" in part:
            if not text_field(snake(part.get("metadata")), "adk_type"):
                words.append(to_json(part["data"], inf_nan_mode="constants").decode())
        elif name := text_field(file, "name", "filename", "uri", "url", "mime_type", "media_type"):
            words.append(f"[file {name}]")
    return "\n".join(filter(None, words))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
