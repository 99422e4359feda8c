from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_samples import Invoke, native

FAULTY = ("plan the trip", "FAULT: a ticket costs 120 EUR", "the total is 120 EUR")


def test_text_says_what_broke_each_run(invoke: Invoke, runs: Path) -> None:
    result = invoke("scan", "runs", "--only-failed", "--jobs", "1")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert (
        result.stdout
        == """\
● runs/a.json#1
  Writer · message · #1 of #0 to #2 · some lead
  “FAULT: a ticket costs 120 EUR”
  why     · states a number that nothing before it contains  #1 “FAULT: a ticket costs 120 EUR”
  shows   #2: the final answer repeats it
  next    #0 Planner  ████      “plan the trip”
          #2 Planner  ██        “the total is 120 EUR”
  agents  Writer ████ · Planner ██

○ runs/b.json
  abstained: no step stands out
  weighed #0 Planner, #1 Writer

◌ runs/d.json
  not measured: it has no steps

4 traces read: 1 located, 1 abstained, 1 not measured, 1 passed and left out · 0 files unreadable, \
1 ignored
look closer: traceloc show runs/a.json#1
"""
    )


def test_a_path_alone_is_a_scan(invoke: Invoke, runs: Path) -> None:
    assert invoke("runs").stdout == invoke("scan", "runs").stdout
    assert invoke("-f", "jsonl", "runs").stdout == invoke("scan", "-f", "jsonl", "runs").stdout
    assert invoke("scan", "-", input=native("a", *FAULTY)).stdout.startswith("● -#1\n")
    assert invoke("-", input=native("a", *FAULTY)).stdout.startswith("● -#1\n")


def test_json_is_one_document_that_fits_its_model(invoke: Invoke, runs: Path) -> None:
    from traceloc.report import ReportDocument

    (runs / "e.jsonl").write_text(native("e1", *FAULTY) + "\n{broken\n" + native("e2", *FAULTY))
    result = invoke("scan", "runs", "--format", "json")
    document = ReportDocument.model_validate_json(result.stdout)
    assert [a.locator for a in document.attributions] == [
        "runs/a.json#1",
        "runs/b.json",
        "runs/c.json",
        "runs/d.json",
        "runs/e.jsonl:e1#1",
        "runs/e.jsonl:e2#1",
    ]
    assert document.attributions[0].candidates[0].quote == FAULTY[1]
    assert [(p.code, p.path, p.line, p.partial) for p in document.problems] == [
        ("TL103", "runs/e.jsonl", 2, True)
    ]
    assert document.summary.damaged == 1
    assert document.summary.read == 6


def test_jsonl_is_one_attribution_a_line(invoke: Invoke, runs: Path) -> None:
    from traceloc.attribution import Attribution

    lines = invoke("scan", "runs", "--format", "jsonl").stdout.splitlines()
    found = [Attribution.model_validate_json(line) for line in lines]
    assert [a.status for a in found] == ["located", "abstained", "abstained", "unmeasured"]


@pytest.mark.parametrize("kind", ["text", "json", "jsonl"])
def test_two_processes_say_what_one_says(invoke: Invoke, runs: Path, kind: str) -> None:
    (runs / "e.jsonl").write_text(native("e1", *FAULTY) + "\n{broken\n" + native("e2", *FAULTY))
    one = invoke("scan", "runs", "nowhere", "--format", kind, "--jobs", "1")
    two = invoke("scan", "runs", "nowhere", "--format", kind, "--jobs", "2")
    assert one.stdout_bytes == two.stdout_bytes
    assert one.stderr == two.stderr
    assert one.exit_code == two.exit_code == 3


def test_output_appears_when_it_is_complete(invoke: Invoke, runs: Path) -> None:
    result = invoke("scan", "runs", "-f", "json", "-o", "out/report.json")
    assert result.exit_code == 2
    assert "error[TL220]: out/report.json: cannot be written" in result.stderr
    result = invoke("scan", "runs", "-f", "json", "-o", "report.json")
    assert result.stdout == ""
    assert json.loads(Path("report.json").read_text())["summary"]["located"] == 1
    assert invoke("scan", "runs", "--strict", "nowhere", "-f", "json", "-o", "x").exit_code == 3
    assert not Path("x").exists()
    assert not list(Path().glob(".*.part"))


def test_top_k_cuts_the_candidates(invoke: Invoke, runs: Path) -> None:
    lines = invoke("scan", "runs/a.json", "-f", "jsonl", "-k", "2").stdout
    assert len(json.loads(lines)["candidates"]) == 2


def test_systems_come_from_the_settings_file(invoke: Invoke, runs: Path) -> None:
    Path("traceloc.toml").write_text('top-k = 1\n[systems]\n"runs/a*" = "booking-bot"\n')
    found = [json.loads(line) for line in invoke("scan", "runs", "-f", "jsonl").stdout.splitlines()]
    assert [a["system"] for a in found[:2]] == ["booking-bot", "native:runs"]
    assert len(found[0]["candidates"]) == 1
    line = invoke("scan", "runs/a.json", "-f", "jsonl", "--system", "other").stdout
    assert json.loads(line)["system"] == "other"


def test_a_loader_can_be_named(invoke: Invoke, runs: Path) -> None:
    assert invoke("scan", "runs/a.json", "--from", "native").exit_code == 0
    result = invoke("scan", "runs/a.json", "--from", "natve")
    assert result.exit_code == 2
    assert "error[TL301]: there is no loader called 'natve'" in result.stderr
    assert "hint: did you mean 'native'?" in result.stderr


def test_strict_stops_at_the_first_problem(invoke: Invoke, runs: Path) -> None:
    (runs / "aa.json").write_text("nonsense")
    result = invoke("scan", "runs", "--strict")
    assert result.exit_code == 3
    assert "runs/b.json" not in result.stdout


def test_many_problems_of_one_file_are_cut_short(invoke: Invoke) -> None:
    Path("x.jsonl").write_text(native("a", *FAULTY) + "\n" + "{broken\n" * 100)
    result = invoke("x.jsonl")
    assert result.stderr.count("error[TL103]") == 20
    assert "error[TL112]: x.jsonl: has 80 more problems like these" in result.stderr
