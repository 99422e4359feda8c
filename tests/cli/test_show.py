from __future__ import annotations

from pathlib import Path

import pytest
from cli_samples import Invoke, native

FAULTY = ("plan the trip", "FAULT: a ticket costs 120 EUR", "the total is 120 EUR")


def test_timeline(invoke: Invoke, runs: Path) -> None:
    result = invoke("show", "runs/a.json")
    assert result.exit_code == 0, result.stderr
    assert (
        result.stdout
        == """\
runs/a.json
native · native:runs · 3 steps · failed

  #0 ████     Planner  plan the trip
● #1 ████████ Writer   FAULT: a ticket costs 120 EUR
△ #2 ██       Planner  the total is 120 EUR

● decisive error #1 Writer · △ shows at #2
look closer: traceloc show runs/a.json#1
"""
    )


def test_a_step_with_what_rests_on_it(invoke: Invoke, runs: Path) -> None:
    result = invoke("show", "runs/a.json#1")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(
        "runs/a.json#1\nWriter · message · rank 1 of 3 · native index 1\n"
    )
    assert "    │ FAULT: a ticket costs 120 EUR\n" in result.stdout
    assert "· states a number that nothing before it contains  #1" in result.stdout
    assert "what rests on it\n  #2 Planner: uses " in result.stdout
    assert "“120”" in result.stdout


def test_every_locator_of_a_scan_can_be_shown(invoke: Invoke) -> None:
    Path("odd:name#3.jsonl").write_text(native("x:1#2", *FAULTY) + "\n" + native("y", *FAULTY))
    import json

    lines = invoke("scan", "odd:name#3.jsonl", "-f", "jsonl").stdout.splitlines()
    locators = [json.loads(line)["locator"] for line in lines]
    assert locators == ["odd:name#3.jsonl:x:1#2#1", "odd:name#3.jsonl:y#1"]
    for locator in locators:
        result = invoke("show", locator)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.splitlines()[0].strip("'") == locator


def test_long_traces_are_folded(invoke: Invoke) -> None:
    texts = ["quiet"] * 200
    texts[100] = "FAULT"
    Path("long.json").write_text(native("long", *texts))
    folded = invoke("show", "long.json").stdout
    assert "  … " in folded
    assert "● #100" in folded
    assert len(folded.splitlines()) < 60
    assert len(invoke("show", "long.json", "--all").stdout.splitlines()) > 200


def test_hostile_text_is_shown_and_not_obeyed(invoke: Invoke) -> None:
    hostile = "FAULT \x1b[2J\x1b]0;owned\x07 \u202eevil [/bold][red] \x9b31m\r\n\x00"
    hostile += "x" * 1_000_000
    Path("h.json").write_text(native("\x1b[31m", "a", hostile, "b", task=hostile))
    for arguments in (["scan"], ["show"], ["show", "--all"], ["scan", "-f", "json"]):
        result = invoke(*arguments, "h.json")
        assert result.exit_code == 0, result.stderr
        for char in ("\x1b", "\u202e", "\x07", "\x9b", "\x00", "\r"):
            assert char not in result.stdout
    for name in ("h.json#1", "h.json#0"):
        assert "\x1b" not in invoke("show", name).stdout
    assert "[/bold][red]" in invoke("show", "h.json#1").stdout
    assert len(invoke("show", "h.json#1").stdout) < 10_000


@pytest.mark.parametrize(
    ("locator", "code", "error", "hint"),
    [
        ("nowhere.json", 2, "error[TL101]: nowhere.json: no such file", "a locator is PATH"),
        (
            "runs/a.json#9",
            2,
            "error[TL211]: runs/a.json: there is no step #9",
            "steps are #0 to #2",
        ),
        ("runs/m.jsonl", 2, "error[TL210]: runs/m.jsonl: holds 2 traces", "runs/m.jsonl:m1"),
        ("runs/m.jsonl:m3#1", 2, "holds no trace 'm3'", "did you mean runs/m.jsonl:m1#1?"),
        ("runs/notes.md", 3, "error[TL110]", "--from"),
    ],
)
def test_wrong_locators(
    invoke: Invoke, runs: Path, locator: str, code: int, error: str, hint: str
) -> None:
    (runs / "m.jsonl").write_text(native("m1", *FAULTY) + "\n" + native("m2", *FAULTY))
    result = invoke("show", locator)
    assert result.exit_code == code
    assert error in result.stderr.splitlines()[0]
    assert hint in result.stderr.splitlines()[1]
