"""Hints from the failure memory: what a run recalls, without where those failures stood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from traceloc.attribution import Attribution
from traceloc.judgement import JudgeHint
from traceloc.memory.schema import ErrorSchema
from traceloc.trace import Trace

if TYPE_CHECKING:
    from traceloc.memory import FailureMemory
    from traceloc.memory.sketch import TraceSketch

SHOWN = 3
"""Hints for one trace."""


class Remembers(Protocol):
    """What is needed of a localizer."""

    memory: FailureMemory | None

    def sketch(self, trace: Trace) -> TraceSketch:
        """The masked steps of a trace, as the memory compares them."""
        ...


class MemoryHints:
    """The schemata that candidates look like, above the memory's own threshold.

    Args:
        localizer: Has the memory, and measures traces for it.
    """

    def __init__(self, localizer: Remembers) -> None:
        self._localizer = localizer

    @property
    def pool(self) -> tuple[JudgeHint, ...]:
        """Everything the memory could hint at, in a fixed order."""
        memory = self._localizer.memory
        if memory is None:
            return ()
        return tuple(make_hint(each) for each in sorted(memory.schemata(), key=lambda s: s.id))

    def find(self, trace: Trace, attribution: Attribution) -> Sequence[JudgeHint]:
        """Hints for a trace, the most alike first; none where nothing is similar.

        Raises:
            StoreError: If the memory cannot be read.
        """
        memory = self._localizer.memory
        if memory is None or memory.empty:
            return ()
        sketch = self._localizer.sketch(trace)
        recalled = memory.recall(sketch, n_candidates=attribution.n_candidates)
        best: dict[str, JudgeHint] = {}
        matches = [match for each in recalled.matches.values() for match in each]
        for match in sorted(matches, key=lambda match: (-match.similarity, match.schema.id)):
            best.setdefault(match.schema.id, make_hint(match.schema, match.similarity))
        return tuple(best.values())[:SHOWN]


def make_hint(schema: ErrorSchema, similarity: float | None = None) -> JudgeHint:
    """What of a schema a judge may see: its signature and questions, and no sighting."""
    return JudgeHint(
        signature=schema.template or schema.signature.text or schema.title,
        questions=schema.heuristics,
        category=schema.agentrx or schema.mast,
        similarity=similarity,
    )
