"""Repeats join a scan by themselves, in one process and in several, and cost nothing elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from traceloc.attribution import Attribution
from traceloc.registry import Registry
from traceloc.repeats import survey as surveying
from traceloc.scanning import ScanOptions, scan
from traceloc.trace import Trace

MakeRun = Callable[..., Trace]

GOOD = ("I look up the flights to Oslo", "I hold the flight at nine", "Done, the trip is booked")
BAD = (GOOD[0], "Let us take the train then", "All of it is arranged now")


@pytest.fixture
def folder(tmp_path: Path, make_run: MakeRun) -> Path:
    for name, texts in (("fail/bad", BAD), ("success/good", GOOD), ("success/fine", GOOD)):
        path = tmp_path / "runs" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make_run(path.stem, *texts, system=None).model_dump_json())
    return tmp_path / "runs"


def localize_all(folder: Path, **options: object) -> list[Attribution]:
    found = list(scan([str(folder)], options=ScanOptions(**options), registry=Registry()))
    assert all(isinstance(each, Attribution) for each in found)
    return found


def signals(attribution: Attribution) -> set[str]:
    return {each.signal for one in attribution.candidates for each in one.evidence}


def test_siblings_join_the_ranking(folder: Path) -> None:
    bad, *good = localize_all(folder)
    assert "repeats.diverges" in signals(bad)
    assert not any("repeats." in signal for each in good for signal in signals(each))


def test_the_run_that_was_left_can_be_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from traceloc.locators import find_trace

    monkeypatch.chdir(folder.parent)
    bad, *_ = localize_all(Path("runs"))
    claims = [e.claim for one in bad.candidates for e in one.evidence if "diverges" in e.signal]
    (locator,) = (word.rstrip(",") for word in claims[0].split() if "#" in word)
    assert locator.startswith("runs/success/")
    trace, step = find_trace(locator, registry=Registry())
    assert trace.id in ("good", "fine") and step is not None


def test_several_processes_say_the_same(folder: Path) -> None:
    assert localize_all(folder, jobs=2) == localize_all(folder, jobs=1)


@pytest.mark.parametrize("bound", ["MAX_KEPT", "MAX_KEPT_BYTES"])
def test_what_does_not_fit_into_memory_is_read_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    whole = localize_all(folder)
    monkeypatch.setattr(surveying, bound, 1)
    assert localize_all(folder) == whole


def test_a_lone_trace_ranks_as_ever(folder: Path) -> None:
    (alone,) = localize_all(folder / "fail" / "bad.json")
    assert not any("repeats." in signal for signal in signals(alone))


def test_the_command_counts_and_says_when_there_is_nothing(folder: Path) -> None:
    from traceloc.cli.app import app

    run = CliRunner().invoke(app, ["repeats", str(folder), "-f", "json"])
    assert run.exit_code == 0, run.output
    (task,) = json.loads(run.stdout)["tasks"]
    assert (task["passed"], task["failed"]) == (2, 1)
    text = CliRunner().invoke(app, ["repeats", str(folder)])
    assert "2 of 3 runs passed" in text.stdout
    assert "1 task run more than once" in text.stdout
    assert "  parts   1 of 1 failing run at " in text.stdout
    legend = text.stdout.splitlines()[-2:]
    assert legend[0].startswith("parts: where failing runs leave")
    assert legend[1].startswith("suspect: 1 if all failing and no passing runs do it")
    nothing = CliRunner().invoke(app, ["repeats", str(folder / "fail" / "bad.json")])
    assert nothing.exit_code == 3
    assert "TL131" in nothing.stderr
