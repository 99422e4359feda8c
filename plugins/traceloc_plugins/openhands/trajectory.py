"""Trajectories of OpenHands V0: a list of events, an action and an observation for each deed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from traceloc.loading import (
    Source,
    TraceBuilder,
    declared_error,
    exit_error,
    parse_arguments,
    text_of,
)
from traceloc.trace import StepError, ToolCall, Trace
from traceloc_plugins.facts import moment, usage_from, word
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.openhands.steps import Writer, hand_over
from traceloc_plugins.records import bounded, drain, id_field, integer, keep_fields, split_truth

_SOURCES = frozenset({"user", "agent", "environment"})
_USAGE = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
}
_WORDS = ("final_thought", "thought", "content", "message")
_GO_ON = "Please continue working on the task on whatever approach you think is suitable."
"""How the evaluation harness answers an agent that asks, in the user's place."""
_QUIET = frozenset({"null", "agent_state_changed", "recall", "agent_think"})
"""Observations that say nothing an agent could have got wrong."""
_FAILED_STATES = frozenset({"error", "stopped", "rejected"})


def is_v0_event(record: Any, *, bare: bool = False) -> bool:
    """Whether a record is an event; the oldest ones have no id."""
    if not isinstance(record, dict):
        return False
    if not bare and not (word(record.get("source")) in _SOURCES and "timestamp" in record):
        return False
    acts = word(record.get("action")) is not None and isinstance(record.get("args"), dict)
    sees = word(record.get("observation")) is not None and (
        isinstance(record.get("extras"), dict) or (bare and "content" in record)
    )
    return acts or sees


def history_of(record: dict[str, Any]) -> list[Any] | None:
    """The events of a record that holds them, in order."""
    for key in ("history", "trajectory"):
        history = record.get(key)
        if isinstance(history, list) and history:
            return _flat(history)
    return None


def _flat(history: list[Any]) -> list[Any]:
    """Older histories are a list of pairs, an action and its observation."""
    if not any(isinstance(item, list) for item in history[:3]):
        return history
    return [event for item in history for event in (item if isinstance(item, list) else [item])]


def read_trajectories(sources: Sequence[Source]) -> Iterator[Trace]:
    """A trace for each list of events."""
    for source in sources:
        loose: list[Any] = []
        for value, line in source.documents():
            if isinstance(value, dict) and (history := history_of(value)) is not None:
                yield _read(source, history, value)
            elif is_v0_event(value):
                loose.append(value)
            elif isinstance(value, list) and value:
                yield _read(source, _flat(value), {})
            else:
                source.report("record holds no events", code="TL120", line=line)
        if loose:
            yield _read(source, loose, {})


def _read(source: Source, events: list[Any], row: dict[str, Any]) -> Trace:
    builder = TraceBuilder(format="openhands", source=source.path, dialect="v0")
    reader = _Reader(builder)
    for native, event in drain(events):
        reader.add(event, native)
    reader.end()
    facts = {key: value for key, value in row.items() if key not in ("history", "trajectory")}
    test = facts.pop("test_result", None)
    if test:
        builder.truth(test_result=bounded(test))
    attributes = keep_fields(builder, facts)
    if error := word(row.get("error")):
        builder.outcome("failed", source="error", detail=error[:500])
    report = test.get("report") if isinstance(test, dict) else None
    resolved = report.get("resolved") if isinstance(report, dict) else None
    if isinstance(resolved, bool):
        builder.outcome("passed" if resolved else "failed", source="grader")
    return builder.build(
        id=id_field(row, "instance_id"),
        task=reader.writer.turns.first_request,
        attributes=attributes,
    )


class _Reader:
    def __init__(self, builder: TraceBuilder) -> None:
        self.builder = builder
        self.writer = Writer(builder)
        self._calls: dict[str, str] = {}
        self._last: str | None = None
        self._bosses: list[tuple[str, str]] = []
        self._skipped: Counter[str] = Counter()
        self._counted: set[str] = set()

    def add(self, event: Any, native: int) -> None:
        """Add an event."""
        if not isinstance(event, dict):
            self.builder.note("skipped", "items that are no event")
            return
        try:
            if word(event.get("action")):
                self._action(event, native)
            elif word(event.get("observation")):
                self._observation(event, native)
            else:
                self._skipped["unknown"] += 1
        except (ValueError, RecursionError):
            self.builder.note("skipped", "events that cannot be represented")

    def end(self) -> None:
        """Say what was left out."""
        for kind, count in sorted(self._skipped.items()):
            self.builder.note("note", f"{count} events of type {kind!r} are no steps")

    def _action(self, event: dict[str, Any], native: int) -> None:
        kind, source = event["action"], event.get("source")
        args = event.get("args")
        args = bounded(args) if isinstance(args, dict) else {}
        place = _place(event, native, used=("args", "action", "message"))
        id = id_field(event, "id")
        if kind == "system":
            if version := word(args.get("agent_class")):
                self.writer.agent = version
            add_tools(self.builder, args.get("tools"))
            self.writer.instruct(text_of(args.get("content")), event=id, **place)
        elif kind == "message" and source == "user":
            text = text_of(args.get("content"))
            if text.startswith(_GO_ON):
                place |= {"kind": "event", "flags": ("synthetic",)}
            self.writer.ask(text, event=id, **place)
        elif kind == "condensation":
            gone = args.get("forgotten_event_ids")
            self.writer.condense(
                text_of(args.get("summary")),
                forgotten=map(str, gone) if isinstance(gone, list) else _between(args),
                event=id,
                **place,
            )
        elif source == "environment" or kind in ("change_agent_state", "recall"):
            self._skipped[str(kind)[:64]] += 1
        else:
            self._act(event, kind, args, id, native, place)

    def _act(
        self,
        event: dict[str, Any],
        kind: str,
        args: dict[str, Any],
        id: str | None,
        native: int,
        place: dict[str, Any],
    ) -> None:
        made = event.get("tool_call_metadata")
        made = made if isinstance(made, dict) else {}
        response = made.get("model_response")
        response = response if isinstance(response, dict) else {}
        call: ToolCall | None = None
        if kind != "message" and not (kind in ("think", "finish") and not made):
            call = _call(kind, args, made, response, id if id is not None else f"event {native}")
            self._last = call.id
            if id is not None and call.id:
                self._calls[id] = call.id
        keys = ("thought",) if call is not None and kind != "finish" else _WORDS
        text = next((text for key in keys if (text := text_of(args.get(key)))), "")
        if kind == "finish" and not text and args.get("outputs"):
            text = text_of(args["outputs"])
        usage, response_id = None, word(response.get("id"))
        if response_id and response_id not in self._counted:
            self._counted.add(response_id)
            usage = usage_from(response.get("usage"), _USAGE)
        step = self.writer.act(
            call,
            "" if kind == "think" and call is None else text,
            event=id,
            response=response_id,
            reasoning=text if kind == "think" and call is None else _reasoning(response),
            model=word(response.get("model")),
            usage=usage,
            **place,
        )
        if kind == "delegate" and (helper := word(args.get("agent"))):
            hand_over(self.writer, step, [helper])
            self._bosses.append((self.writer.agent, id or ""))
            self.writer.agent = helper

    def _observation(self, event: dict[str, Any], native: int) -> None:
        kind = event["observation"]
        cause = id_field(event, "cause")
        if kind == "delegate" and self._bosses:
            self.writer.agent = self._bosses.pop()[0]
        made = event.get("tool_call_metadata")
        call_id = word(made.get("tool_call_id")) if isinstance(made, dict) else None
        if not self.writer.is_open(call_id):
            call_id = self._calls.get(cause or "")
        if "id" not in event and "cause" not in event:
            call_id = self._last  # of a pair, in which nothing has an id
        extras = event.get("extras")
        extras = bounded(extras) if isinstance(extras, dict) else {}
        text = text_of(bounded(event.get("content")))
        if kind == "agent_state_changed" and word(extras.get("agent_state")) in _FAILED_STATES:
            self._failed(extras, event, native)
            return
        if kind in _QUIET and not self.writer.is_open(call_id):
            self._skipped[str(kind)[:64]] += 1
            return
        if kind == "delegate" and not text:
            text = text_of(extras.get("outputs"))
        self.writer.answer(
            text,
            event=id_field(event, "id"),
            call_id=call_id,
            error=_error(event, kind, extras, text),
            exit_code=_exit_code(extras),
            **_place(event, native, used=("observation", "content", "message")),
        )

    def _failed(self, extras: dict[str, Any], event: dict[str, Any], native: int) -> None:
        state = str(extras["agent_state"])
        reason = text_of(extras.get("reason")) or state
        error = declared_error(reason, kind=None) if state == "error" else None
        if error is not None:
            self.builder.outcome("failed", source="error", detail=reason[:500])
        place = _place(event, native, used=("observation", "content", "message", "extras"))
        self.writer.tell(reason, error=error, **place)


def _call(
    kind: str, args: dict[str, Any], made: dict[str, Any], response: dict[str, Any], id: str
) -> ToolCall:
    """The call as the model made it; else the action it became."""
    call_id = word(made.get("tool_call_id"))
    choices = response.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        for call in calls if isinstance(calls, list) else ():
            body = call.get("function") if isinstance(call, dict) else None
            if call_id and isinstance(body, dict) and call.get("id") == call_id:
                name = word(body.get("name")) or kind
                arguments = bounded(parse_arguments(body.get("arguments")))
                return ToolCall(name=name, id=call_id, arguments=arguments)
    given = {key: value for key, value in args.items() if key != "thought"}
    return ToolCall(name=word(made.get("function_name")) or kind, id=call_id or id, arguments=given)


def _reasoning(response: dict[str, Any]) -> str | None:
    choices = response.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return word(message.get("reasoning_content")) if isinstance(message, dict) else None


def _error(event: dict[str, Any], kind: str, extras: dict[str, Any], text: str) -> StepError | None:
    if kind == "error":
        return declared_error(text or "error", type=word(extras.get("error_id")))
    if kind == "user_rejected":
        return StepError(kind="user_rejection", message=text or "rejected")
    code = _exit_code(extras)
    if error := exit_error(code):
        # -1 is what the runtime gives where a command still runs after its time.
        return error.model_copy(update={"kind": "timeout"}) if code == -1 else error
    if kind.startswith("browse") and extras.get("error") is True:
        told = text_of(extras.get("last_browser_action_error")) or text
        return declared_error(told or "the browser's action failed")
    if event.get("success") is False:
        return StepError(kind="tool", message=text[:500] or "success: false", declared=False)
    return None


def _exit_code(extras: dict[str, Any]) -> int | None:
    metadata = extras.get("metadata")
    return integer((metadata if isinstance(metadata, dict) else extras).get("exit_code"))


def _between(args: dict[str, Any]) -> Iterator[str]:
    """Ids of a range of forgotten events."""
    first, last = args.get("forgotten_events_start_id"), args.get("forgotten_events_end_id")
    if isinstance(first, int) and isinstance(last, int) and 0 <= last - first < 100_000:
        yield from map(str, range(first, last + 1))


def _place(event: dict[str, Any], native: int, *, used: tuple[str, ...]) -> dict[str, Any]:
    known = {*used, "id", "timestamp", "source", "cause", "tool_call_metadata", "llm_metrics"}
    others = {key: value for key, value in event.items() if key not in known}
    return {
        "native_index": native,
        "timestamp": moment(event.get("timestamp")),
        "attributes": split_truth(others).attributes or None,
    }
