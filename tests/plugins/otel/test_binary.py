"""OTLP in protobuf and Phoenix' dataframe in Parquet: read alike, and never trusted."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceloc import Step, Trace, TraceFormatError, load
from traceloc.loading import Source
from traceloc_plugins.otel.loader import OTelLoader

SETTINGS = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PARQUET = "openinference/phoenix_spans_dataframe.parquet"


def encoded(document: dict[str, Any]) -> bytes:
    """OTLP/JSON as protobuf; its ids are hex, where protobuf's own JSON wants base64."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [convert(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: base64.b64encode(bytes.fromhex(inner)).decode()
            if key in ("traceId", "spanId", "parentSpanId")
            else convert(inner)
            for key, inner in value.items()
        }

    kind = TracesData if "resourceSpans" in document else LogsData
    message = ParseDict(convert(document), kind(), ignore_unknown_fields=True)
    return bytes(message.SerializeToString())


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(4) + message


def steps(*paths: Path) -> dict[str, list[Step]]:
    return {
        trace.id: [step.model_copy(update={"line": None}) for step in trace.steps]
        for trace in load(*paths, strict=True)
    }


def read(data: bytes) -> list[Trace]:
    return list(OTelLoader().load([Source("-", content=data)]))


@pytest.mark.parametrize("framing", [bytes, framed])
def test_protobuf_tells_what_json_tells(shared: Path, tmp_path: Path, framing: Any) -> None:
    for path in sorted((shared / "samples" / "otlp_json").glob("*.jsonl")):
        messages = [encoded(json.loads(line)) for line in path.read_text().splitlines()]
        copy = tmp_path / f"{path.name}.bin"
        copy.write_bytes(b"".join(map(framing, messages)))
        assert steps(copy) == steps(path), path.name


def test_content_in_log_records_is_joined(otel, tmp_path: Path) -> None:
    bare = otel.span(1, "chat m", (0, 1), attributes={"gen_ai.operation.name": "chat"})
    record = {
        "traceId": otel.TRACE,
        "spanId": f"{1:016x}",
        "timeUnixNano": str(otel.START),
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": otel.pairs({"gen_ai.output.messages": [otel.DONE]}),
    }
    logs = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [record]}]}]}
    logs["resourceLogs"][0]["resource"] = {"attributes": otel.pairs({"service.name": "desk"})}
    spans = encoded(json.loads(otel.otlp(bare)))
    for data in (spans + encoded(logs), framed(encoded(logs)) + framed(spans)):
        (trace,) = read(data)
        assert [step.text for step in trace.steps] == ["18 EUR"]
    (tmp_path / "spans.pb").write_bytes(spans)
    (tmp_path / "logs.pb").write_bytes(encoded(logs))
    (trace,) = read(spans)
    assert "structure only" in trace.diagnostics[0].message


def test_a_message_that_breaks_off_is_read_up_to_there(otel) -> None:
    one, two, three, root = otel.small_run()
    whole = b"".join(encoded(json.loads(otel.otlp(span))) for span in (one, two, three, root))
    source = Source("-", content=whole[:-40])
    (trace,) = OTelLoader().load([source])
    assert [step.kind for step in trace.steps] == ["message", "action", "result", "message"]
    assert len(trace.spans) == 3
    assert [problem.code for problem in source.problems] == ["TL103"]


@SETTINGS
@given(draw=st.data())
def test_damaged_protobuf_is_an_error_or_less(otel, draw: st.DataObject) -> None:
    data = bytearray(encoded(json.loads(otel.otlp(*otel.small_run()))))
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    del data[draw.draw(st.integers(1, len(data))) :]
    try:
        traces = read(bytes(data))
    except TraceFormatError:
        return
    for trace in traces:
        assert Trace.model_validate_json(trace.model_dump_json()).id == trace.id


@pytest.mark.parametrize(
    ("package", "data", "extra"),
    [
        ("opentelemetry.proto.trace.v1.trace_pb2", None, "otlp"),
        ("pyarrow", b"PAR1" + bytes(20) + b"PAR1", "parquet"),
    ],
)
def test_a_missing_package_is_named(otel, monkeypatch, package, data, extra) -> None:
    data = data or encoded(json.loads(otel.otlp(*otel.small_run())))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(TraceFormatError) as caught:
        read(data)
    assert caught.value.code == "TL102"
    assert f"traceloc[{extra}]" in str(caught.value.hint)


def test_sniffing_protobuf(otel) -> None:
    def score(data: bytes) -> float:
        return OTelLoader().sniff(Source("-", content=data).head())

    message = encoded(json.loads(otel.otlp(*otel.small_run())))
    assert score(message) > 0.8 and score(framed(message)) > 0.8
    assert score(b"\n" + otel.otlp(*otel.small_run()).encode()) == 1.0
    assert score(b"\n\x12service.name is a word") == 0.0
    assert score(b"\x0a\x03abc" * 20) == 0.0


def test_parquet_tells_what_json_lines_tell(shared: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    path = shared / "samples" / PARQUET
    table, lines = steps(path), steps(path.with_suffix(".jsonl"))
    assert table.keys() == lines.keys()
    for trace_id, told in table.items():
        # The table has more exact times, by which results of one call may change places.
        assert sorted((s.kind, s.text) for s in told) == sorted(
            (s.kind, s.text) for s in lines[trace_id]
        )
    booked = [s for told in table.values() for s in told for c in s.tool_calls if c.name == "book"]
    assert booked and {step.agent.lower() for step in booked} == {"booker"}


def test_damaged_parquet_is_an_error_or_less(shared: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    whole = (shared / "samples" / PARQUET).read_bytes()
    for size in (4, 8, 100, 5000, len(whole) // 2, len(whole) - 1):
        with pytest.raises(TraceFormatError):
            read(whole[:size])
    for place in range(4, len(whole), 4001):
        broken = bytearray(whole)
        broken[place : place + 8] = b"\xff" * 8
        try:
            read(bytes(broken))
        except TraceFormatError:
            continue


def test_a_table_that_expands_without_measure_is_refused() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    from pyarrow import parquet

    rows = 2000
    columns = {name: ["1"] * rows for name in ("context.span_id", "context.trace_id")}
    columns["attributes.input.value"] = ["x" * 1_000_000] * rows
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(columns), sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    assert len(data) < 100_000
    with pytest.raises(TraceFormatError) as caught:
        read(data)
    assert caught.value.code == "TL108"


def test_another_table_is_not_ours() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    from pyarrow import parquet

    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table({"city": ["Bonn"]}), sink)
    data = sink.getvalue().to_pybytes()
    assert OTelLoader().sniff(Source("-", content=data).head()) == 0.0
    with pytest.raises(TraceFormatError, match=r"context\.span_id"):
        read(data)
