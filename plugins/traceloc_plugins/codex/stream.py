"""The events of ``codex exec --json``: items that start, change and complete, without times."""

from __future__ import annotations

from typing import Any

from traceloc.loading import Source, TraceBuilder, declared_error, exit_error, text_of
from traceloc.loading.builder import lean
from traceloc.trace import StepError, ToolCall, Trace
from traceloc_plugins.facts import usage_from, word
from traceloc_plugins.records import bounded, integer, keep_rest
from traceloc_plugins.turns import Turns

MAIN = "codex"
_EVENTS = ("thread.started", "turn.started", "turn.completed", "turn.failed")
_OF_AN_EVENT = frozenset(("type", "thread_id", "item", "usage", "error", "message"))
_ITEM_EVENTS = ("item.started", "item.updated", "item.completed")
_TOOLS = {
    "command_execution": ("shell", ("command",)),
    "file_change": ("apply_patch", ("changes",)),
    "web_search": ("web_search", ("query", "action")),
    "todo_list": ("update_plan", ("items",)),
}
"""Name of the tool behind an item, and the fields that were its arguments."""
_OF_AN_ITEM = frozenset(
    ("id", "type", "item_type", "status", "exit_code", "error", "result", "aggregated_output")
)
"""Fields of an item that are no arguments of its call."""
_USAGE = {
    "input_tokens": "input",
    "cached_input_tokens": "cache_read",
    "output_tokens": "output",
    "reasoning_output_tokens": "reasoning",
}


def is_stream_line(record: Any) -> bool:
    """Whether a line is an event of the stream."""
    if not isinstance(record, dict):
        return False
    kind = record.get("type")
    if kind in _ITEM_EVENTS:
        item = record.get("item")
        return isinstance(item, dict) and "id" in item
    return kind == "thread.started" and "thread_id" in record


def write_stream(source: Source) -> Trace:
    """The trace of one stream."""
    return _Writer(source).write()


class _Writer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.builder = TraceBuilder(format="codex", source=source.path, dialect="exec")
        self.turns = Turns(self.builder)
        self.turns.introduce(MAIN, attribution="role")
        self._thread: str | None = None
        self._thoughts: list[str] = []
        self._said: int | None = None
        self._started: dict[str, int] = {}
        self._running = False

    def write(self) -> Trace:
        place = 0
        for value, number in self.source.documents():
            inner = value.get("events") if isinstance(value, dict) else None
            if isinstance(value, dict) and isinstance(inner, list):
                keep_rest(self.builder, value, {"events"}, place="document", whole_trace=True)
            inner = value if isinstance(value, list) else inner
            for event in inner if isinstance(inner, list) else [value]:
                native = number - 1 if number and self.source.is_json_lines() else place
                place += 1
                self._try(event, {"native_index": native, "line": number})
        if self._thoughts:
            self.turns.say(MAIN, "", reasoning="\n".join(self._thoughts), native_index=place - 1)
        if self._running:
            self.builder.note(
                "missing",
                "the stream breaks off inside a turn; the rollout in ~/.codex/sessions may go on",
            )
        if not self.builder.steps:
            self.turns.tell("", native_index=0)
        self.builder.note(
            "missing",
            "the stream does not hold what was asked for; the rollout below ~/.codex/sessions does",
        )
        return self.builder.build(id=self._thread, session_id=self._thread)

    def _try(self, event: Any, place: dict[str, Any]) -> None:
        if not isinstance(event, dict):
            self.builder.note("skipped", "lines that are no event")
            return
        try:
            self._event(event, place)
        except (ValueError, RecursionError):
            self.builder.note("skipped", "lines that cannot be represented")

    def _event(self, event: dict[str, Any], place: dict[str, Any]) -> None:
        keep_rest(self.builder, event, _OF_AN_EVENT, place=f"events[{place['native_index']}]")
        kind, item = event.get("type"), event.get("item")
        if kind == "thread.started":
            self._thread = self._thread or word(event.get("thread_id"))
        elif kind == "turn.started":
            self._running = True
        elif kind == "turn.completed":
            self._running = False
            self._count(event)
        elif kind in ("turn.failed", "error"):
            self._running = False
            self._fail(event, place)
        elif kind in _ITEM_EVENTS and isinstance(item, dict):
            self._item(item, place, done=kind == "item.completed")
        else:
            self.builder.note("note", f"lines of type {str(kind)[:64]!r} are no steps")

    def _count(self, event: dict[str, Any]) -> None:
        """Usage is told once a turn, so it stands at the turn's last step that a model wrote."""
        usage = usage_from(event.get("usage"), _USAGE)
        if usage is not None and self._said is not None:
            step = self.builder.steps[self._said]
            self.builder.steps[self._said] = lean(step.model_copy(update={"usage": usage}))
            self.builder.note("note", "usage is told for whole turns")
        self._said = None

    def _fail(self, event: dict[str, Any], place: dict[str, Any]) -> None:
        error = event.get("error", event)
        text = text_of(bounded(error.get("message") if isinstance(error, dict) else error))
        self.turns.tell(
            text, error=declared_error(text or "the turn failed", kind="model"), **place
        )
        self.builder.outcome("failed", source="error", detail=text[:500] or None)

    def _item(self, item: dict[str, Any], place: dict[str, Any], *, done: bool) -> None:
        kind = word(item.get("type")) or word(item.get("item_type")) or "unknown"
        if kind in ("agent_message", "assistant_message"):
            if done:
                self._say(text_of(bounded(item.get("text"))), place)
        elif kind == "reasoning":
            if done and (thought := text_of(bounded(item.get("text")))):
                self._thoughts.append(thought)
        elif kind == "error":
            if done:
                text = text_of(bounded(item.get("message")))
                error = declared_error(text or "error", kind="model")
                self.turns.tell(text, error=error, **place)
        else:
            self._tool(kind, item, place, done=done)

    def _tool(self, kind: str, item: dict[str, Any], place: dict[str, Any], *, done: bool) -> None:
        id = word(item.get("id")) or f"item {place['native_index']}"
        if id not in self._started:
            self._started[id] = self._say("", place, calls=[_call(kind, id, item)], to=_to(item))
        if not done:
            return
        text = _output(item)
        error = _error(item, text)
        if kind == "todo_list" and error is None and not text:
            return  # a plan is written down, and nothing comes back
        facts = {key: item[key] for key in ("exit_code", "status") if item.get(key) is not None}
        self.turns.answer(
            text,
            call_id=id,
            error=error,
            exit_code=integer(item.get("exit_code")),
            attributes=bounded(facts) or None,
            **place,
        )

    def _say(self, text: str, place: dict[str, Any], **fields: Any) -> int:
        thoughts, self._thoughts = "\n".join(self._thoughts), []
        self._said = self.turns.say(MAIN, text, reasoning=thoughts, **fields, **place)
        return self._said


def _call(kind: str, id: str, item: dict[str, Any]) -> ToolCall:
    if kind == "mcp_tool_call":
        server, tool = word(item.get("server")), word(item.get("tool")) or "unknown"
        name = f"{server}.{tool}" if server else tool
        return ToolCall(name=name, id=id, arguments=bounded(item.get("arguments")))
    if kind == "collab_tool_call":
        keys: tuple[str, ...] = ("prompt", "receiver_thread_ids")
        name = word(item.get("tool")) or kind
    elif kind in _TOOLS:
        name, keys = _TOOLS[kind]
    else:  # a kind of a later version: all that it says
        name, keys = kind, tuple(key for key in item if key not in _OF_AN_ITEM)
    given = {key: item[key] for key in keys if item.get(key) is not None}
    return ToolCall(name=name, id=id, arguments=bounded(given))


def _to(item: dict[str, Any]) -> tuple[str, ...]:
    """Agents that a collaboration call addresses, by the end of their thread's id."""
    threads = item.get("receiver_thread_ids")
    if item.get("type") != "collab_tool_call" or not isinstance(threads, list):
        return ()
    return tuple(f"agent-{id[-8:]}" for id in threads if word(id))


def _output(item: dict[str, Any]) -> str:
    if "aggregated_output" in item:
        return text_of(bounded(item["aggregated_output"]))
    result = item.get("result")
    if isinstance(result, dict) and "content" in result:
        result = result["content"]
    return text_of(bounded(result))


def _error(item: dict[str, Any], text: str) -> StepError | None:
    error = item.get("error")
    if error:
        told = error.get("message") if isinstance(error, dict) else error
        return declared_error(text_of(bounded(told)) or "the tool failed")
    if found := exit_error(integer(item.get("exit_code"))):
        return found
    if item.get("status") == "declined":
        return StepError(kind="user_rejection", message="declined")
    if item.get("status") == "failed":
        return declared_error(text[:500] or "failed")
    return None
