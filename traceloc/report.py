"""What a scan hands to a reporter: attributions as they come, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from traceloc.attribution import Attribution
from traceloc.errors import TracelocError
from traceloc.trace import Document

REPORT_SCHEMA_VERSION: Final = 1


class Problem(Document):
    """Something that could not be read or measured; never a score."""

    code: str
    """Stable code such as ``TL103``; see ``docs/errors.md``."""
    message: str
    path: str | None = None
    line: int | None = None
    """1-based."""
    byte: int | None = None
    """0-based offset in the decompressed data."""
    hint: str | None = None
    partial: bool = False
    """Whether other traces of the same file were still read."""

    @classmethod
    def of(cls, error: TracelocError) -> Problem:
        """The record of an error."""
        place = error.location
        return cls(
            code=error.code,
            message=error.message,
            path=place.path.encode("utf-8", "backslashreplace").decode() if place else None,
            line=place.line if place else None,
            byte=place.byte if place else None,
            hint=error.hint,
        )


class Passed(NamedTuple):
    """A trace that was left out because its run is known to have passed."""

    locator: str


class IgnoredFile(NamedTuple):
    """A file that is no trace."""

    path: str


Item = Attribution | Problem | Passed | IgnoredFile
"""What a scan yields."""


class Summary(Document):
    """How many traces and files came to what end."""

    read: int = 0
    """Traces read, whatever came of them."""
    located: int = 0
    abstained: int = 0
    unmeasured: int = 0
    """Traces that were read and could not be looked at."""
    hampered: int = 0
    """Traces that were looked at without a signal, because it failed on them."""
    judged: int = 0
    """Traces that a judge answered for."""
    unjudged: int = 0
    """Traces for which a judge was asked and gave no verdict; the ranker's answer stands."""
    passed: int = 0
    """Traces left out because their run is known to have passed."""
    acquitted: int = 0
    """Traces with a step that is blamed though their run passed by its own log; no gate fails on
    them."""
    unreadable: int = 0
    """Files that gave no trace at all."""
    damaged: int = 0
    """Files that were read in part."""
    ignored: int = 0
    """Files that are no traces."""

    @property
    def measured(self) -> int:
        """Traces that were looked at."""
        return self.located + self.abstained

    @property
    def coverage(self) -> float:
        """Share of what was asked for that was measured; an unreadable file counts as one trace."""
        asked = self.measured + self.unmeasured + self.unreadable
        return self.measured / asked if asked else 0.0


class ReportDocument(Document):
    """The document that ``--format json`` writes."""

    schema_version: Literal[1] = REPORT_SCHEMA_VERSION
    traceloc: str
    """Version that wrote it."""
    attributions: tuple[Attribution, ...]
    problems: tuple[Problem, ...]
    summary: Summary


class Report:
    """A stream of attributions that counts while it is read.

    Iterate it once; ``summary`` and ``problems`` are complete when the stream is.

    Args:
        items: What a scan yields.
        on_problem: Told of each problem as it comes.
    """

    def __init__(
        self, items: Iterable[Item], *, on_problem: Callable[[Problem], None] | None = None
    ) -> None:
        self._items = iter(items)
        self._on_problem = on_problem
        self._counts = dict.fromkeys(Summary.model_fields, 0)
        self._unreadable: set[str] = set()
        self._damaged: set[str] = set()
        self.problems: list[Problem] = []

    def __iter__(self) -> Iterator[Attribution]:
        for item in self._items:
            if isinstance(item, Attribution):
                self._counts["read"] += 1
                self._counts[item.status] += 1
                self._counts["acquitted"] += item.status == "located" and item.outcome == "passed"
                self._counts["hampered"] += any(d.kind == "failed" for d in item.diagnostics)
                if item.judgement is not None:
                    self._counts["judged" if item.judgement.answered else "unjudged"] += 1
                yield item
            elif isinstance(item, Problem):
                self._note(item)
            elif isinstance(item, Passed):
                self._counts["read"] += 1
                self._counts["passed"] += 1
            else:
                self._counts["ignored"] += 1

    def _note(self, problem: Problem) -> None:
        self.problems.append(problem)
        where = self._damaged if problem.partial else self._unreadable
        where.add(problem.path or f"#{len(self.problems)}")
        if self._on_problem is not None:
            self._on_problem(problem)

    @property
    def summary(self) -> Summary:
        """Counts of what was seen so far."""
        counts = self._counts | {
            "unreadable": len(self._unreadable),
            "damaged": len(self._damaged - self._unreadable),
        }
        return Summary(**counts)


@dataclass(frozen=True)
class ReportOptions:
    """How to render.

    Values a format has no use for are passed over: JSON has no width.
    """

    width: int = 100
    """Columns."""
    color: bool = False
    unicode: bool = True
    """Whether the target can show more than ASCII."""
    details: int = 3
    """Evidence lines for each step, at most."""
