from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_samples import Invoke, native

from traceloc import converting
from traceloc.exporting.atif import from_atif
from traceloc.trace import Trace


@pytest.mark.parametrize("target", ["native", "jsonl"])
def test_native_in_native_out(invoke: Invoke, runs: Path, target: str) -> None:
    first = invoke("convert", "runs/a.json", "--to", target).stdout
    original = json.loads((runs / "a.json").read_text())
    written = json.loads(first)
    assert written["source"] == "runs/a.json"
    assert Trace.model_validate(original) == Trace.model_validate(written | {"source": ""})
    again = invoke("convert", "-", "--to", target, input=first).stdout
    assert json.loads(again) == written | {"source": "-"}


@pytest.mark.parametrize(("target", "suffix"), [("native", "json"), ("jsonl", "jsonl")])
def test_several_traces(invoke: Invoke, runs: Path, target: str, suffix: str) -> None:
    result = invoke("convert", "runs", "--to", target, "-o", f"all.{suffix}")
    assert result.exit_code == 0, result.stderr
    lines = invoke("scan", f"all.{suffix}", "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line)["trace_id"] for line in lines] == ["a", "b", "c", "d"]


def test_very_long_traces_become_many_lines(
    invoke: Invoke, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(converting, "LINE_BYTES", 10)
        text = invoke("convert", "runs/a.json", "runs/b.json", "--to", "jsonl").stdout
    assert len(text.splitlines()) == 1 + 3 + 1 + 2
    Path("long.jsonl").write_text(text)
    back = invoke("convert", "long.jsonl", "--to", "jsonl").stdout.splitlines()
    assert [len(json.loads(line)["steps"]) for line in back] == [3, 2]


def test_what_cannot_be_converted(invoke: Invoke, runs: Path) -> None:
    (runs / "bad.json").write_text("nonsense")
    result = invoke("convert", "runs", "--to", "jsonl")
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 4
    assert "error[TL103]: runs/bad.json" in result.stderr
    result = invoke("convert", "runs", "--to", "xml")
    assert result.exit_code == 2
    assert "hint: targets: native, jsonl, atif" in result.stderr
    assert invoke("convert", "runs/notes.md").exit_code == 3


def test_surrogates_and_odd_numbers_survive(invoke: Invoke) -> None:
    Path("odd.json").write_text(native("odd", "a\u2028b", attributes={"big": 2**63, "x": 1e-300}))
    written = json.loads(invoke("convert", "odd.json").stdout)
    assert written["attributes"] == {"big": 2**63, "x": 1e-300}
    assert written["steps"][0]["text"] == "a\u2028b"


@pytest.mark.parametrize("target", ["native", "jsonl", "atif"])
def test_blind_leaves_the_answers_out(invoke: Invoke, target: str) -> None:
    label = {"native_index": 1, "agent": "solver", "reason": "GUESSED"}
    answers = {
        "truth": {"labels": [label], "expected": "FORTY-TWO"},
        "outcome": {"status": "failed"},
    }
    Path("known.json").write_text(native("known", "one", attributes={"seed": 3}, **answers))
    told = invoke("convert", "known.json", "--to", target).stdout
    assert "GUESSED" in told and "FORTY-TWO" in told
    blind = invoke("convert", "known.json", "--to", target, "--blind").stdout
    assert "GUESSED" not in blind and "FORTY-TWO" not in blind and "failed" not in blind
    trace = from_atif(json.loads(blind)) if target == "atif" else Trace.model_validate_json(blind)
    assert trace is not None and trace.steps[0].text == "one" and trace.attributes == {"seed": 3}
