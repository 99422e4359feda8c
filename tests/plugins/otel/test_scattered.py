"""Traces whose spans stand all over files that are too long for one look."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from traceloc import load
from traceloc.loading import Source
from traceloc.loading import source as bounds
from traceloc_plugins.otel.containers import read_spans
from traceloc_plugins.spans.collecting import RawSpan, collect, trace_ids

TRACES, ROUNDS = 5, 40
PADDING = "tea " * 200


def written(number: int) -> str:
    return f"{0xAB00 + number:032x}"


def as_is(trace: str) -> str:
    return f'"{trace}"'


def shouted(trace: str) -> str:
    return f'"{trace.upper()}"'


def escaped(trace: str) -> str:
    return f'"{trace[:-1]}\\u00{ord(trace[-1]):02x}"'


def line(number: int, round: int, spell: Callable[[str], str] = as_is, key: str = "traceId") -> str:
    span = json.dumps(
        {
            "spanId": f"{1 + number * ROUNDS + round:016x}",
            "name": "chat m",
            "startTimeUnixNano": str(1_700_000_000_000_000_000 + round * 10**9),
            "endTimeUnixNano": str(1_700_000_000_500_000_000 + round * 10**9),
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                # No id of a trace, though it looks like one.
                {"key": "note", "value": {"stringValue": f'{{"traceId": "{written(0)}"}}'}},
                {"key": "padding", "value": {"stringValue": PADDING}},
            ],
        }
    )
    span = f'{{"{key}": {spell(written(number))}, {span[1:]}'
    return f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}]}}]}}]}}\n'


def read_span(document: dict, line: int | None) -> Iterator[RawSpan]:
    return (found for found in read_spans(document, line) if isinstance(found, RawSpan))


def collected(*paths: Path) -> list[tuple[str, int]]:
    sources = [Source(str(path)) for path in paths]
    found = collect(sources, Source.documents, read_span)
    return [(trace.trace_id, len(trace.spans)) for trace in found]


@pytest.mark.parametrize("key", ["traceId", "trace_id"])
@pytest.mark.parametrize("last", [as_is, shouted, escaped])
def test_come_out_whole_however_the_last_span_writes_the_id(
    tmp_path: Path, last: Callable[[str], str], key: str
) -> None:
    path = tmp_path / "spans.jsonl"
    with path.open("w") as stream:
        for round in range(ROUNDS):
            spell = last if round == ROUNDS - 1 else as_is
            stream.writelines(line(number, round, spell, key) for number in range(TRACES))
    assert not Source(str(path)).head().complete
    assert collected(path) == [(written(number), ROUNDS) for number in range(TRACES)]


def test_a_trace_is_given_when_its_last_line_was_read(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text("".join(line(n, r) for n in range(TRACES) for r in range(ROUNDS)))
    source, read = Source(str(path)), []

    def documents(source: Source) -> Iterator:
        for value, number in source.documents():
            read.append(number)
            yield value, number

    first = next(collect([source], documents, read_span))
    assert (first.trace_id, len(first.spans), read[-1]) == (written(0), ROUNDS, ROUNDS)


def test_a_trace_over_compressed_and_plain_files_is_one(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    rounds = range(ROUNDS)
    plain.write_text("".join(line(n, r) for r in rounds[::2] for n in range(TRACES)))
    with gzip.open(packed, "wt") as stream:
        stream.writelines(line(n, r) for r in rounds[1::2] for n in range(TRACES))
    assert collected(plain, packed) == [(written(number), ROUNDS) for number in range(TRACES)]
    assert [trace.id for trace in load(tmp_path)] == [written(number) for number in range(TRACES)]


def test_ids_are_found_as_readers_will_have_them(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    rows = [
        '{"context.trace_id": "flat"}',
        '{"traceID" : "jaeger"}',
        '{"context": {"trace_id":"nested"}}',
        r'{"traceId": "sl\/ash"}',
        '{"parent_trace_id": "another"}',
        r'{"text": "{\"traceId\": \"quoted\"}"}',
        r'{"traceId": "\ud800"}',
        '{"traceId": ""}',
    ]
    path.write_text("\n".join(rows))
    assert trace_ids(Source(str(path))) == ["flat", "jaeger", "nested", "sl/ash"]


def test_each_line_that_is_too_long_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spans.jsonl"
    rows = [line(0, round) for round in range(ROUNDS * 3)]
    rows[70:70] = ["x" * 5000 + "\n"]
    rows[90:90] = ["x" * 5000 + "\n"]
    path.write_text("".join(rows))
    monkeypatch.setattr(bounds, "MAX_LINE_BYTES", 4000)
    source = Source(str(path))
    assert len(list(collect([source], Source.documents, read_span))) == 1
    assert [problem.location.line for problem in source.problems] == [71, 91]
