"""The first pass over a scan: which tasks were run several times, with what outcomes.

What fits into memory is read once and handed on. Where no run says how it came out there is nothing
to compare with, and the pass ends early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from traceloc.errors import TraceFormatError
from traceloc.loading.reading import Ignored, Job
from traceloc.repeats.cohort import Cohorts, known_outcome
from traceloc.trace import Trace

MAX_KEPT = 16 * 1024 * 1024
"""Characters of traces that are kept between the two passes; of more, nothing is."""
MAX_KEPT_BYTES = 4 * MAX_KEPT
"""Files larger than this are not expected to fit, so that their first result need not wait."""
SAMPLE = 32
"""Traces after which the pass ends if it cannot keep them and none says how it came out."""

_STEP_CHARS = 256
"""What a step weighs beside its text."""

Entry = Job | TraceFormatError | Ignored
Found = Trace | TraceFormatError
Read = Callable[[Job], Iterator[Found]]


class Surveyed(NamedTuple):
    """An entry of the plan, with its traces where they are still there."""

    entry: Entry
    found: Iterable[Found] | None


@dataclass
class Survey:
    """What the first pass learned, and what is left for the second."""

    cohorts: Cohorts = field(default_factory=Cohorts)
    entries: list[Entry] = field(default_factory=list)
    """What was planned so far; the rest of the plan comes after it."""
    kept: dict[int, Iterable[Found]] = field(default_factory=dict)
    """Traces by position of their entry; of the one at which the pass ended, the rest to come."""

    def with_rest(self, planned: Iterable[Entry]) -> Iterator[Surveyed]:
        """Every entry in order; what was kept is let go as it is handed on."""
        for position, entry in enumerate(chain(self.entries, planned)):
            yield Surveyed(entry, self.kept.pop(position, None))


def survey(planned: Iterator[Entry], read: Read) -> Survey:
    """Read what is planned, and keep it while there is room.

    Args:
        planned: Entries of a scan; left where the pass ended.
        read: Gives the traces of a job.
    """
    found = Survey()
    kept_chars: int | None = 0
    seen = 0
    # While everything is kept, no run need be looked at before one is known to have passed.
    waiting: list[tuple[Trace, bool | None]] = []
    for entry in planned:
        found.entries.append(entry)
        if not isinstance(entry, Job):
            continue
        if _size(entry) > MAX_KEPT_BYTES:
            kept_chars = None
            found.kept.clear()
        mine: list[Found] | None = []
        held = 0
        items = read(entry)
        for item in items:
            if mine is not None:
                mine.append(item)
            if not isinstance(item, Trace):
                continue
            seen += 1
            waiting.append((item, known_outcome(item, root=entry.root)))
            chars = sum(_STEP_CHARS + len(step.text) for step in item.steps)
            held += chars
            if kept_chars is not None:
                kept_chars += chars
                if kept_chars > MAX_KEPT:
                    kept_chars = None
                    found.kept.clear()
            if kept_chars is None:
                _take_in(found.cohorts, waiting)
                if held > MAX_KEPT or found.cohorts.known:
                    mine = None
                if seen >= SAMPLE and not found.cohorts.known:
                    if mine is not None:
                        # Gone on with: to open it again may mean to search it again.
                        found.kept[len(found.entries) - 1] = chain(mine, items)
                    return found
        if kept_chars is not None and mine is not None:
            found.kept[len(found.entries) - 1] = mine
    if any(passed for _, passed in waiting):
        _take_in(found.cohorts, waiting)
    found.cohorts = found.cohorts.only_mixed()
    return found


def _size(job: Job) -> int:
    """Bytes of its files, as far as they can be told."""
    sizes = 0
    for path in job.paths:
        with suppress(OSError):
            sizes += Path(path).stat().st_size
    return sizes


def _take_in(cohorts: Cohorts, waiting: list[tuple[Trace, bool | None]]) -> None:
    for trace, passed in waiting:
        cohorts.add(trace, passed=passed)
    waiting.clear()


def sample_outcomes(planned: Iterator[Entry], read: Read) -> tuple[list[Entry], bool]:
    """Whether one of the first traces says how it came out, and the entries looked at."""
    entries: list[Entry] = []
    seen = 0
    for entry in planned:
        entries.append(entry)
        if not isinstance(entry, Job):
            continue
        for item in read(entry):
            if isinstance(item, Trace):
                seen += 1
                if known_outcome(item, root=entry.root) is not None:
                    return entries, True
                if seen == SAMPLE:
                    return entries, False
    return entries, False
