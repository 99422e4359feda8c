"""Runs that belong to one task, gathered in a first pass over the traces of a scan."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import NamedTuple

from traceloc.repeats.sketch import RunSketch, identify_run, sketch_run
from traceloc.trace import Trace

MAX_RUNS = 64
"""Runs of either outcome that are kept of a task; more only repeat what these say."""
MAX_ITEMS_KEPT = 400_000
"""Items kept over all tasks, some 100 MB; beyond, runs are counted and not compared."""
MIN_TASK_CHARS = 24
"""A shorter text may be a greeting, with which runs of different tasks begin."""

_TASK_IDS = frozenset(
    {"taskid", "instanceid", "questionid", "problemid", "exampleid", "caseid", "scenarioid"}
)
_PASSED = frozenset({"pass", "passed", "passing", "success", "successes", "successful"})
_FAILED = frozenset({"fail", "failed", "failing", "failure", "failures"})


@dataclass(frozen=True)
class Cohort:
    """The other runs of a task, as one run sees them.

    The outcome of the run itself does not enter: a scan takes every run for a failing one.
    """

    run: RunSketch
    passing: tuple[RunSketch, ...]
    """At least one."""
    failing: tuple[RunSketch, ...]
    """Other failing runs; may be empty, as the run itself is one."""

    @cached_property
    def position_of(self) -> dict[int, int]:
        """Position of each item by the step that stands for it."""
        return {item.step: i for i, item in enumerate(self.run.items)}


@dataclass
class Task:
    """Runs of one task by one system."""

    name: str
    """The source's id, else the beginning of its text."""
    system: str | None = None
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    runs: list[RunSketch] = field(default_factory=list)

    @property
    def is_mixed(self) -> bool:
        """Whether there is a passing run and another one to compare with it."""
        return self.passed > 0 and self.failed + self.unknown > 0

    def having(self, passed: bool | None) -> list[RunSketch]:
        """Sketches of the runs with this outcome."""
        return [run for run in self.runs if run.passed is passed]


class Observation(NamedTuple):
    """What a first look at a run gives."""

    task: str | None
    """Key of its task; ``None`` where it is not known."""
    name: str
    """What the task is called."""
    system: str | None
    passed: bool | None
    sketch: RunSketch | None
    """``None`` where the outcome is unknown, or the run cannot be compared."""


def observe(trace: Trace, *, passed: bool | None) -> Observation:
    """Look at a run; nothing of its text is kept."""
    key = identify_task(trace)
    wanted = key is not None and passed is not None
    return Observation(
        task=key,
        name=_name_task(trace),
        system=trace.system,
        passed=passed,
        sketch=sketch_run(trace, passed=passed) if wanted else None,
    )


class Cohorts:
    """Sketches of runs by task; holds no text of any trace.

    Runs are compared within a system only: agents of another system do other things anyway.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.known = 0
        """Runs whose outcome is known."""
        self._items = 0

    def add(self, trace: Trace, *, passed: bool | None) -> None:
        """Take a run in.

        Args:
            trace: The run.
            passed: How it came out; ``None`` where nobody knows.
        """
        self.take(observe(trace, passed=passed))

    def take(self, seen: Observation) -> None:
        """Take in a run that was looked at elsewhere, perhaps in another process."""
        passed, sketch = seen.passed, seen.sketch
        self.known += passed is not None
        if seen.task is None:
            return
        task = self.tasks.get(seen.task)
        if task is None:
            task = self.tasks[seen.task] = Task(seen.name, seen.system)
        task.passed += passed is True
        task.failed += passed is False
        task.unknown += passed is None
        if sketch is None or passed is None or len(task.having(passed)) >= MAX_RUNS:
            return
        if self._items + len(sketch.items) <= MAX_ITEMS_KEPT:
            self._items += len(sketch.items)
            task.runs.append(sketch)

    def only_mixed(self) -> Cohorts:
        """What is worth sending to other processes: tasks with a passing run and another one."""
        found = Cohorts()
        found.tasks = {key: task for key, task in self.tasks.items() if task.is_mixed}
        found.known = self.known
        return found

    def of(self, trace: Trace, *, passed: bool | None = None) -> Cohort | None:
        """The runs to compare a run with; ``None`` where none of them passed, or it passed itself.

        Args:
            trace: The run.
            passed: How it came out; ``None`` where nobody knows.
        """
        task = self.tasks.get(identify_task(trace) or "") if self.tasks else None
        if passed or task is None or not task.is_mixed:
            return None
        key = identify_run(trace)
        run = next((each for each in task.runs if each.key == key), None)
        if run is None:
            run = sketch_run(trace, passed=None)
        if run is None:
            return None
        others = [each for each in task.runs if each.key != key]
        passing = tuple(each for each in others if each.passed)
        failing = tuple(each for each in others if each.passed is False)
        return Cohort(run, passing, failing) if passing else None


def identify_task(trace: Trace) -> str | None:
    """A key that runs of one task by one system share; ``None`` where the task is not known.

    The source's own id of the task counts before its text: a simulated user says it differently
    each time.
    """
    identifier = _task_id(trace)
    if identifier is not None:
        return f"{trace.system}\x1fid\x1f{identifier}"
    text = " ".join((trace.task or "").split()).casefold()
    if len(text) < MIN_TASK_CHARS:
        return None
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{trace.system}\x1ftext\x1f{digest}"


def _task_id(trace: Trace) -> str | None:
    for name, value in trace.attributes.items():
        if (
            name.casefold().replace("_", "") in _TASK_IDS
            and isinstance(value, str | int)
            and str(value)
        ):
            return str(value)
    return None


def _name_task(trace: Trace) -> str:
    words = " ".join((trace.task or "").split())
    identifier = _task_id(trace)
    return words[:120] if identifier is None else identifier[:120]


def known_outcome(trace: Trace, *, root: str | None = None) -> bool | None:
    """Whether a run passed, as its file says, or the folder somebody put it in.

    Args:
        trace: The run; an outcome that was guessed from its text does not count.
        root: Folder that was scanned. Its own name and those below it count: ``passed``,
            ``success`` and the like, ``failed`` and the like, the nearest to the file first.
    """
    outcome = trace.outcome
    if outcome.status != "unknown" and outcome.source != "guess":
        return outcome.status == "passed"
    if root is None or not trace.source:
        return None
    return outcome_of_folder(_folders(trace.source, root))


def outcome_of_folder(names: Sequence[str]) -> bool | None:
    """What the names of folders say, the innermost last."""
    for name in reversed(names):
        if name.casefold() in _PASSED:
            return True
        if name.casefold() in _FAILED:
            return False
    return None


def _folders(source: str, root: str) -> tuple[str, ...]:
    path, base = PurePath(source).parent, PurePath(root)
    try:
        return (base.name, *path.relative_to(base).parts)
    except ValueError:
        return ()
