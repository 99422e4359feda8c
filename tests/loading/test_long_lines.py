"""JSON lines of which the first is longer than what is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceloc import load
from traceloc.loading import Source


def line(number: int, size: int) -> str:
    said = {"role": "assistant", "content": "x" * size}
    return json.dumps({"id": f"run-{number}", "messages": [{"role": "user", "content": "?"}, said]})


def test_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(line(number, 100_000) + "\n" for number in range(3)))
    source = Source(str(path))
    assert source.is_json_lines()
    assert [record.line for record in source.documents()] == [1, 2, 3]
    assert [trace.id for trace in load(path, strict=True)] == ["run-0", "run-1", "run-2"]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_single_long_document_stays_one(tmp_path: Path, end: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(line(7, 100_000) + end)
    (trace,) = load(path, strict=True)
    assert trace.id == "run-7"


def test_a_long_document_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(line(7, 100_000)[:90_000])
    (trace,) = load(path)
    assert len(trace.steps) == 2 and trace.steps[1].text.startswith("xxx")
