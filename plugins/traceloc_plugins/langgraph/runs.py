"""Runs of LangSmith as spans: flat lists, nested trees, one a line, and the parts of an upload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from traceloc.loading import Source
from traceloc_plugins.facts import word
from traceloc_plugins.langgraph.messages import unescaped
from traceloc_plugins.records import bounded, id_field, split_truth
from traceloc_plugins.spans.collecting import Envelope, Found, TraceFacts
from traceloc_plugins.spans.raw import RawSpan, SpanEvent
from traceloc_plugins.spans.values import identifier, nanoseconds

RUN_TYPES = frozenset(
    {"chain", "llm", "tool", "retriever", "prompt", "parser", "embedding", "chat_model", "agent"}
)
_PAGES = ("runs", "data", "items", "results")
_OF_A_PART = frozenset(("part", "data", "headers", "content_type", "filename"))
_PART = re.compile(r"(?:post|patch)\.([0-9a-fA-F-]{32,36})(?:\.(\w+))?")
_RAISED = re.compile(
    r"(?P<type>(?:\w+\.)*\w+)\((?P<text>.*?)\)?(?:Traceback \(most recent call last\)|\Z)",
    re.DOTALL,
)
_PLACE = frozenset(
    {"id", "trace_id", "parent_run_id", "parent_run_ids", "dotted_order", "child_runs", "name"}
    | {"child_run_ids", "direct_child_run_ids", "start_time", "end_time", "error", "extra"}
)
"""What the span itself says, or that repeats it."""
_ERROR_LENGTH = 200_000


def is_run(value: Any) -> bool:
    """Whether a JSON value is a run."""
    return (
        isinstance(value, dict)
        and word(value.get("run_type")) in RUN_TYPES
        and not value.keys().isdisjoint(("trace_id", "dotted_order", "inputs", "start_time"))
    )


def is_part(value: Any) -> bool:
    """Whether a JSON value is a part of an upload."""
    part = value.get("part") if isinstance(value, dict) else None
    return isinstance(part, str) and "data" in value and _PART.fullmatch(part) is not None


def runs_in(value: Any) -> list[dict[str, Any]]:
    """The runs of a document: itself, a list, or a page of an interface's answer."""
    if is_run(value):
        return [value]
    if isinstance(value, dict):
        for key in _PAGES:
            if isinstance(inner := value.get(key), list):
                return [run for run in inner if is_run(run)]
    return [run for run in value if is_run(run)] if isinstance(value, list) else []


def put_together(source: Source) -> Iterator[tuple[Any, int | None]]:
    """Documents with their lines; the parts of an upload as whole runs, when all are there."""
    runs: dict[str, dict[str, Any]] = {}
    lines: dict[str, int | None] = {}
    for value, line in source.documents():
        if not is_part(value):
            yield value, line
            continue
        part = _PART.fullmatch(value["part"])
        if part is None:
            continue
        run = runs.setdefault(part[1], {"id": part[1]})
        lines.setdefault(part[1], line)
        data = value["data"]
        for key in value.keys() - _OF_A_PART:
            run.setdefault(key, value[key])
        if part[2]:
            run[part[2]] = data
        elif isinstance(data, dict):
            # A patch says again what the post said, and adds the end.
            run.update({key: item for key, item in data.items() if item is not None})
    for run in runs.values():
        yield run, None


def read_document(value: Any, line: int | None) -> Iterator[Found | Envelope]:
    """The spans of a document, parents before children, and what it says of the whole traces."""
    stack: list[tuple[dict[str, Any], RawSpan | None]]
    stack = [(run, None) for run in reversed(runs_in(value))]
    while stack:
        run, above = stack.pop()
        span = _span(run, above, line)
        if span is None:
            continue
        yield span
        if span.parent is None:
            yield TraceFacts(span.trace_id, _facts(run))
        children = run.get("child_runs")
        if isinstance(children, list):
            stack.extend((child, span) for child in reversed(children) if is_run(child))
    if isinstance(value, dict) and not is_run(value):
        yield Envelope({key: item for key, item in value.items() if key not in _PAGES})


def _span(run: dict[str, Any], above: RawSpan | None, line: int | None) -> RawSpan | None:
    name = identifier(run.get("id")) or identifier(run.get("run_id"))
    order = word(run.get("dotted_order"))
    places = [part[-36:] for part in order[:100_000].split(".")] if order else []
    if name is None and places:
        name = places[-1]
    if name is None:
        return None
    parent = identifier(run.get("parent_run_id"))
    if parent is None and above is not None:
        parent = above.id
    if parent is None and len(places) > 1:
        parent = places[-2]
    trace = identifier(run.get("trace_id")) or (places[0] if places else None)
    if trace is None:
        trace = above.trace_id if above is not None else name
    error = word(run.get("error"))
    about = {key: item for key, item in run.items() if key not in _PLACE and item is not None}
    attributes = {key: unescaped(bounded(item)) for key, item in about.items()}
    if isinstance(attributes.get("events"), list):
        events = split_truth({"events": attributes["events"]})
        attributes |= events.attributes
        if events.truth:
            attributes["feedback.events"] = events.truth
    extra = unescaped(bounded(run.get("extra")))
    if isinstance(extra, dict):
        # What users add stands where every reader looks for it.
        attributes |= {key: value for key, value in extra.items() if key != "runtime"}
    return RawSpan(
        trace_id=trace,
        id=name,
        parent=parent,
        name=word(run.get("name")) or "run",
        start=nanoseconds(run.get("start_time")),
        end=nanoseconds(run.get("end_time")),
        attributes=attributes,
        status="error" if error else "ok" if run.get("end_time") else "unset",
        message=error or "",
        events=[raised(error)] if error else [],
        line=line,
    )


def raised(error: str) -> SpanEvent:
    """An exception as LangChain writes it: its ``repr`` with the traceback run on to it."""
    about = {"exception.message": error[:_ERROR_LENGTH]}
    match = _RAISED.match(error[:_ERROR_LENGTH])
    if match:
        text = match["text"]
        if text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1:
            text = text[1:-1]
        about = {"exception.type": match["type"], "exception.message": text}
        if "Traceback (most" in error:
            about["exception.stacktrace"] = error[match.end("text") + 1 :][:_ERROR_LENGTH]
    return SpanEvent("exception", None, about)


def _facts(run: dict[str, Any]) -> dict[str, Any]:
    """What the outermost run says of the trace."""
    extra = run.get("extra")
    metadata = extra.get("metadata") if isinstance(extra, dict) else None
    metadata = metadata if isinstance(metadata, dict) else {}
    return {
        "name": word(run.get("name")),
        "project": word(run.get("session_name")),
        "thread": id_field(metadata, "thread_id", "session_id", "conversation_id"),
        "feedback": bounded(run.get("feedback_stats")),
    }
