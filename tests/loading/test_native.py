"""traceloc's own documents: what is written is what is read, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceloc import Trace, TraceFormatError, load
from traceloc.loading import read

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def document() -> dict[str, Any]:
    (trace,) = load(ROOT / "examples" / "vaccine-route", strict=True)
    return json.loads(trace.model_dump_json())


def renumber(document: dict[str, Any]) -> None:
    for step in document["steps"]:
        step["index"] += 1


def swap(document: dict[str, Any]) -> None:
    document["steps"].reverse()


def lose_a_result(document: dict[str, Any]) -> None:
    call = next(step for step in document["steps"] if step["tool_calls"])["tool_calls"][0]
    call["result_step"] = len(document["steps"])


def lose_a_call(document: dict[str, Any]) -> None:
    next(step for step in document["steps"] if step["tool_result"])["tool_result"]["call_step"] = -1


def misplace(document: dict[str, Any]) -> None:
    document["steps"][1]["native_index"] = -(2**130)


def unname(document: dict[str, Any]) -> None:
    document["id"] = ""


@pytest.mark.parametrize("damage", [renumber, swap, lose_a_result, lose_a_call, misplace, unname])
def test_what_cannot_be_addressed_is_no_trace(
    tmp_path: Path, document: dict[str, Any], damage: Callable[[dict[str, Any]], None]
) -> None:
    damage(document)
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(document))
    (problem,) = read([path])
    assert isinstance(problem, TraceFormatError) and problem.code == "TL120"


def test_an_id_is_made_unlike_all_others_of_its_file(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    path = tmp_path / "traces.jsonl"
    lines = [json.dumps(document | {"id": name}) for name in ("a", "a~2", "a", "a")]
    path.write_text("\n".join(lines))
    traces = list(load(path, strict=True))
    assert all(isinstance(trace, Trace) for trace in traces)
    assert [trace.id for trace in traces] == ["a", "a~2", "a~3", "a~4"]


def test_a_broken_header_is_reported_once_and_not_for_each_of_its_steps(
    document: dict[str, Any], tmp_path: Path
) -> None:
    header = {key: value for key, value in document.items() if key != "steps"}
    broken = header | {"agents": "nobody"}
    lines = [broken, *document["steps"], header | {"id": "whole"}, *document["steps"]]
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    items = list(read([path]))
    assert [item.id for item in items if isinstance(item, Trace)] == ["whole"]
    problems = [item for item in items if isinstance(item, TraceFormatError)]
    assert [(problem.code, problem.location.line) for problem in problems] == [("TL120", 1)]


def test_what_is_nested_absurdly_deep_is_cut_so_that_it_can_be_written_again(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    path = tmp_path / "deep.json"
    document["attributes"] = {"deep": 0}
    text = json.dumps(document).replace('"deep": 0', '"deep": ' + "[" * 190 + "]" * 190)
    path.write_text(text)
    (trace,) = load(path, strict=True)
    again = Trace.model_validate_json(trace.model_dump_json())
    assert again == trace and "nested too deeply" in trace.model_dump_json()
