"""Repeated runs as text: how reliable each task is, and where its failures come from."""

from __future__ import annotations

from collections.abc import Iterator

from traceloc.quoting import say_count
from traceloc.repeats.statistics import RepeatsDocument, TaskRepeats
from traceloc.report import ReportOptions
from traceloc.reporting.terminal import Paint, clip, one_line, pasteable, wrap
from traceloc.reporting.text import to_target

POINTS_SHOWN = 3
SUSPECTS_SHOWN = 3


def render_repeats(document: RepeatsDocument, *, options: ReportOptions) -> Iterator[str]:
    """Yield a block for each task, then the means over all."""
    paint = Paint(options.color)
    for task in document.tasks:
        lines = [*_task(task, paint, options.width), ""]
        yield "".join(to_target(line, options) for line in lines)
    yield "".join(to_target(line, options) for line in _means(document))
    yield "".join(to_target(paint.dim(line), options) for line in _legend(document, options.width))


def _task(task: TaskRepeats, paint: Paint, width: int) -> Iterator[str]:
    runs = task.passed + task.failed
    yield paint.bold(clip(one_line(task.task), width))
    facts = [
        f"{task.passed} of {say_count(runs, 'run')} passed",
        *_rates(task.pass_at, task.pass_all),
    ]
    if task.unknown:
        facts.append(f"{task.unknown} of unknown outcome")
    if task.incoherence is not None:
        compared = sum(point.runs for point in task.failure_points)
        facts.append(f"incoherence of {say_count(compared, 'failure')} {task.incoherence:.2f}")
    yield "  " + clip(" · ".join(facts), width - 2)
    for number, point in enumerate(task.failure_points[:POINTS_SHOWN]):
        label = "parts" if number == 0 else ""
        failing = say_count(task.failed, "failing run")
        words = f"{point.runs} of {failing} at {one_line(point.action)!r}"
        place = paint.cyan(pasteable(point.example))
        yield f"  {label:<8}{clip(words, width - 10)}"
        yield f"  {'':<8}{place}"
    for number, each in enumerate(task.suspicious[:SUSPECTS_SHOWN]):
        label = "suspect" if number == 0 else ""
        words = (
            f"{each.ochiai:.2f}  {each.failing} of {task.failed} failing, "
            f"{each.passing} of {task.passed} passing: {one_line(each.action)!r}"
        )
        yield f"  {label:<8}{clip(words, width - 10)}"


def _means(document: RepeatsDocument) -> Iterator[str]:
    facts = [
        f"{say_count(len(document.tasks), 'task')} run more than once",
        *_rates(document.pass_at, document.pass_all),
        f"bias² {document.bias:.2f}, variance {document.variance:.2f}",
    ]
    if document.incoherence is not None:
        facts.append(f"incoherence of failures {document.incoherence:.2f}")
    yield " · ".join(facts)


def _legend(document: RepeatsDocument, width: int) -> Iterator[str]:
    """What the numbers mean that are in no dictionary."""
    words = []
    if any(task.failure_points for task in document.tasks):
        words.append("parts: where failing runs leave the nearest passing one for good")
    if any(task.suspicious for task in document.tasks):
        words.append(
            "suspect: 1 if all failing and no passing runs do it, 0 if no failing (Ochiai)"
        )
    if document.incoherence is not None:
        words.append("incoherence: chance that two failures are at different actions")
    for each in words:
        yield from wrap(each, width)


def _rates(at_least_one: dict[int, float], all_of: dict[int, float]) -> Iterator[str]:
    if not at_least_one:
        return
    yield f"pass@1 {at_least_one[1]:.2f}"
    k = max(at_least_one)
    if k > 1:
        yield f"pass@{k} {at_least_one[k]:.2f}"
        yield f"pass^{k} {all_of[k]:.2f}"
