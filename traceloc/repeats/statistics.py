"""How reliably a task is solved over its runs, and whether its failures have one cause or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb
from typing import Literal

from pydantic import Field

from traceloc.repeats.cohort import Cohorts, Task
from traceloc.repeats.divergence import find_divergence
from traceloc.repeats.evidence import blamed_position
from traceloc.repeats.sketch import RunSketch
from traceloc.repeats.spectrum import (
    Counts,
    count_actions,
    dstar,
    ochiai,
    rank_actions,
    tarantula,
)
from traceloc.trace import Document

ACTIONS_SHOWN = 5
"""Suspicious actions of a task; only such as more of the failing than of the passing runs hold."""


class SuspiciousAction(Document):
    """An action and in how many runs it occurs."""

    action: str
    failing: int
    passing: int
    ochiai: float
    tarantula: float
    dstar: float


class FailurePoint(Document):
    """An action with which failing runs leave the nearest passing run for good."""

    action: str
    runs: int
    example: str
    """Locator of the first such step."""


class TaskRepeats(Document):
    """Runs of one task by one system."""

    task: str
    system: str | None = None
    passed: int
    failed: int
    unknown: int = 0
    pass_at: dict[int, float]
    """k: chance that at least one of k runs passes."""
    pass_all: dict[int, float]
    """k: chance that all of k runs pass, "pass^k"."""
    bias: float
    """Squared bias of the outcome against success, 0 to 1."""
    variance: float
    """Variance of the outcome; with ``bias`` it sums to the share of failing runs."""
    incoherence: float | None = None
    """Chance that two failing runs fail at different actions, 0 to 1; ``None`` for fewer than two
    that leave a passing run."""
    failure_points: tuple[FailurePoint, ...] = ()
    """Commonest first."""
    suspicious: tuple[SuspiciousAction, ...] = ()
    """By Ochiai; equal ones by their first place in a failing run."""


class RepeatsDocument(Document):
    """What ``traceloc repeats --format json`` writes."""

    schema_version: Literal[1] = 1
    traceloc: str
    """Version that wrote it."""
    tasks: tuple[TaskRepeats, ...]
    """Tasks with at least two runs of known outcome, in the order of the input."""
    pass_at: dict[int, float] = Field(default_factory=dict)
    """Mean over the tasks with at least k runs."""
    pass_all: dict[int, float] = Field(default_factory=dict)
    bias: float = 0.0
    """Mean over tasks."""
    variance: float = 0.0
    incoherence: float | None = None
    """Mean over the tasks that have one."""


def pass_at_k(n: int, passed: int, k: int) -> float:
    """Chance that at least one of ``k`` runs passes: ``1 - C(n - c, k) / C(n, k)``.

    Unbiased; Chen et al. (2021), "Evaluating large language models trained on code".
    """
    return 1.0 - comb(n - passed, k) / comb(n, k)


def pass_all_k(n: int, passed: int, k: int) -> float:
    """Chance that all of ``k`` runs pass, "pass^k": ``C(c, k) / C(n, k)``.

    Unbiased; Yao et al. (2024), "tau-bench: a benchmark for tool-agent-user interaction".
    """
    return comb(passed, k) / comb(n, k)


def measure_incoherence(points: Sequence[str]) -> float | None:
    """Chance that two failures, drawn without replacement, are of different kinds.

    Simpson (1949), "Measurement of diversity", without bias: ``1 - sum(n_i (n_i - 1)) / (n
    (n - 1))``. 0 where all fail alike, 1 where each fails in its own way.

    Args:
        points: Where each failing run fails.
    """
    n = len(points)
    if n < 2:
        return None
    return 1.0 - sum(c * (c - 1) for c in Counter(points).values()) / (n * (n - 1))


def describe_repeats(cohorts: Cohorts, *, version: str) -> RepeatsDocument:
    """Statistics of every task that was run at least twice with a known outcome."""
    tasks = tuple(
        describe_task(task) for task in cohorts.tasks.values() if task.passed + task.failed > 1
    )
    incoherent = [task.incoherence for task in tasks if task.incoherence is not None]
    return RepeatsDocument(
        traceloc=version,
        tasks=tasks,
        pass_at=_mean_by_k(task.pass_at for task in tasks),
        pass_all=_mean_by_k(task.pass_all for task in tasks),
        bias=_mean([task.bias for task in tasks]),
        variance=_mean([task.variance for task in tasks]),
        incoherence=_mean(incoherent) if incoherent else None,
    )


def describe_task(task: Task) -> TaskRepeats:
    """Statistics of the runs of one task; of those of unknown outcome only the number counts."""
    n = task.passed + task.failed
    share = task.passed / n
    failing, passing = task.having(False), task.having(True)
    points = _failure_points(failing, passing) if passing else {}
    where = [action for action, examples in points.items() for _ in examples]
    return TaskRepeats(
        task=task.name,
        system=task.system,
        passed=task.passed,
        failed=task.failed,
        unknown=task.unknown,
        pass_at={k: pass_at_k(n, task.passed, k) for k in _ks(n)},
        pass_all={k: pass_all_k(n, task.passed, k) for k in _ks(n)},
        bias=(1 - share) ** 2,
        variance=share * (1 - share),
        incoherence=measure_incoherence(where),
        failure_points=tuple(
            FailurePoint(action=action, runs=len(points[action]), example=points[action][0])
            for action in sorted(points, key=lambda each: -len(points[each]))
        ),
        suspicious=_suspicious(failing, passing),
    )


def _ks(n: int) -> list[int]:
    """1, 2, 4, 8 … as far as there are runs."""
    return [2**i for i in range(n.bit_length())]


def _failure_points(
    failing: Iterable[RunSketch], passing: Sequence[RunSketch]
) -> dict[str, list[str]]:
    """Locators of the steps where runs leave the nearest passing one, by action."""
    points: dict[str, list[str]] = {}
    for run in failing:
        divergence = find_divergence(run, passing)
        position = None if divergence is None else blamed_position(run, divergence)
        if position is not None:
            item = run.items[position]
            points.setdefault(item.action, []).append(f"{run.locator}#{item.step}")
    return points


def _suspicious(
    failing: Sequence[RunSketch], passing: Sequence[RunSketch]
) -> tuple[SuspiciousAction, ...]:
    if not failing or not passing:
        return ()
    # Earlier places come first, so that the tie rule can be told from the order alone.
    placed = sorted(
        ((i, item.action) for run in failing for i, item in enumerate(run.items) if item.acting),
        key=lambda pair: pair[0],
    )
    counts = count_actions(
        dict.fromkeys(action for _, action in placed),
        failing=[frozenset(item.action for item in run.items) for run in failing],
        passing=[frozenset(item.action for item in run.items) for run in passing],
    )
    telling = {action: each for action, each in counts.items() if _tells(each)}
    return tuple(
        SuspiciousAction(
            action=action,
            failing=telling[action].ef,
            passing=telling[action].ep,
            ochiai=ochiai(telling[action]),
            tarantula=tarantula(telling[action]),
            dstar=dstar(telling[action]),
        )
        for action in rank_actions(telling)[:ACTIONS_SHOWN]
    )


def _tells(counts: Counts) -> bool:
    return counts.ef * counts.passing > counts.ep * counts.failing


def _mean_by_k(each: Iterable[dict[int, float]]) -> dict[int, float]:
    values: dict[int, list[float]] = {}
    for one in each:
        for k, value in one.items():
            values.setdefault(k, []).append(value)
    return {k: _mean(values[k]) for k in sorted(values)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
