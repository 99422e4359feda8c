"""Calls as spans, and where one trace of Weave is many runs: an evaluation is one each example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded, id_field, split_truth
from traceloc_plugins.spans.collecting import Envelope, Found, TraceFacts
from traceloc_plugins.spans.raw import RawSpan, SpanEvent
from traceloc_plugins.spans.values import decoded, identifier, nanoseconds

_PAGES = ("calls", "data", "results")
_PLACE = frozenset(
    {"id", "trace_id", "parent_id", "started_at", "ended_at", "exception", "op_name", "attributes"}
    | {"summary", "inputs", "deleted_at"}
)
EXAMPLE = "Evaluation.predict_and_score"
_EXPECTED = "ground_truth"
HIDDEN = f"{_EXPECTED}.call"
"""Attributes under which what a run should have done, and what judged it, are put aside."""


def is_call(value: Any) -> bool:
    """Whether a JSON value is a call."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("op_name"), str)
        and isinstance(value.get("trace_id"), str)
        and not value.keys().isdisjoint(("started_at", "inputs", "project_id"))
    )


def calls_in(value: Any) -> list[dict[str, Any]]:
    """The calls of a document: itself, a list, or a page of an interface's answer."""
    if is_call(value):
        return [value]
    if isinstance(value, dict):
        value = next((value[key] for key in _PAGES if isinstance(value.get(key), list)), None)
    return [call for call in value if is_call(call)] if isinstance(value, list) else []


def op_of(call: dict[str, Any]) -> str:
    """The function's name: ``book`` of ``weave:///team/desk/op/book:3327dd…``."""
    name = call["op_name"]
    if name.startswith("weave"):
        name = name.rpartition("/")[2].rpartition(":")[0] or name
    return str(name)


def read_document(value: Any, line: int | None) -> Iterator[Found | Envelope]:
    """The spans of a document, and what it says of whole traces."""
    if isinstance(value, dict) and not is_call(value):
        yield Envelope({key: item for key, item in value.items() if key not in _PAGES})
    for call in calls_in(value):
        span = _span(call, line)
        if span is None:
            continue
        yield span
        if span.parent is None:
            facts = {"op": op_of(call), "thread": id_field(call, "thread_id")}
            yield TraceFacts(span.trace_id, {**facts, "project": word(call.get("project_id"))})


def _span(call: dict[str, Any], line: int | None) -> RawSpan | None:
    id, trace = identifier(call.get("id")), identifier(call["trace_id"])
    if id is None or trace is None:
        return None
    op = op_of(call)
    attributes = {key: bounded(v) for key, v in call.items() if key not in _PLACE and v is not None}
    attributes["op"] = op
    attributes["inputs"] = bounded(call.get("inputs"))
    for key, name in (("attributes", "metadata"), ("summary", "summary")):
        about = call.get(key)
        if isinstance(about, dict):
            about = {field: about[field] for field in about if not field.startswith("_weave")}
            kept, truth = split_truth(about)
            attributes[name] = kept
            attributes |= {f"{_EXPECTED}.{name}": truth} if truth else {}
    error = word(call.get("exception"))
    span = RawSpan(
        trace_id=trace,
        id=id,
        parent=identifier(call.get("parent_id")),
        name=op,
        start=nanoseconds(call.get("started_at")),
        end=nanoseconds(call.get("ended_at")),
        attributes=attributes,
        status="error" if error else "ok" if call.get("ended_at") else "unset",
        message=error or "",
        events=[_raised(error)] if error else [],
        line=line,
    )
    if op.startswith("Evaluation."):
        _hide(span)
    elif span.parent is None:
        _set_expected_apart(span)
    return span


def _set_expected_apart(span: RawSpan) -> None:
    """What a data set says of an example is given to the outermost function with the question."""
    if isinstance(given := span.attributes.get("inputs"), dict):
        span.attributes["inputs"], expected = split_truth(given)
        if expected:
            span.attributes[_EXPECTED] = expected


def _hide(span: RawSpan) -> None:
    """Put what a call was given and gave out of the signals' reach."""
    about = {key: span.attributes.pop(key, None) for key in ("inputs", "output")}
    span.attributes.setdefault(HIDDEN, about)


def hide_judging(spans: list[RawSpan]) -> set[str]:
    """The calls of one run that judge it, with all that they called; their content is put aside.

    A scorer may be any function: what an example's evaluation calls first is the model, and
    whatever it calls then judges the answer.
    """
    children: dict[str | None, list[RawSpan]] = {}
    for span in spans:
        children.setdefault(span.parent, []).append(span)
    waiting = [span for span in spans if _weave(span.attributes).get("kind") == "scorer"]
    for example in spans:
        if example.name == EXAMPLE:
            called = children.get(example.id, [])
            called = sorted(called, key=lambda span: (span.start or 0, span.native))
            for model in called[:1]:
                _set_expected_apart(model)
            waiting += called[1:]
    found: set[str] = set()
    while waiting:
        span = waiting.pop()
        if span.id not in found:
            found.add(span.id)
            _hide(span)
            span.message, span.events = "", []
            waiting.extend(children.get(span.id, ()))
    return found


def _weave(attributes: dict[str, Any]) -> dict[str, Any]:
    """What Weave itself says of the function."""
    metadata = attributes.get("metadata")
    found = metadata.get("weave") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _raised(error: str) -> SpanEvent:
    """An exception: an object with type and message as JSON, or a traceback as older clients."""
    value = decoded(error) if error[:1] == "{" else None
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        about = {"exception.message": value["message"]}
        if kind := word(value.get("type")):
            about["exception.type"] = kind
        return SpanEvent("exception", None, about)
    last = error.strip().rpartition("\n")[2]
    kind, mark, text = last.partition(": ")
    if mark and kind.replace(".", "").isidentifier():
        return SpanEvent("exception", None, {"exception.type": kind, "exception.message": text})
    return SpanEvent("exception", None, {"exception.message": last})


def split_runs(spans: list[RawSpan]) -> list[list[RawSpan]]:
    """The runs of a trace: of an evaluation each example, of anything else the whole."""
    if not any(span.name == EXAMPLE for span in spans):
        return [spans]
    children: dict[str | None, list[RawSpan]] = {}
    for span in spans:
        children.setdefault(span.parent, []).append(span)
    found = []
    for example in spans:
        if example.name != EXAMPLE:
            continue
        waiting, inside = [example], {}
        while waiting:
            span = waiting.pop()
            if span.id not in inside and (span is example or span.name != EXAMPLE):
                inside[span.id] = span
                waiting.extend(children.get(span.id, ()))
        example.parent = None
        found.append(sorted(inside.values(), key=lambda span: span.native))
    return found


def renumber(spans: list[RawSpan]) -> list[RawSpan]:
    """The spans with their positions in this list."""
    for position, span in enumerate(spans):
        span.native = position
    return spans
