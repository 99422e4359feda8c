from __future__ import annotations

from pathlib import Path

import pytest
from cli_samples import Invoke, native

from traceloc.exit_code import ExitCode, choose_exit
from traceloc.report import Summary

LOCATED = native("a", "plan", "FAULT here", passed=False)
ABSTAINED = native("b", "fine", "well")
PASSED = native("c", "done", passed=True)
ACQUITTED = native("f", "plan", "FAULT here", passed=True)
EMPTY = native("d")

MATRIX = [
    ({"a.json": LOCATED}, (), 0),
    ({"a.json": LOCATED}, ("--fail-on", "located"), 1),
    ({"a.json": LOCATED}, ("--fail-on", "any"), 1),
    ({"a.json": LOCATED}, ("--fail-on", "abstained"), 0),
    ({"a.json": LOCATED}, ("--fail-on", "never"), 0),
    ({"b.json": ABSTAINED}, ("--fail-on", "abstained"), 1),
    ({"b.json": ABSTAINED}, ("--fail-on", "any"), 1),
    ({"b.json": ABSTAINED}, ("--fail-on", "located"), 0),
    ({"c.json": PASSED}, ("--only-failed", "--fail-on", "any"), 0),
    ({"f.json": ACQUITTED}, ("--fail-on", "located"), 0),
    ({"f.json": ACQUITTED}, ("--fail-on", "any"), 0),
    ({"f.json": ACQUITTED, "a.json": LOCATED}, ("--fail-on", "located"), 1),
    ({"d.json": EMPTY}, (), 3),
    ({"a.json": LOCATED, "d.json": EMPTY}, (), 0),
    ({"a.json": LOCATED, "d.json": EMPTY}, ("--min-coverage", "0.5"), 0),
    ({"a.json": LOCATED, "d.json": EMPTY}, ("--min-coverage", "0.6"), 3),
    ({"a.json": LOCATED, "d.json": EMPTY}, ("--min-coverage", "0.6", "--fail-on", "any"), 3),
    ({"a.json": LOCATED, "notes.md": "hello", "labels.csv": "a,b"}, (), 0),
    ({"notes.md": "hello"}, (), 3),
    ({}, (), 3),
    ({"a.json": LOCATED, "e.json": ""}, (), 3),
    ({"a.json": LOCATED, "e.jsonl": LOCATED + "\n{cut"}, ("--fail-on", "any"), 3),
    ({"a.json": LOCATED}, ("--fail-on", "sometimes"), 2),
    ({"a.json": LOCATED}, ("--min-coverage", "2"), 2),
    ({"a.json": LOCATED}, ("--top-k", "0"), 2),
    ({"a.json": LOCATED}, ("--top-k", "many"), 2),
    ({"a.json": LOCATED}, ("--nonsense",), 2),
    ({"a.json": LOCATED}, ("--format", "pdf"), 2),
    ({"a.json": LOCATED}, ("nowhere.json",), 3),
]


@pytest.mark.parametrize(("files", "options", "code"), MATRIX)
def test_exit_code(
    invoke: Invoke, files: dict[str, str], options: tuple[str, ...], code: int
) -> None:
    folder = Path("folder")
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    result = invoke("scan", "folder", *options)
    assert result.exit_code == code, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error[TL")]
    assert bool(errors) == (code in (2, 3)), result.stderr


def test_a_file_that_is_named_and_no_trace_is_an_error(invoke: Invoke) -> None:
    Path("notes.md").write_text("hello")
    result = invoke("notes.md")
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "error[TL110]: notes.md: is no trace in a known format",
        "hint: name it with --from, or see 'traceloc plugins list'",
    ]


@pytest.mark.parametrize("name", ["empty.json", "empty.log", "-"])
def test_nothing_is_empty_wherever_it_comes_from(invoke: Invoke, name: str) -> None:
    if name != "-":
        Path(name).write_text("")
    result = invoke("scan", name, input="")
    assert result.exit_code == 3
    assert result.stderr == f"error[TL106]: {name} (byte 0): is empty\n"


def test_errors_are_one_line_each(invoke: Invoke) -> None:
    name = "evil\n\x1b[31m.json"
    Path(name).write_text("")
    result = invoke(name)
    assert result.exit_code == 3
    assert result.stderr == "error[TL106]: evil \\x1b[31m.json (byte 0): is empty\n"


def test_no_traces_says_so(invoke: Invoke) -> None:
    Path("folder").mkdir()
    assert invoke("folder").stderr.startswith("error[TL130]: no trace was found\nhint: 'traceloc")


def test_usage_errors_look_like_all_others(invoke: Invoke) -> None:
    result = invoke("scan")
    assert result.exit_code == 2
    assert result.stderr.startswith("error[TL200]: Missing argument")
    assert result.stderr.splitlines()[1] == "hint: see 'traceloc scan --help'"


def test_a_mistyped_command_is_recognised(invoke: Invoke) -> None:
    result = invoke("scna", "runs")
    assert result.exit_code == 2
    assert "hint: did you mean 'traceloc scan'?" in result.stderr


def test_tracebacks_only_with_debug(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(options: object, registry: object) -> None:
        raise ZeroDivisionError("boom")

    Path("a.json").write_text(LOCATED)
    monkeypatch.setattr("traceloc.scanning.build_localizer", explode)
    result = invoke("scan", "a.json")
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "error[TL999]: traceloc failed: ZeroDivisionError: boom",
        "hint: run it again with --debug and report what it prints",
    ]
    result = invoke("scan", "a.json", "--debug")
    assert result.exit_code == 3
    assert "Traceback (most recent call last)" in result.stderr


def test_interrupt_is_130(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(options: object, registry: object) -> None:
        raise KeyboardInterrupt

    Path("a.json").write_text(LOCATED)
    monkeypatch.setattr("traceloc.scanning.build_localizer", interrupt)
    result = invoke("scan", "a.json")
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"


def test_a_signal_that_failed_is_something_not_measured():
    summary = Summary(read=3, located=3, hampered=1)
    code, why = choose_exit(summary, problems=0)
    assert code == ExitCode.UNMEASURED and "1" in why
