"""Jobs over several processes: results in the order of the input, and a dead worker is a record."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from traceloc.errors import Location, TraceFormatError
from traceloc.loading.reading import Ignored, Job
from traceloc.report import Item, Problem
from traceloc.scanning import Progress, as_item

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

JOBS_IN_FLIGHT = 4
"""Jobs handed out for each worker, so that none waits and results do not pile up."""


class Work(Protocol):
    """What the processes are for; it is sent to each of them."""

    def prepare(self) -> Callable[[Job], list[Any]]:
        """What does one job, ready for many."""
        ...


_work: Callable[[Job], list[Any]] | None = None
"""Set once in each worker process: a localizer for each job would cost more than the job."""


def run_in_processes(
    entries: Iterable[Job | TraceFormatError | Ignored],
    *,
    workers: int,
    work: Work,
    on_progress: Progress | None = None,
) -> Iterator[Any]:
    """Yield what comes of each entry, in order; what is no job, or failed, is an ``Item``.

    Args:
        entries: What :func:`~traceloc.loading.plan` yields; read only as far ahead as needed.
        workers: Number of processes.
        work: What each process does with a job.
        on_progress: Told of each finished entry.
    """
    pool = _Pool(workers, work)
    waiting: deque[tuple[Job, Future[list[Any]]] | Item] = deque()
    stream = iter(entries)
    done = known = 0
    exhausted = False
    try:
        while True:
            while not exhausted and len(waiting) < workers * JOBS_IN_FLIGHT:
                entry = next(stream, None)
                if entry is None:
                    exhausted = True
                elif isinstance(entry, Job):
                    waiting.append((entry, pool.submit(entry)))
                else:
                    waiting.append(as_item(entry))
                known += not exhausted
            if not waiting:
                break
            head = waiting.popleft()
            if isinstance(head, tuple) and isinstance(head[0], Job):
                yield from pool.result(*head)
            else:
                yield head
            done += 1
            if on_progress is not None:
                on_progress(done, known)
        pool.close()
    except BaseException:
        # Ctrl-C, a closed pipe or a consumer that stops: nobody waits for the rest.
        pool.kill()
        raise


class _Pool:
    """A process pool that outlives the death of a worker."""

    def __init__(self, workers: int, work: Work) -> None:
        self._workers = workers
        self._work = work
        self._before: set[BaseProcess] = set(multiprocessing.active_children())
        self._executor = self._start(workers)

    def _start(self, workers: int) -> ProcessPoolExecutor:
        # spawn: a fork of a process with threads (a progress bar, a test runner) may deadlock.
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare,
            initargs=(self._work, gc.get_threshold()),
        )

    def submit(self, job: Job) -> Future[list[Any]]:
        with _deaf_to_interrupts():
            try:
                return self._executor.submit(_do, job)
            except BrokenProcessPool:
                self._executor.shutdown(wait=False)
                self._executor = self._start(self._workers)
                return self._executor.submit(_do, job)

    def result(self, job: Job, future: Future[list[Any]]) -> list[Any]:
        try:
            return future.result()
        except BrokenProcessPool:
            return self._alone(job)

    def _alone(self, job: Job) -> list[Any]:
        """Run a job again by itself: any of those in flight may have been the one that killed."""
        with self._start(1) as executor:
            try:
                with _deaf_to_interrupts():
                    future = executor.submit(_do, job)
                return future.result()
            except BrokenProcessPool:
                return [_death(job)]

    def close(self) -> None:
        self._executor.shutdown()

    def kill(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - self._before:
            process.terminate()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C from their first moment, before Python is up in them.

    It reaches every process of the terminal; the parent alone decides what it means.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _death(job: Job) -> Problem:
    return Problem.of(
        TraceFormatError(
            "the process that read it died, perhaps for want of memory",
            code="TL198",
            hint="read it alone with --jobs 1 to see more",
            location=Location(job.paths[0]),
        )
    )


def _prepare(work: Work, collector: tuple[int, int, int]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*collector)  # a new process does not inherit what the command has set
    _work = work.prepare()


def _do(job: Job) -> list[Any]:
    if _work is None:
        raise RuntimeError("the worker process was not prepared")
    return _work(job)
