"""Traces of MLflow as spans, and what it knows of a trace as a whole.

Version 3 writes spans as OTLP would, with ids in base64; version 2 has a ``context`` and ``0x``
ids. Every value of an attribute is JSON inside a string. ``search_traces`` gives rows that hold the
same trace once as text and once in columns; the text is read, the columns fill in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc_plugins.otel.containers import read_spans
from traceloc_plugins.records import bounded, split_truth
from traceloc_plugins.spans.assembly import About
from traceloc_plugins.spans.collecting import Envelope, Found, TraceFacts
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.values import decoded

_CONTENT = frozenset({"mlflow.spanInputs", "mlflow.spanOutputs"})
_OF_THE_STORE = frozenset(
    {"mlflow.traceInputs", "mlflow.traceOutputs", "mlflow.trace.sizeStats"}
    | {"mlflow.trace.sizeBytes", "mlflow.trace_schema.version", "mlflow.trace.infoFinalized"}
    | {"mlflow.artifactLocation", "mlflow.trace.spansLocation"}
)
"""Facts about the copy in the store, and previews of what the spans say in full."""


def read_trace(document: Any, line: int | None) -> Iterator[Found | Envelope]:
    """Traces of one document: a trace, a row of ``search_traces``, or a list of either."""
    for item in document if isinstance(document, list) else (document,):
        if not isinstance(item, dict):
            continue
        inner = decoded(item.get("trace"))
        whole = inner if isinstance(inner, dict) and "data" in inner else item
        data = decoded(whole.get("data"))
        info = whole.get("info")
        info = dict(info) if isinstance(info, dict) else {}
        if whole is not item or not info:
            columns = ("trace", "spans", "data", "request", "response")
            info = {**{key: item[key] for key in item if key not in columns}, **info}
        spans = data.get("spans") if isinstance(data, dict) else decoded(item.get("spans"))
        trace_id = info.get("trace_id") or info.get("request_id")
        if not isinstance(trace_id, str) or not isinstance(spans, list):
            continue
        yield TraceFacts(trace_id, info)
        if item.get("info"):  # else the columns are the trace's
            yield Envelope({key: item[key] for key in item if key not in ("info", "data", "trace")})
        for found in read_spans([_with_trace(span) for span in spans], line):
            if isinstance(found, RawSpan):
                found.trace_id = trace_id
                _plain(found)
                yield found


def _with_trace(raw: Any) -> Any:
    """A span that also names a trace: version 2 keeps the id in a context of its own."""
    if isinstance(raw, dict) and not raw.get("trace_id"):
        context = raw.get("context")
        if not isinstance(context, dict) or not context.get("trace_id"):
            return {"trace_id": "trace", **raw}
    return raw


def _plain(span: RawSpan) -> None:
    """Take the attributes out of their strings; contents stay, since dialects decode them."""
    for key, value in list(span.attributes.items()):
        if value == "null":
            del span.attributes[key]  # what a function that failed, or has no answer, returned
        elif isinstance(value, str) and key not in _CONTENT:
            span.attributes[key] = bounded(decoded(value))


def about_trace(builder: TraceBuilder, info: dict[str, Any]) -> About:
    """The facts of a trace; assessments and expectations go to the builder's truth."""
    tags = _object(info.get("tags"))
    metadata = _object(info.get("trace_metadata") or info.get("request_metadata"))
    judged = _assess(builder, decoded(info.get("assessments")))
    known: dict[str, Any] = {}
    for key, value in (*info.items(), *tags.items(), *metadata.items()):
        if key not in ("tags", "trace_metadata", "request_metadata", "assessments", "data"):
            if key not in _OF_THE_STORE and value not in (None, "", [], {}):
                known[key] = bounded(value)
    fields = split_truth(known, whole_trace=True)
    if fields.truth:
        builder.truth(**fields.truth)
    return About(
        session_id=_text(metadata.get("mlflow.trace.session")),
        system=_text(tags.get("mlflow.traceName")),
        attributes=fields.attributes,
        judged={**fields.truth, **judged},
    )


def _assess(builder: TraceBuilder, raw: Any) -> dict[str, Any]:
    """Feedback and expectations of people, code and judges, by name for the outcome."""
    listed = [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []
    if listed:
        builder.truth(assessments=bounded(listed))
    judged: dict[str, Any] = {}
    for item in listed:
        name = item.get("assessment_name") or item.get("name")
        if (expected := _value(item.get("expectation"))) is not None:
            builder.truth(expected=bounded(expected))
        elif isinstance(name, str) and (value := _value(item.get("feedback"))) is not None:
            word = name.strip().lower().replace(" ", "_")
            if word == "correctness":
                word, value = "is_correct", {"yes": True, "no": False}.get(str(value), value)
            judged.setdefault(word, value)
    return judged


def _value(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return None
    value = raw.get("value")
    return (
        value if value is not None else decoded(_object(raw.get("serialized_value")).get("value"))
    )


def _object(raw: Any) -> dict[str, Any]:
    value = decoded(raw)
    return value if isinstance(value, dict) else {}


def _text(raw: Any) -> str | None:
    return raw.strip() or None if isinstance(raw, str) else None
