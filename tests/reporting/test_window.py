"""How a window of steps and a percentage are told."""

from __future__ import annotations

import pytest

from traceloc.attribution import Attribution, Candidate, Window
from traceloc.report import Report, ReportOptions
from traceloc.reporting.text import TextReporter, describe_window


def render(attribution, **options):
    return "".join(TextReporter().render(Report([attribution]), options=ReportOptions(**options)))


def located(**fields):
    top = Candidate(rank=1, step=3, native_index=3, agent="a", score=1.0, probability=0.4)
    return Attribution(
        trace_id="t", locator="t#3", status="located", candidates=(top,), n_steps=30, **fields
    )


@pytest.mark.parametrize(
    ("coverage", "words"), [(0.9, "9 in 10"), (0.95, "19 in 20"), (0.8, "4 in 5")]
)
def test_a_window_in_words(coverage, words):
    window = Window(first=12, last=19, coverage=coverage, n=67, pooled=False)
    dash = "\N{EN DASH}"
    assert describe_window(window) == f"#12{dash}#19 ({words}, by 67 labelled runs of this system)"


def test_one_step_is_no_range():
    window = Window(first=4, last=4, coverage=0.9, n=200, pooled=True)
    assert describe_window(window).startswith("#4 (9 in 10, by 200 labelled runs of several")


def test_the_report_has_it_only_where_it_was_promised():
    window = Window(first=2, last=5, coverage=0.9, n=67, pooled=False)
    assert "look at #2" in render(located(window=window))
    assert "look at" not in render(located())
    assert "look at #2-#5" in render(located(window=window), unicode=False)


def test_a_percentage_needs_calibration_and_means_failed_runs():
    assert "%" not in render(located())
    assert "50% likely" in render(located(calibrated=True, p_no_error=0.2))
