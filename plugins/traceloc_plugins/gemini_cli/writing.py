"""One session as a trace."""

from __future__ import annotations

from typing import Any

from traceloc.loading import Source, TraceBuilder, declared_error, text_of
from traceloc.trace import StepError, ToolCall, Trace
from traceloc_plugins.facts import moment, usage_from, word
from traceloc_plugins.gemini_cli.sessions import Entry, Session
from traceloc_plugins.records import bounded, keep_fields, split_truth
from traceloc_plugins.turns import Turns

MAIN = "gemini"
_USAGE = {
    "input": "input",
    "output": "output",
    "cached": "cache_read",
    "thoughts": "reasoning",
}
_READ = frozenset(
    {"id", "timestamp", "type", "content", "toolCalls", "thoughts", "tokens", "model", "message"}
)
_KEPT = ("displayName", "status", "timestamp", "resultDisplay")
"""What is kept of a call beside its arguments and result; a description of the tool goes there."""


def write_session(session: Session, source: Source) -> Trace:
    """The trace of a session; without steps where nothing was said."""
    return _Writer(session, source).write()


class _Writer:
    def __init__(self, session: Session, source: Source) -> None:
        self.session = session
        self.builder = TraceBuilder(format="gemini_cli", source=source.path)
        self.turns = Turns(self.builder)
        self.turns.introduce(MAIN, attribution="role")

    def write(self) -> Trace:
        for entry in self.session.entries:
            try:
                self._entry(entry)
            except (ValueError, RecursionError):
                self.builder.note("skipped", "messages that cannot be represented")
        if self.session.unknown:
            self.builder.note("skipped", f"{self.session.unknown} records are no message")
        if any(entry.left for entry in self.session.entries):
            self.builder.note("note", "some messages were left behind when the person went back")
        id = word(self.session.facts.get("sessionId"))
        attributes = keep_fields(self.builder, self.session.facts)
        return self.builder.build(
            id=id, session_id=id, task=self.turns.first_request, attributes=attributes
        )

    def _entry(self, entry: Entry) -> None:
        message, kind = entry.message, entry.message.get("type")
        text = _words(message.get("content", message.get("message")))
        others = {key: value for key, value in message.items() if key not in _READ}
        place: dict[str, Any] = {
            "native_index": entry.native,
            "line": entry.line,
            "timestamp": moment(message.get("timestamp")),
        }
        if entry.left:
            place["flags"] = ("duplicate",)
            others["branch"] = "left behind"
        attributes = split_truth(others).attributes or None
        if kind == "user":
            own = not text.lstrip().startswith("<session_context>")
            extra: dict[str, Any] = {} if own else {"kind": "event", "flags": ("synthetic",)}
            self.turns.ask(text, **{"to": (MAIN,), "attributes": attributes, **place, **extra})
        elif kind == "gemini":
            self._emit(message, text, attributes, place)
        else:
            failed = declared_error(text or "error") if kind == "error" else None
            self.turns.tell(text, error=failed, attributes=attributes, **place)

    def _emit(
        self,
        message: dict[str, Any],
        text: str,
        attributes: dict[str, Any] | None,
        place: dict[str, Any],
    ) -> None:
        listed = message.get("toolCalls")
        raw = [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []
        calls = [
            ToolCall(
                name=word(call.get("name")) or "unknown",
                id=word(call.get("id")),
                arguments=bounded(call.get("args")),
            )
            for call in raw
        ]
        thoughts = _thoughts(message.get("thoughts"))
        if not (text or calls or thoughts):
            self.builder.note("skipped", "messages of the model that hold nothing")
            return
        self.turns.say(
            MAIN,
            text,
            calls=calls,
            reasoning=thoughts,
            model=word(message.get("model")),
            usage=usage_from(message.get("tokens"), _USAGE),
            llm_call_id=word(message.get("id")),
            attributes=attributes,
            **place,
        )
        for call, item in zip(calls, raw, strict=True):
            self._returned(call, item, place)

    def _returned(self, call: ToolCall, item: dict[str, Any], place: dict[str, Any]) -> None:
        description, name = item.get("description"), call.name
        self.builder.tool(name, description=word(description))
        status, value = item.get("status"), _response(item.get("result"))
        if value is None and status not in ("success", "error", "cancelled"):
            return  # still running when the file was written
        text = _said(value)
        self.turns.answer(
            text,
            call_id=call.id,
            tool=name,
            value=value,
            error=_error(status, text),
            attributes=bounded({key: item[key] for key in _KEPT if item.get(key)}) or None,
            **{**place, "timestamp": moment(item.get("timestamp")) or place["timestamp"]},
        )


def _words(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    return text_of([_shown(part) for part in bounded(parts)])


def _shown(part: Any) -> Any:
    """A part as words; of media their kind, as the bytes would drown what was said."""
    for key in ("inlineData", "fileData") if isinstance(part, dict) else ():
        if isinstance(data := part.get(key), dict):
            return f"[{word(data.get('mimeType')) or 'file'}]"
    return part


def _thoughts(raw: Any) -> str:
    told = []
    for thought in raw if isinstance(raw, list) else ():
        if isinstance(thought, dict):
            parts = (thought.get("subject"), thought.get("description"))
            told.append(": ".join(part for part in parts if isinstance(part, str) and part))
        elif isinstance(thought, str):
            told.append(thought)
    return "\n".join(filter(None, told))


def _response(result: Any) -> Any:
    """What the tool returned: the response inside the message that was sent to the model."""
    responses = []
    for part in result if isinstance(result, list) else [result]:
        inner = part.get("functionResponse") if isinstance(part, dict) else None
        if isinstance(inner, dict):
            responses.append(bounded(inner.get("response")))
        elif part is not None:
            responses.append(_shown(bounded(part)))
    return responses[0] if len(responses) == 1 else responses or None


def _said(value: Any) -> str:
    if isinstance(value, dict):
        for key in ("output", "error"):
            if key in value and (len(value) == 1 or isinstance(value[key], str)):
                return text_of(value[key])
    return text_of(value)


def _error(status: Any, text: str) -> StepError | None:
    if status == "cancelled":
        return StepError(kind="user_rejection", message=text[:500] or "cancelled")
    return declared_error(text or "the tool failed") if status == "error" else None
