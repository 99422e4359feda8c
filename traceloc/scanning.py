"""From paths to a stream of attributions, in one process or several, always in the same order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any, Protocol

from traceloc.attribution import Attribution
from traceloc.errors import Location, TraceFormatError, TracelocError, UsageError
from traceloc.loading.reading import Ignored, Job, plan, run
from traceloc.quoting import say_count
from traceloc.registry import Registry
from traceloc.repeats.cohort import Cohort, Cohorts, Observation, known_outcome, observe
from traceloc.repeats.survey import Entry, Found, sample_outcomes, survey
from traceloc.report import IgnoredFile, Item, Passed, Problem
from traceloc.settings import NO_MEMORY, Settings, SystemTable
from traceloc.trace import Trace

PARALLEL_BYTES = 8 * 1024 * 1024
"""Input from which a second process pays: starting one costs about as much as reading 2 MiB."""
PROBLEMS_PER_JOB = 20
MAX_RANKED = 2000


class Localizes(Protocol):
    """What a scan needs of a localizer."""

    def localize(self, trace: Trace, *, cohort: Cohort | None = None) -> Attribution:
        """The answer for one trace; never raises.

        Args:
            trace: The run.
            cohort: Other runs of its task; left out where there are none.
        """
        ...


@dataclass(frozen=True)
class ScanOptions:
    """What to look at and how."""

    loader: str | None = None
    """Loader to use; sniffed where it is left out."""
    system: str | None = None
    systems: SystemTable = field(default_factory=SystemTable)
    """Names of systems by path, from the settings."""
    top_k: int = 3
    coverage: float | None = None
    """Probability with which a window of steps shall hold the decisive error."""
    only_failed: bool = False
    model: str | None = None
    jobs: int | None = None
    """Processes; ``None`` takes as many as there are processors, if the input is worth it."""
    strict: bool = False
    """Make any broken plugin fatal."""
    labels: bool = False
    """Whether to learn from the labels of this project or user."""
    memory: str | None = NO_MEMORY
    """Address of the failure memory; ``None`` takes that of this project or user."""
    memory_embedder: str = "hashed"

    @classmethod
    def of(cls, settings: Settings) -> ScanOptions:
        """What the settings say about a scan."""
        return cls(
            loader=settings.from_,
            system=settings.system,
            systems=settings.systems,
            top_k=settings.top_k,
            coverage=settings.coverage,
            only_failed=settings.only_failed,
            model=settings.model,
            jobs=settings.jobs,
            strict=settings.strict,
            labels=settings.labels,
            memory=settings.memory,
            memory_embedder=settings.memory_embedder,
        )


Factory = Callable[[ScanOptions, Registry], Localizes]
Progress = Callable[[int, int], None]
"""Told how many jobs are done and how many are known."""


def build_localizer(options: ScanOptions, registry: Registry) -> Localizes:
    """The localizer that the options ask for.

    Raises:
        TracelocError: If the model or the labels cannot be used, or a plugin that was asked for is
            broken.
    """
    from traceloc.labels.home import find_label_store
    from traceloc.localizer import Localizer
    from traceloc.memory.opening import find_filled_memory

    localizer: Localizes = Localizer(
        options.model,
        top_k=options.top_k,
        coverage=options.coverage,
        registry=registry,
        labels=find_label_store() if options.labels else None,
        memory=find_filled_memory(
            options.memory, embedder=options.memory_embedder, registry=registry
        ),
    )
    return localizer


def scan(
    paths: Iterable[str],
    *,
    options: ScanOptions,
    factory: Factory | None = None,
    registry: Registry | None = None,
    on_progress: Progress | None = None,
) -> Iterator[Item]:
    """What comes of each trace below the paths, in the order of the input, as a stream.

    Results come as soon as they and all before them are there. What cannot be read is a
    :class:`~traceloc.report.Problem` in the stream.

    Args:
        paths: Files, directories, globs, ``-``.
        options: What to look at and how.
        factory: Makes the localizer; a module-level function, because each process calls it.
        registry: Plugins to use; the installed ones if left out.
        on_progress: Told of each finished job.

    Raises:
        TracelocError: If the loader or the model that was asked for cannot be used.
    """
    registry = registry or Registry(strict=options.strict or None)
    factory = factory or build_localizer
    # Now, and not in the stream: a model that does not fit is met once, before anything is printed.
    localizer = factory(options, registry)
    if options.loader is not None:
        registry.get("loaders", options.loader)
    planned = plan(paths, format=options.loader, registry=registry)
    workers = options.jobs or _processors()
    ahead: list[Any] = []
    if workers > 1 and _worth_it(planned, ahead, explicit=options.jobs is not None):
        work = Work(options, factory)
        entries = chain(ahead, planned)
        return _run_in_pool(entries, workers=workers, work=work, on_progress=on_progress)
    told = None if on_progress is None else partial(_tell, on_progress, known=len(ahead))
    entries = chain(ahead, planned)
    return _run_here(entries, localizer, options=options, registry=registry, told=told)


def _run_in_pool(
    planned: Iterator[Entry], *, workers: int, work: Work, on_progress: Progress | None
) -> Iterator[Item]:
    from traceloc.parallel import run_in_processes

    registry = Registry(strict=work.options.strict or None)
    read = partial(read_job, options=work.options, registry=registry)
    entries, known = sample_outcomes(planned, read)
    if known:
        entries.extend(planned)
        cohorts = Cohorts()
        looked_at = run_in_processes(entries, workers=workers, work=Look(work.options))
        for seen in looked_at:
            if isinstance(seen, Observation):
                cohorts.take(seen)
        work = replace(work, cohorts=cohorts.only_mixed())
    yield from run_in_processes(
        chain(entries, planned), workers=workers, work=work, on_progress=on_progress
    )


def _run_here(
    entries: Iterable[Job | TraceFormatError | Ignored],
    localizer: Localizes,
    *,
    options: ScanOptions,
    registry: Registry,
    told: Callable[[int], None] | None,
) -> Iterator[Item]:
    planned = iter(entries)
    first = survey(planned, partial(read_job, options=options, registry=registry))
    for done, (entry, found) in enumerate(first.with_rest(planned), 1):
        if isinstance(entry, Job):
            yield from scan_job(
                entry,
                localizer=localizer,
                options=options,
                registry=registry,
                cohorts=first.cohorts,
                found=found,
            )
        else:
            yield as_item(entry)
        if told is not None:
            told(done)


def _tell(on_progress: Progress, done: int, *, known: int) -> None:
    on_progress(done, max(done, known))


def localize_fully(trace: Trace, *, settings: Settings, registry: Registry) -> Attribution:
    """The answer for one trace with every step ranked, up to :data:`MAX_RANKED` of them."""
    options = replace(ScanOptions.of(settings), top_k=min(max(1, len(trace.steps)), MAX_RANKED))
    return build_localizer(options, registry).localize(trace)


def read_job(job: Job, *, options: ScanOptions, registry: Registry) -> Iterator[Found]:
    """Load the files of one job, with the name of the system that the options give."""
    system = options.system or options.systems.find(job.paths[0])
    return run(job, system=system, registry=registry)


def gather_cohorts(
    paths: Iterable[str], *, options: ScanOptions, registry: Registry
) -> tuple[Cohorts, list[Problem]]:
    """The runs below the paths by task, and what could not be read."""
    cohorts, problems = Cohorts(), []
    for entry in plan(paths, format=options.loader, registry=registry):
        if isinstance(entry, Job):
            for item in read_job(entry, options=options, registry=registry):
                if isinstance(item, Trace):
                    cohorts.add(item, passed=known_outcome(item, root=entry.root))
                else:
                    problems.append(Problem.of(item))
        elif isinstance(entry, TraceFormatError):
            problems.append(Problem.of(entry))
    return cohorts, problems


def confirmed_step(trace: Trace, *, options: ScanOptions, registry: Registry) -> int:
    """The step that is meant where somebody confirms an answer without naming it.

    Raises:
        UsageError: ``TL507`` if no step of the trace is blamed.
    """
    attribution = build_localizer(options, registry).localize(trace)
    if attribution.top is None:
        raise UsageError(
            f"{attribution.status}: {attribution.reason or 'no step is blamed'}",
            code="TL507",
            hint=f"name the step: traceloc label {trace.locator()}#STEP",
            location=Location(trace.locator()),
        )
    return attribution.top.step


def scan_job(
    job: Job,
    *,
    localizer: Localizes,
    options: ScanOptions,
    registry: Registry,
    cohorts: Cohorts | None = None,
    found: Iterable[Found] | None = None,
) -> Iterator[Item]:
    """Yield what comes of the traces of one job.

    Args:
        job: Files that are loaded together.
        localizer: Gives the answers.
        options: What to look at and how.
        registry: Plugins to use.
        cohorts: Runs of the scan by task, where a first pass has gathered them.
        found: What the job holds, where it has been read already.
    """
    any_trace = False
    problems: list[Problem] = []
    for item in read_job(job, options=options, registry=registry) if found is None else found:
        if isinstance(item, TraceFormatError):
            problems.append(Problem.of(item))
            continue
        any_trace = True
        if options.only_failed and item.outcome.status == "passed":
            yield Passed(item.locator())
            continue
        cohort = None
        if cohorts is not None and cohorts.tasks:
            cohort = cohorts.of(item, passed=known_outcome(item, root=job.root))
        if cohort is None:
            answer = localizer.localize(item)
        else:
            answer = localizer.localize(item, cohort=cohort)
        if item.outcome.status != "unknown":
            answer = answer.model_copy(update={"outcome": item.outcome.status})
        yield answer
    for problem in problems[:PROBLEMS_PER_JOB]:
        yield problem.model_copy(update={"partial": any_trace})
    if len(problems) > PROBLEMS_PER_JOB:
        yield Problem(
            code="TL112",
            message=f"has {say_count(len(problems) - PROBLEMS_PER_JOB, 'more problem')} like these",
            path=job.paths[0],
            partial=any_trace,
        )


def as_item(entry: TraceFormatError | Ignored) -> Item:
    """What a planned entry that is no job means for the report."""
    if isinstance(entry, TraceFormatError):
        return Problem.of(entry)
    return IgnoredFile(entry.path)


@dataclass(frozen=True)
class Work:
    """What a worker process does with a job: picklable, built once in each process."""

    options: ScanOptions
    factory: Factory
    cohorts: Cohorts | None = None
    """Runs by task, where some were run several times."""

    def prepare(self) -> Callable[[Job], list[Item]]:
        """What does one job, ready for many."""
        registry = Registry(strict=self.options.strict or None)
        localizer = self.factory(self.options, registry)

        def work(job: Job) -> list[Item]:
            try:
                return list(
                    scan_job(
                        job,
                        localizer=localizer,
                        options=self.options,
                        registry=registry,
                        cohorts=self.cohorts,
                    )
                )
            except TracelocError as error:
                return [Problem.of(error)]

        return work


@dataclass(frozen=True)
class Look:
    """The first pass in a worker process: how the runs of a job came out, and their actions."""

    options: ScanOptions

    def prepare(self) -> Callable[[Job], list[Any]]:
        """What looks at one job, ready for many."""
        registry = Registry(strict=self.options.strict or None)

        def look(job: Job) -> list[Any]:
            # What cannot be read is reported by the second pass.
            return [
                observe(found, passed=known_outcome(found, root=job.root))
                for found in read_job(job, options=self.options, registry=registry)
                if isinstance(found, Trace)
            ]

        return look


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _worth_it(planned: Iterator[Any], ahead: list[Any], *, explicit: bool) -> bool:
    """Look ahead until there is enough work for a second process, or no more input."""
    jobs = size = 0
    for entry in planned:
        ahead.append(entry)
        if isinstance(entry, Job):
            jobs += 1
            size += sum(_size(path) for path in entry.paths)
        if jobs > 1 and (explicit or size >= PARALLEL_BYTES):
            return True
    return False


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0
