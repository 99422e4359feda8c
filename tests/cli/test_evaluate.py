"""``traceloc eval`` and ``scan --coverage``, on a folder small enough to fit in a moment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_samples import Invoke, native

from traceloc.localizer import Localizer


@pytest.fixture
def labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRACELOC_PLUGINS", "native,text,json,jsonl,claims,kind,position")
    folder = tmp_path / "labelled"
    folder.mkdir()
    rows = []
    for i in range(36):
        gold = 1 + i % 3
        said = [
            f"run {i} step {j}: " + ("let's assume simulated data" if j == gold else "it is so")
            for j in range(5)
        ]
        (folder / f"{i:02}.json").write_text(native(f"{i:02}", *said, passed=False))
        rows.append({"file": f"{i:02}.json", "trace": f"{i:02}", "group": f"q{i}", "step": gold})
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_eval_prints_windows_misses_and_a_plot(
    invoke: Invoke, labelled: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.svg"
    options = ("--seeds", "1", "--l2", "10", "--explain", "--coverage", "0.8", "--plot", picture)
    result = invoke("eval", labelled, *options)
    assert result.exit_code == 0, result.output
    assert "80.0" in result.stdout and "windows of steps" in result.stdout
    assert picture.read_text().startswith("<svg")


def test_a_plot_that_cannot_be_written_is_told(
    invoke: Invoke, labelled: Path, tmp_path: Path
) -> None:
    result = invoke("eval", labelled, "--seeds", "1", "--l2", "10", "--plot", tmp_path)
    assert result.exit_code == 2
    assert "TL220" in str(result.stderr) + str(result.exception)


def test_scan_prints_a_window_only_where_the_model_can_promise_one(
    invoke: Invoke, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(options, registry):  # type: ignore[no-untyped-def]
        return Localizer(options.model, coverage=options.coverage, registry=registry)

    monkeypatch.setattr("traceloc.scanning.build_localizer", build)
    model = tmp_path / "m.json"
    fitted = invoke("fit", labelled, "--out", model, "--prior", "none", "--l2", "10")
    assert fitted.exit_code == 0, fitted.output
    one = labelled / "00.json"
    asked = invoke("scan", one, "--model", model, "--coverage", "0.9")
    assert "look at #" in asked.stdout and "9 in 10, by 36 labelled runs" in asked.stdout
    assert "look at #" not in invoke("scan", one, "--model", model).stdout
    document = json.loads(model.read_text())
    model.write_text(json.dumps(document | {"coverages": []}))
    bare = invoke("scan", one, "--model", model, "--coverage", "0.9")
    assert bare.exit_code == 0 and "look at #" not in bare.stdout


@pytest.mark.parametrize("coverage", ["0", "1", "1.5", "-0.1"])
def test_a_coverage_that_is_none_is_wrong_usage(
    invoke: Invoke, labelled: Path, coverage: str
) -> None:
    assert invoke("scan", labelled, f"--coverage={coverage}").exit_code == 2
