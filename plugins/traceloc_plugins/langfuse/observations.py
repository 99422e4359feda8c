"""Observations as spans.

Langfuse moves some attributes of an OpenTelemetry span into fields of its own (input, output,
model, usage) and keeps the others under ``metadata.attributes``. Here both become attributes again,
named as Langfuse's SDK names them when it sends spans: one reading serves exports and OTLP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from traceloc_plugins.records import bounded
from traceloc_plugins.spans.collecting import Envelope, Found, TraceFacts
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.values import decoded, nanoseconds

PREFIX = "langfuse.observation."
TYPES = frozenset(
    {"SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR"}
    | {"EMBEDDING", "GUARDRAIL"}
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PLACED = frozenset(
    {"id", "traceId", "parentObservationId", "type", "name", "startTime", "endTime", "input"}
    | {"output", "metadata", "model", "level", "statusMessage", "usageDetails", "costDetails"}
    | {"modelParameters", "observations"}
)
_SNAKE = {_CAMEL.sub("_", key).lower(): key for key in _PLACED}
_BESIDE = ("attributes", "resourceAttributes", "scope")
"""What Langfuse keeps of an OpenTelemetry span in an observation's metadata."""


def is_observation(raw: Any) -> bool:
    """Whether a JSON value is one observation."""
    if not isinstance(raw, dict):
        return False
    row = _camel(raw)
    return (
        str(row.get("type", "")).upper() in TYPES
        and {"id", "traceId", "startTime"} <= row.keys()
        and ("parentObservationId" in row or "level" in row)
    )


def read_export(document: Any, line: int | None) -> Iterator[Found | Envelope]:
    """Traces and observations of one document, in file order."""
    for item in document if isinstance(document, list) else (document,):
        if not isinstance(item, dict):
            continue
        observations = item.get("observations")
        if isinstance(observations, list):
            trace = item.get("trace")
            about = trace if isinstance(trace, dict) else item
            yield from _read_trace(about, observations, line)
            if about is not item:
                yield _around(item, "trace", "observations")
        elif is_observation(item):
            if (span := _span(item, None, line)) is not None:
                yield span
        elif isinstance(rows := item.get("data"), list):
            yield from read_export([row for row in rows if isinstance(row, dict)], line)
            yield _around(item, "data", "meta")


def _around(item: dict[str, Any], *read: str) -> Envelope:
    return Envelope({key: value for key, value in item.items() if key not in read})


def _read_trace(about: dict[str, Any], rows: list[Any], line: int | None) -> Iterator[Found]:
    trace_id = _id(about.get("id"))
    if trace_id is None:
        first = next((row for row in rows if isinstance(row, dict)), {})
        trace_id = _id(_camel(first).get("traceId"))
    if trace_id is None:
        return
    facts = {key: value for key, value in about.items() if key != "observations"}
    yield TraceFacts(trace_id, facts)
    for row in rows:
        if isinstance(row, dict) and (span := _span(row, trace_id, line)) is not None:
            yield span


def _span(raw: dict[str, Any], trace_id: str | None, line: int | None) -> RawSpan | None:
    row = _camel(raw)
    span_id, trace_id = _id(row.get("id")), trace_id or _id(row.get("traceId"))
    if span_id is None or trace_id is None:
        return None
    metadata = decoded(row.get("metadata"))
    metadata = dict(metadata) if isinstance(metadata, dict) else {"value": metadata}
    attributes, resource, scope = (decoded(metadata.pop(key, None)) for key in _BESIDE)
    failed: Literal["error", "unset"] = "error" if row.get("level") == "ERROR" else "unset"
    return RawSpan(
        trace_id=trace_id,
        id=span_id,
        parent=_id(row.get("parentObservationId")),
        name=str(row.get("name") or ""),
        start=nanoseconds(row.get("startTime")),
        end=nanoseconds(row.get("endTime")),
        attributes={
            **(bounded(attributes) if isinstance(attributes, dict) else {}),
            **({"metadata": bounded(metadata)} if any(metadata.values()) else {}),
            **_own(row),
        },
        status=failed,
        message=str(row.get("statusMessage") or ""),
        scope=str(scope.get("name") or "") if isinstance(scope, dict) else "",
        resource=resource if isinstance(resource, dict) else {},
        line=line,
    )


def _own(row: dict[str, Any]) -> dict[str, Any]:
    """Langfuse's own fields as attributes, the empty ones left out."""
    money = row.get("costDetails") or {
        "total": row.get("calculatedTotalCost", row.get("totalCost"))
    }
    found = {
        "type": str(row.get("type") or "SPAN").upper(),
        "input": _undefined(row.get("input")),
        "output": _undefined(row.get("output")),
        "level": row.get("level") if row.get("level") != "DEFAULT" else None,
        "status_message": row.get("statusMessage"),
        "model.name": row.get("model"),
        "model.parameters": row.get("modelParameters"),
        "usage_details": _usage(row),
        "cost_details": money if isinstance(money, dict) and any(money.values()) else None,
        **{key: bounded(value) for key, value in row.items() if key not in _PLACED},
    }
    return {
        f"{PREFIX}{key}": value
        for key, value in found.items()
        if value is not None and value != {} and value != [] and value != ""
    }


def _usage(row: dict[str, Any]) -> dict[str, Any] | None:
    """Counts of today, else those of earlier versions."""
    if isinstance(found := row.get("usageDetails"), dict) and found:
        return found
    if isinstance(found := row.get("usage"), dict) and found:
        return found
    counts = {"input": row.get("inputUsage"), "output": row.get("outputUsage")}
    return counts if any(counts.values()) else None


def trace_as_span(trace_id: str, facts: dict[str, Any]) -> RawSpan:
    """The trace itself, for want of observations: its input and its answer."""
    start = nanoseconds(facts.get("timestamp"))
    return RawSpan(
        trace_id=trace_id,
        id=trace_id,
        parent=None,
        name=str(facts.get("name") or ""),
        start=start,
        end=start,
        attributes={
            f"{PREFIX}type": "AGENT",
            f"{PREFIX}input": facts.get("input"),
            f"{PREFIX}output": facts.get("output"),
        },
    )


def _undefined(value: Any) -> Any:
    """What an exporter of JavaScript writes for nothing is nothing."""
    return None if value in ("null", "undefined") else value


def _camel(raw: dict[str, Any]) -> dict[str, Any]:
    """The row with the API's own spelling of keys; exports to files write snake case."""
    if "traceId" in raw or "trace_id" not in raw:
        return raw
    return {_SNAKE.get(key, key): value for key, value in raw.items()}


def _id(raw: Any) -> str | None:
    return raw.strip() or None if isinstance(raw, str) else None
