"""Traces as the stores give them back: the same steps as from OTLP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceloc import Step, load


def steps(path: Path) -> dict[str, list[Step]]:
    """Steps by trace, without what a store cannot keep: the line, and nanoseconds."""
    lost = {"line": None, "timestamp": None}
    return {
        trace.id: [step.model_copy(update=lost) for step in trace.steps]
        for trace in load(path, strict=True)
    }


def plain(value: dict[str, Any]) -> Any:
    (kind, inner), *_ = value.items()
    if kind == "arrayValue":
        return json.dumps([plain(item) for item in inner.get("values", [])])
    if kind == "kvlistValue":
        return json.dumps({pair["key"]: plain(pair["value"]) for pair in inner.get("values", [])})
    return int(inner) if kind == "intValue" else inner


def tags(pairs: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    found = {pair["key"]: plain(pair["value"]) for pair in pairs if pair.get("value")} | more
    return [{"key": key, "type": "string", "value": value} for key, value in found.items()]


def as_jaeger(groups: list[dict]) -> dict[str, Any]:
    traces: dict[str, dict[str, Any]] = {}
    for group in groups:
        resource = tags(group["resource"]["attributes"])
        service = next((tag["value"] for tag in resource if tag["key"] == "service.name"), "")
        for scoped in group["scopeSpans"]:
            for raw in scoped["spans"]:
                trace_id, status = raw["traceId"], raw.get("status", {})
                trace = traces.setdefault(trace_id, {"traceID": trace_id, "spans": []})
                trace["processes"] = {"p1": {"serviceName": service, "tags": resource}}
                more: dict[str, Any] = {"otel.scope.name": scoped["scope"]["name"]}
                if status.get("code") == 2:
                    more |= {"error": True, "otel.status_description": status.get("message", "")}
                start, end = int(raw["startTimeUnixNano"]), int(raw["endTimeUnixNano"])
                elsewhere = {"refType": "FOLLOWS_FROM", "traceID": "77", "spanID": "88"}
                above = {"refType": "CHILD_OF", "traceID": trace_id}
                above["spanID"] = raw.get("parentSpanId")
                trace["spans"].append(
                    {
                        "traceID": trace_id,
                        "spanID": raw["spanId"],
                        "operationName": raw["name"],
                        "references": [elsewhere, above] if above["spanID"] else [elsewhere],
                        "startTime": start // 1000,
                        "duration": (end - start) // 1000,
                        "processID": "p1",
                        "tags": tags(raw.get("attributes", []), **more),
                        "logs": [
                            {
                                "timestamp": start // 1000,
                                "fields": tags(event.get("attributes", []), event=event["name"]),
                            }
                            for event in raw.get("events", [])
                        ],
                    }
                )
    return {"data": list(traces.values()), "total": 0, "errors": None}


SHAPES: list[Callable[[list[dict]], dict[str, Any]]] = [
    as_jaeger,
    lambda groups: {"batches": groups},
    lambda groups: {"trace": {"resourceSpans": groups}},
    lambda groups: {"traces": [{"batches": groups}]},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_real_traces_survive_the_store(shared: Path, tmp_path: Path, shape: Callable) -> None:
    for path in sorted((shared / "samples" / "otlp_json").glob("*.jsonl")):
        documents = [json.loads(line) for line in path.read_text().splitlines()]
        groups = [group for document in documents for group in document["resourceSpans"]]
        (tmp_path / "stored.json").write_text(json.dumps(shape(groups)))
        assert steps(tmp_path / "stored.json") == steps(path), path.name


def test_damaged_jaeger_is_read_as_far_as_it_goes(otel, tmp_path: Path) -> None:
    stored = as_jaeger(json.loads(otel.otlp(*otel.small_run()))["resourceSpans"])
    spans = stored["data"][0]["spans"]
    spans[0] |= {"processID": ["p1"], "duration": "long"}
    spans[1] |= {"logs": [3, {"fields": 4}], "tags": spans[1]["tags"] + [5, {"key": []}]}
    spans.append({"spanID": None, "references": 6})
    (tmp_path / "stored.json").write_text(json.dumps(stored))
    (trace,) = load(tmp_path / "stored.json")
    assert [step.kind for step in trace.steps] == ["message", "action", "result", "message"]
