from __future__ import annotations

from traceloc.attribution import (
    AgentShare,
    Attribution,
    Candidate,
    Citation,
    Evidence,
    Symptom,
)
from traceloc.report import IgnoredFile, Item, Passed, Problem, Report, ReportOptions
from traceloc.reporting.json import JsonReporter
from traceloc.reporting.jsonl import JsonLinesReporter
from traceloc.reporting.terminal import display_width
from traceloc.reporting.text import TextReporter
from traceloc.trace import Diagnostic


def evidence(claim: str, *cites: tuple[int, str]) -> Evidence:
    return Evidence(
        signal="fixed.claim",
        claim=claim,
        cites=tuple(Citation(step=step, quote=quote) for step, quote in cites),
    )


LOCATED = Attribution(
    trace_id="t",
    locator="runs/lisbon-offsite/trace.otlp.jsonl#17",
    status="located",
    n_steps=24,
    n_candidates=11,
    candidates=(
        Candidate(
            rank=1,
            step=17,
            native_index=17,
            agent="Researcher",
            kind="action",
            quote="I cannot open the fare page, so I assume that a return ticket costs 120 EUR 00",
            score=2.0,
            probability=0.5,
            evidence=(
                evidence("states a number that nothing before it contains", (17, "120 EUR")),
                evidence(
                    "goes on after an error without repairing or reporting it, and nobody comes "
                    "back to it later in the run",
                    (15, "404 Not Found: fares/LIS"),
                    (16, ""),
                ),
            ),
        ),
        Candidate(
            rank=2,
            step=9,
            native_index=9,
            agent="Planner",
            kind="message",
            quote="Let us split the work",
            score=1.0,
            probability=0.3,
            evidence=(evidence("gives an order nobody carries out", (9, "")),),
        ),
        Candidate(
            rank=3,
            step=21,
            native_index=21,
            agent="東京ライター[/bold]",
            kind="message",
            quote="最終的な答えは 120 EUR \x1b[31mです\u202e。",
            score=0.0,
            probability=0.03,
        ),
    ),
    agents=(
        AgentShare(agent="Researcher", probability=0.6),
        AgentShare(agent="Planner", probability=0.31),
        AgentShare(agent="東京ライター[/bold]", probability=0.05),
    ),
    symptom=Symptom(step=23, claim="the final answer repeats “120 EUR”"),
)
ABSTAINED = Attribution(
    trace_id="u",
    locator="runs/a clean run.json",
    status="abstained",
    reason="14 steps were weighed and none stands out",
    candidates=LOCATED.candidates[1:],
    n_steps=14,
)
UNMEASURED = Attribution(
    trace_id="v", locator="runs/empty.json", status="unmeasured", reason="it has no steps"
)
ITEMS: list[Item] = [
    LOCATED,
    ABSTAINED,
    UNMEASURED,
    Passed("runs/good.json"),
    Problem(code="TL103", message="is not JSON", path="runs/x.json"),
    Problem(code="TL103", message="is not JSON", path="runs/y.jsonl", line=3, partial=True),
    IgnoredFile("runs/notes.md"),
]

GOLDEN_80 = """\
● runs/lisbon-offsite/trace.otlp.jsonl#17
  Researcher · action · #17 of #0 to #23 · some lead
  “I cannot open the fare page, so I assume that a return ticket costs 120 EUR…”
  why     · states a number that nothing before it contains  #17 “120 EUR”
          · goes on after an error without repairing or reporting it, and nobody
            comes back to it later in the run
            #15 “404 Not Found: fares/LIS”, #16
  shows   #23: the final answer repeats “120 EUR”
  next    #9  Planner             ████▊     gives an order nobody carries out
          #21 東京ライター[/bol…  ▌         “最終的な答えは 120 EUR \\x1b[31mで…
  agents  Researcher ████▊ · Planner ██▌ · 東京ライター[/bold] ▍

○ 'runs/a clean run.json'
  abstained: 14 steps were weighed and none stands out
  weighed #9 Planner, #21 東京ライター[/bold]

◌ runs/empty.json
  not measured: it has no steps

4 traces read: 1 located, 1 abstained, 1 not measured, 1 passed and left out · 1 file unreadable, \
1 damaged, 1 ignored
look closer: traceloc show runs/lisbon-offsite/trace.otlp.jsonl#17
"""


def render(items: list[Item], **options: object) -> str:
    return "".join(TextReporter().render(Report(items), options=ReportOptions(**options)))  # type: ignore[arg-type]


def test_golden_text() -> None:
    assert render(ITEMS, width=80) == GOLDEN_80


def test_every_line_but_the_locators_and_the_summary_fits() -> None:
    for width in (40, 80, 120):
        for line in render([LOCATED, ABSTAINED, UNMEASURED], width=width).splitlines():
            if line[:1] in "●○◌4" or line.startswith(("look closer", "3 traces")):
                continue
            assert display_width(line) <= width, line


def test_colour_changes_nothing_but_colour() -> None:
    import re

    colored = render(ITEMS, width=80, color=True)
    assert re.sub(r"\x1b\[\d+m", "", colored) == GOLDEN_80
    assert "\x1b" not in render(ITEMS, width=80)


def test_an_agent_with_more_suspicion_in_all_is_explained() -> None:
    shares = (
        AgentShare(agent="Planner", probability=0.6),
        AgentShare(agent="Researcher", probability=0.3),
    )
    text = render([LOCATED.model_copy(update={"agents": shares})])
    lines = text.splitlines()
    (at,) = (i for i, line in enumerate(lines) if line.startswith("  agents  Planner"))
    wanted = "Planner: most in all, spread over its steps; none weighs as much as #17"
    assert lines[at + 1].strip() == wanted
    assert "most in all" not in render([LOCATED])


def test_ascii_targets_get_ascii() -> None:
    text = render(ITEMS, width=80, unicode=False)
    assert text.isascii()
    assert text.startswith("* runs/lisbon-offsite/trace.otlp.jsonl#17\n")


def test_probabilities_are_shown_only_where_they_are_calibrated() -> None:
    assert "%" not in render([LOCATED])
    calibrated = LOCATED.model_copy(update={"calibrated": True})
    assert "50% likely" in render([calibrated])


def test_signals_that_failed_are_named() -> None:
    note = Diagnostic(kind="skipped", message="signal 'x' failed: ValueError: boom")
    crippled = LOCATED.model_copy(update={"diagnostics": (note, note)})
    assert "  without signal 'x' failed: ValueError: boom (and 1 more)\n" in render([crippled])


def test_blocks_come_as_results_come() -> None:
    seen: list[str] = []

    def results() -> object:
        for number in range(2):
            seen.append(f"result {number}")
            yield LOCATED

    report = Report(results())  # type: ignore[arg-type]
    for reporter in (TextReporter(), JsonLinesReporter()):
        seen.clear()
        report = Report(results())  # type: ignore[arg-type]
        pieces = reporter.render(report, options=ReportOptions())
        next(pieces)
        assert seen == ["result 0"]


def test_json_is_safe_on_a_terminal_and_says_the_same() -> None:
    from traceloc.report import ReportDocument

    text = "".join(JsonReporter().render(Report(ITEMS), options=ReportOptions()))
    assert "\u202e" not in text
    assert "\x1b" not in text
    document = ReportDocument.model_validate_json(text)
    assert document.attributions == (LOCATED, ABSTAINED, UNMEASURED)
    assert document.summary.unreadable == document.summary.damaged == 1


def test_an_empty_report_is_a_document_too() -> None:
    from traceloc.report import ReportDocument

    text = "".join(JsonReporter().render(Report([]), options=ReportOptions()))
    assert ReportDocument.model_validate_json(text).attributions == ()
    assert render([]).startswith("0 traces read: 0 located, 0 abstained · 0 files unreadable")
