from __future__ import annotations

from collections.abc import Callable

from traceloc.localizer import Localizer
from traceloc.repeats import Cohorts
from traceloc.repeats.cohort import MIN_TASK_CHARS, identify_task, known_outcome
from traceloc.trace import Outcome, Trace

MakeRun = Callable[..., Trace]

GOOD = ("I look up the flights to Oslo", "I hold the flight at nine", "Done, the trip is booked")
BAD = ("I look up the flights to Oslo", "Let us take the train then", "All of it is arranged now")


def gather(*traces: object) -> Cohorts:
    cohorts = Cohorts()
    for trace in traces:
        cohorts.add(trace, passed=known_outcome(trace))
    return cohorts.only_mixed()


def test_a_failing_run_is_compared_with_the_passing_ones(make_run: MakeRun) -> None:
    bad = make_run("bad", *BAD, passed=False)
    cohort = gather(make_run("good", *GOOD, passed=True), bad).of(bad)
    assert cohort is not None
    assert [run.passed for run in cohort.passing] == [True]
    assert cohort.failing == ()


def test_the_outcome_of_the_run_itself_does_not_enter(make_run: MakeRun) -> None:
    known = make_run("bad", *BAD, passed=False)
    unknown = make_run("bad", *BAD)
    good = make_run("good", *GOOD, passed=True)
    first, second = gather(good, known).of(known), gather(good, unknown).of(unknown)
    assert first is not None
    assert second is not None
    localizer = Localizer()
    assert (
        localizer.localize(known, cohort=first).candidates
        == localizer.localize(unknown, cohort=second).candidates
    )


def test_nothing_is_said_without_a_passing_run_or_of_one(make_run: MakeRun) -> None:
    good, bad = make_run("good", *GOOD, passed=True), make_run("bad", *BAD, passed=False)
    assert gather(bad, make_run("worse", *BAD, passed=False)).of(bad) is None
    assert gather(good, bad).of(good, passed=True) is None
    assert gather(good).of(good) is None


def test_runs_of_another_task_or_system_are_strangers(make_run: MakeRun) -> None:
    bad = make_run("bad", *BAD, passed=False)
    other_task = make_run("good", *GOOD, passed=True, task="order forty chairs for the office")
    other_system = make_run("good", *GOOD, passed=True, system="another desk")
    assert gather(other_task, bad).of(bad) is None
    assert gather(other_system, bad).of(bad) is None


def test_a_task_is_known_by_its_id_before_its_text(make_run: MakeRun) -> None:
    first = make_run("a", "x", task="hello there", attributes={"task_id": 7, "trial": 0})
    second = make_run("b", "x", task="good morning", attributes={"task_id": 7, "trial": 1})
    assert identify_task(first) == identify_task(second) is not None
    greeting = make_run("c", "x", task="h" * (MIN_TASK_CHARS - 1))
    assert identify_task(greeting) is None


def test_the_folder_tells_the_outcome_where_the_file_does_not(make_run: MakeRun) -> None:
    silent = make_run("a", "x", source="/data/runs/fail/deep/a.json")
    assert known_outcome(silent, root="/data/runs") is False
    assert known_outcome(silent, root="/data/runs/fail") is False
    # Where the scanned folder happens to stand says nothing about the run.
    assert known_outcome(silent, root="/data/runs/fail/deep") is None
    assert known_outcome(silent) is None
    says = make_run("a", "x", passed=True, source="/data/runs/fail/a.json")
    assert known_outcome(says, root="/data/runs") is True
    guessed = silent.model_copy(update={"outcome": Outcome(status="passed", source="guess")})
    assert known_outcome(guessed, root="/data/runs") is False


def test_evidence_names_the_sibling_and_the_counts(make_run: MakeRun) -> None:
    traces = [make_run(f"good{i}", *GOOD, passed=True) for i in range(3)]
    bad = make_run("bad", GOOD[0], *BAD[1:], passed=False)
    twin = make_run("twin", GOOD[0], *BAD[1:], passed=False)
    cohort = gather(*traces, bad, twin).of(bad)
    localizer = Localizer(top_k=3)
    found = localizer.localize(bad, cohort=cohort)
    before = {each.step: each.score for each in localizer.localize(bad).candidates}
    gain = {each.step: each.score - before[each.step] for each in found.candidates}
    assert max(gain, key=gain.__getitem__) == 1
    blamed = next(each for each in found.candidates if each.step == 1)
    claims = {each.signal: each.claim for each in blamed.evidence}
    assert "leaves passing run good0#1" in claims["repeats.diverges"]
    assert "2 of 2 failing and 0 of 3 passing runs" in claims["repeats.ochiai"]
    assert not found.calibrated
    assert sum(each.probability for each in found.candidates) <= 1.0 + 1e-9


def test_free_text_that_differs_everywhere_moves_nothing(make_run: MakeRun) -> None:
    good = make_run("good", "alpha one is here", "beta two was there", passed=True)
    bad = make_run("bad", "gamma three went by", "delta four came up", passed=False)
    cohort = gather(good, bad).of(bad)
    localizer = Localizer()
    alone, compared = localizer.localize(bad), localizer.localize(bad, cohort=cohort)
    assert [each.step for each in alone.candidates] == [each.step for each in compared.candidates]
