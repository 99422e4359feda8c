"""Sessions of ADK as documents, and sets of cases that runs are compared with."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.trace import ToolCall, Trace
from traceloc_plugins.google_adk.events import EventReader, is_event
from traceloc_plugins.records import bounded, id_field, keep_fields, state_end, text_field
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.spelling import snake
from traceloc_plugins.turns import Turns

_VERDICTS = {1: "passed", "1": "passed", "PASSED": "passed", "passed": "passed"}
_VERDICTS |= {2: "failed", "2": "failed", "FAILED": "failed", "failed": "failed"}


def is_session(value: Any) -> bool:
    """Whether a JSON value is a session with its events."""
    if not isinstance(value, dict) or not isinstance(events := value.get("events"), list):
        return False
    if any(map(is_event, events[:20])):
        return True
    return {"appName", "userId"} <= value.keys() or {"app_name", "user_id"} <= value.keys()


def read_session(builder: TraceBuilder, session: dict[str, Any]) -> Trace:
    """A session: its events, its name, what is left of its state."""
    fields = snake(session)
    past = fields.pop("past_events", None)
    events = [*(past if isinstance(past, list) else ()), *fields.pop("events")]
    reader = EventReader(builder, events)
    reader.read()
    state_end(builder)
    id = id_field(fields, "id")
    fields.pop("id", None)
    system = text_field(fields, "app_name")
    fields.pop("app_name", None)
    kept = {key: value for key, value in fields.items() if value not in ({}, [], "", None)}
    return builder.build(
        id=id,
        session_id=id,
        task=reader.turns.first_request,
        system=system,
        attributes=keep_fields(builder, kept),
    )


def read_events(builder: TraceBuilder, events: list[Any]) -> Trace:
    """Events as a runner yields them, without the session around."""
    reader = EventReader(builder, events)
    reader.read()
    state_end(builder)
    if reader.turns.first_request is None:
        builder.note(
            "missing",
            "what the user asked: a runner yields only what agents do; the session holds it, as "
            "session_service.get_session(…) gives it",
        )
    names = {id_field(snake(e), "invocation_id") for e in events if is_event(e)}
    id = names.pop() if len(names) == 1 else None
    return builder.build(id=id, task=reader.turns.first_request)


def is_case(value: Any) -> bool:
    """Whether a JSON value is a case of a set."""
    fields = snake(value)
    return isinstance(fields.get("conversation"), list) and ("eval_id" in fields)


def read_case(builder: TraceBuilder, case: dict[str, Any]) -> Trace:
    """A case: a conversation as it should go, which others are compared with."""
    builder.dialect = "eval set"
    fields = snake(case)
    session = snake(fields.pop("session_input", None))
    system = text_field(session, "app_name")
    turns = Turns(builder)
    for index, invocation in enumerate(fields.pop("conversation")):
        _add_invocation(turns, snake(bounded(invocation)), index, agent=system or "assistant")
    builder.note("note", "a conversation as it should go, with which runs are compared")
    builder.outcome("passed", source="label", detail="a reference conversation")
    id = id_field(fields, "eval_id")
    fields.pop("eval_id", None)
    attributes = keep_fields(builder, {**fields, "session_input": session})
    return builder.build(id=id, task=turns.first_request, system=system, attributes=attributes)


def _add_invocation(turns: Turns, invocation: dict[str, Any], index: int, *, agent: str) -> None:
    common: dict[str, Any] = {
        "native_index": index,
        "timestamp": moment(nanoseconds(invocation.get("creation_timestamp"))),
    }
    turns.introduce(agent, attribution="role" if agent == "assistant" else "explicit")
    if asked := _text(invocation.get("user_content")):
        turns.ask(asked, **common)
    between = snake(invocation.get("intermediate_data"))
    uses = between.get("tool_uses")
    calls = [
        ToolCall(name=name, id=id_field(use, "id"), arguments=use.get("args"))
        for use in (uses if isinstance(uses, list) else ())
        if isinstance(use, dict) and (name := text_field(use, "name"))
    ]
    if calls:
        turns.say(agent, "", calls=calls, **common)
    answers = between.get("tool_responses")
    for answer in answers if isinstance(answers, list) else ():
        if isinstance(answer, dict):
            value = answer.get("response")
            id, name = id_field(answer, "id"), text_field(answer, "name")
            turns.answer(result_text(value), call_id=id, tool=name, value=value, **common)
    said = between.get("intermediate_responses")
    for item in said if isinstance(said, list) else ():
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
            if text := _text({"parts": item[1]}):
                turns.say(item[0] or agent, text, **common)
    events = between.get("invocation_events")
    for item in events if isinstance(events, list) else ():
        event = snake(item)
        if text := _text(event.get("content")):
            turns.say(text_field(event, "author") or agent, text, **common)
    if text := _text(invocation.get("final_response")):
        turns.say(agent, text, **common)


def _text(content: Any) -> str:
    parts = content.get("parts") if isinstance(content, dict) else None
    listed = parts if isinstance(parts, list) else []
    words = (part.get("text") for part in listed if isinstance(part, dict))
    return "\n".join(word for word in words if isinstance(word, str))


def is_case_result(value: Any) -> bool:
    """Whether a JSON value is the result of a case."""
    fields = snake(value)
    return "final_eval_status" in fields and ("eval_id" in fields or "session_details" in fields)


def read_case_result(builder: TraceBuilder, result: dict[str, Any]) -> Trace:
    """The run of a case: its session, and what the metrics say of it."""
    builder.dialect = "eval result"
    fields = snake(result)
    details = fields.pop("session_details", None)
    verdict = _VERDICTS.get(fields.pop("final_eval_status", None), "unknown")
    kept: dict[str, Any] = {}
    metrics = ("eval_metric_results", "overall_eval_metric_results")
    for key in (*metrics, "eval_metric_result_per_invocation"):
        if value := bounded(fields.pop(key, None)):
            kept[key] = value
    turns = None
    if is_session(details):
        trace = read_session(builder, details)
        builder.truth(**kept)
        if verdict != "unknown":
            builder.outcome(verdict, source="grader")
        return builder.build(
            id=trace.id,
            session_id=trace.session_id,
            task=trace.task,
            system=trace.system,
            attributes=trace.attributes,
        )
    turns = Turns(builder)
    invocations = kept.get("eval_metric_result_per_invocation")
    for index, item in enumerate(invocations if isinstance(invocations, list) else ()):
        actual = snake(snake(item).get("actual_invocation"))
        _add_invocation(turns, actual, index, agent="assistant")
    builder.truth(**kept)
    builder.outcome(verdict, source="grader" if verdict != "unknown" else "none")
    attributes = keep_fields(builder, fields)
    return builder.build(task=turns.first_request, attributes=attributes)
