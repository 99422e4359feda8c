"""Hints from a file: one JSON object of a :class:`~traceloc.judgement.JudgeHint` a line."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from traceloc.attribution import Attribution
from traceloc.errors import Location, UsageError
from traceloc.judgement import JudgeHint
from traceloc.trace import Trace

SHOWN = 3
"""Hints for one trace."""
THRESHOLD = 0.08
"""Share of words in common from which a failing step is taken to look alike."""
LOOKED_AT = 5
"""Candidates that hints are looked up for."""


class HintFile:
    """Hints that are shown where a candidate has enough words in common with their signature.

    Args:
        hints: All there are.
    """

    def __init__(self, hints: Sequence[JudgeHint]) -> None:
        self.pool = tuple(hints)
        self._words = [_words(hint.signature) for hint in self.pool]

    def find(self, trace: Trace, attribution: Attribution) -> Sequence[JudgeHint]:
        """Hints above the threshold, the most alike first."""
        seen = [_words(trace.steps[c.step].text[:4000]) for c in attribution.candidates[:LOOKED_AT]]
        scored = []
        for i, words in enumerate(self._words):
            likeness = max((_overlap(words, each) for each in seen), default=0.0)
            if likeness >= THRESHOLD:
                scored.append((-likeness, i))
        return [
            self.pool[i].model_copy(update={"similarity": -likeness})
            for likeness, i in sorted(scored)[:SHOWN]
        ]


class HintSource(Protocol):
    """Where hints come from: the failure memory, or a file."""

    @property
    def pool(self) -> Sequence[JudgeHint]:
        """All hints there are."""
        ...

    def find(self, trace: Trace, attribution: Attribution) -> Sequence[JudgeHint]:
        """Hints from failures that look alike, above the threshold; none is an answer too."""
        ...


class RandomHints:
    """As many hints as another source would give, but any: what hints must be measured against.

    Args:
        source: Whose hints are replaced, by any of its pool.
    """

    def __init__(self, source: HintSource) -> None:
        self._source = source
        self.pool = tuple(source.pool)

    def find(self, trace: Trace, attribution: Attribution) -> Sequence[JudgeHint]:
        """Hints drawn by the trace alone, the same ones each time."""
        wanted = len(self._source.find(trace, attribution))
        seed = hashlib.blake2b(trace.id.encode("utf-8", "replace"), digest_size=8).hexdigest()
        count = min(wanted, len(self.pool))
        return random.Random(seed).sample(self.pool, count)  # noqa: S311


def read_hints(path: str | Path) -> HintFile:
    """The hints of a file.

    Raises:
        UsageError: ``TL606`` if it cannot be read, with the line.
    """
    found = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"hints cannot be read: {error}", code="TL606", location=Location(str(path))
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(JudgeHint.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(
                f"is no hint: {'.'.join(map(str, first['loc']))}: {first['msg']}",
                code="TL606",
                hint='expected {"signature": "…", "questions": ["…"], "category": "…"}',
                location=Location(str(path), line=number),
            ) from error
    return HintFile(found)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in text.casefold().split() if len(word) > 3)


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / min(len(left), len(right)) if left and right else 0.0
