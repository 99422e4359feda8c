"""Spans in everything they are shipped in."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from traceloc import load
from traceloc.loading import Head, read
from traceloc_plugins.otel.loader import OTelLoader

START = 1_700_000_000_000_000_000


def test_order_of_lines_and_rotated_files_do_not_matter(otel, tmp_path: Path) -> None:
    one, two, three, root = otel.small_run()
    (tmp_path / "a.jsonl").write_text(otel.otlp(three) + "\n" + otel.otlp(root) + "\n")
    (tmp_path / "b.jsonl").write_text(otel.otlp(two) + "\n" + otel.otlp(one) + "\n")
    (trace,) = load(tmp_path, strict=True)
    assert [step.kind for step in trace.steps] == ["message", "action", "result", "message"]


def as_snake_case(document: str) -> str:
    """OTLP as Phoenix writes it: snake case, the other members of the oneof null."""

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [convert(item) for item in value]
        if not isinstance(value, dict):
            return value
        names = {"stringValue": "string_value", "intValue": "int_value", "traceId": "trace_id"}
        names |= {"spanId": "span_id", "parentSpanId": "parent_span_id"}
        names |= {"resourceSpans": "resource_spans", "scopeSpans": "scope_spans"}
        names |= {"startTimeUnixNano": "start_time_unix_nano"}
        names |= {"endTimeUnixNano": "end_time_unix_nano"}
        found = {names.get(key, key): convert(inner) for key, inner in value.items()}
        if "string_value" in found or "int_value" in found:
            found = {"array_value": None, "bool_value": None, **found, "bytes_value": None}
        return found

    return json.dumps(convert(json.loads(document)))


def as_base64(document: str) -> str:
    found = json.loads(document)
    for group in found["resourceSpans"]:
        for raw in group["scopeSpans"][0]["spans"]:
            for key in ("traceId", "spanId", "parentSpanId"):
                raw[key] = base64.b64encode(bytes.fromhex(raw[key])).decode()
            raw["kind"] = "SPAN_KIND_CLIENT"
    return json.dumps(found)


def plain(value: dict[str, Any]) -> Any:
    (kind, inner), *_ = value.items()
    return int(inner) if kind == "intValue" else inner


def as_console(document: str) -> str:
    """The Python SDK's console: pretty-printed objects one after the other, ``0x`` ids."""
    written = []
    for raw in json.loads(document)["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        parent = raw["parentSpanId"]
        context = {"trace_id": f"0x{raw['traceId']}", "span_id": f"0x{raw['spanId']}"}
        shown = {
            "name": raw["name"],
            "context": context,
            "parent_id": f"0x{parent}" if parent else None,
            "start_time": f"2026-01-01T00:00:00.{int(raw['startTimeUnixNano']) - START:06}Z",
            "end_time": f"2026-01-01T00:00:00.{int(raw['endTimeUnixNano']) - START:06}Z",
            "status": {"status_code": "UNSET"},
            "attributes": {pair["key"]: plain(pair["value"]) for pair in raw["attributes"]},
            "resource": {"attributes": {"service.name": "desk"}, "schema_url": ""},
        }
        written.append(json.dumps(shown, indent=4))
    return "\n".join(written)


def as_flat(document: str) -> str:
    """A list of plain spans, as evaluation tools keep them."""
    found = []
    for raw in json.loads(document)["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        flat = {"trace_id": raw["traceId"], "span_id": raw["spanId"], "name": raw["name"]}
        flat |= {"parent_span_id": raw["parentSpanId"] or None, "status": {"code": "UNSET"}}
        flat |= {"start_time": int(raw["startTimeUnixNano"]), "span_events": []}
        flat |= {"end_time": int(raw["endTimeUnixNano"]), "scope": {"name": "test"}}
        attributes = {pair["key"]: plain(pair["value"]) for pair in raw["attributes"]}
        found.append({**flat, "attributes": attributes})
    return json.dumps(found)


@pytest.mark.parametrize("spelling", [as_snake_case, as_base64, as_console, as_flat])
def test_every_spelling_of_a_span_gives_the_same_steps(otel, spelling: Any) -> None:
    document = otel.otlp(*otel.small_run())
    one, other = otel.read(document), otel.read(spelling(document))
    assert other.id == one.id == otel.TRACE
    assert [s.id for s in other.spans] == [s.id for s in one.spans]
    blank = {"timestamp": None, "line": None}
    assert [s.model_copy(update=blank) for s in other.steps] == [
        s.model_copy(update=blank) for s in one.steps
    ]


def test_spans_that_hold_their_children(otel, tmp_path: Path) -> None:
    """Parents first, durations instead of ends, as TRAIL has it."""

    def nested(number: int, at: str, attributes: dict[str, Any], *children: dict) -> dict:
        found = {"trace_id": otel.TRACE, "span_id": f"{number:016x}", "span_name": "CodeAgent.run"}
        found |= {"timestamp": f"2026-01-01T00:00:{at}Z", "duration": "PT2.5S"}
        return {**found, "span_attributes": attributes, "child_spans": list(children)}

    model = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "How much?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "18 EUR",
    }
    root = nested(1, "00", {"openinference.span.kind": "AGENT"}, nested(2, "01", model))
    path = tmp_path / "trail.json"
    path.write_text(json.dumps({"trace_id": otel.TRACE, "spans": [root]}))
    (trace,) = load(path, strict=True)
    assert [(s.agent, s.text, s.native_index) for s in trace.steps] == [
        ("user", "How much?", 1),
        ("CodeAgent", "18 EUR", 1),
    ]
    assert trace.spans[1].parent_id == trace.spans[0].id
    end = trace.spans[0].end
    assert end is not None and end.microsecond == 500_000


def test_a_cut_file_is_read_as_far_as_it_goes(otel, tmp_path: Path) -> None:
    """Trap 10."""
    path = tmp_path / "cut.jsonl"
    path.write_text(otel.otlp(*otel.small_run()) + "\n" + otel.otlp(*otel.small_run())[:200])
    (trace,) = load(path)
    assert len(trace.steps) == 4


def test_sniffing_goes_by_structure(otel) -> None:
    def score(value: Any) -> float:
        return OTelLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    flat = {"trace_id": otel.TRACE, "span_id": "1" * 16, "attributes": {}}
    assert score({"resourceSpans": []}) == 1.0
    assert score([flat]) > 0.9
    assert score({"messages": [{"role": "user", "content": "hi"}]}) == 0.0
    assert score({"info": {"trace_id": "tr-1"}, "data": {"spans": [flat]}}) == 0.0
    cut = otel.otlp(*otel.small_run() * 90).encode()[:65536]
    assert OTelLoader().sniff(Head(cut, complete=False)) == 1.0


def phoenix_trace(number: int) -> dict[str, Any]:
    """A trace as Phoenix lists it: spans without contents, which do not repeat its id."""

    def span(id: str, parent: str | None, name: str, kind: str) -> dict[str, Any]:
        times = {"start_time": f"2026-03-09T10:00:0{id}Z", "end_time": f"2026-03-09T10:00:1{id}Z"}
        about = {"span_id": id, "parent_id": parent, "name": name, "span_kind": kind}
        return {"id": f"x{id}", "status_code": "OK", **about, **times}

    return {
        "id": f"t{number}",
        "trace_id": f"{number:032x}",
        "project_id": "p",
        "spans": [span("1", None, "clerk", "AGENT"), span("2", "1", "stock", "TOOL")],
    }


@pytest.mark.parametrize("shape", ["page", "list", "lines"])
def test_traces_as_phoenix_lists_them(tmp_path: Path, shape: str) -> None:
    both = [phoenix_trace(number) for number in (1, 2)]
    text = {
        "page": json.dumps({"data": both, "next_cursor": None}),
        "list": json.dumps(both),
        "lines": "\n".join(map(json.dumps, both)),
    }[shape]
    path = tmp_path / "traces.json"
    path.write_text(text)
    found = list(load(path, strict=True))
    assert [trace.id for trace in found] == [f"{number:032x}" for number in (1, 2)]
    for trace in found:
        assert [s.agent for s in trace.steps] == ["clerk", "stock"]


@pytest.mark.parametrize("index", ["", "context.span_id,"])
def test_a_table_of_spans_says_how_else_to_export_it(otel, tmp_path: Path, index: str) -> None:
    columns = f'{index}name,"context.span_id",context.trace_id,attributes.llm.input_messages'
    path = tmp_path / "spans.csv"
    path.write_text(f"{columns}\nm,{1:016x},{otel.TRACE},\"[{{'message.role': 'user'}}]\"\n")
    (tmp_path / "spans.jsonl").write_text(otel.otlp(*otel.small_run()) + "\n")
    trace, problem = sorted(read([tmp_path]), key=lambda found: isinstance(found, Exception))
    assert trace.id == otel.TRACE  # the table takes nothing from the files beside it
    assert problem.code == "TL100" and "JSONL or Parquet" in str(problem)


def test_prose_about_the_columns_is_no_table() -> None:
    text = b"Look at context.span_id, then at context.trace_id.\n"
    assert OTelLoader().sniff(Head(text, complete=True)) == 0.0
