"""Numbers in sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from traceloc.quoting import say_count

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("trace",), "0 traces"),
        (1, ("trace",), "1 trace"),
        (2, ("more step",), "2 more steps"),
        (1, ("new schema", "new schemata"), "1 new schema"),
        (3, ("new schema", "new schemata"), "3 new schemata"),
    ],
)
def test_a_number_agrees_with_its_noun(number: int, words: tuple[str, ...], said: str) -> None:
    assert say_count(number, *words) == said


def test_no_report_counts_by_hand() -> None:
    """A plural right behind a braced number says "1 traces" one day."""
    nouns = "traces|steps|runs|files|labels|schemata|failures|questions|times|tokens|checks|plugins"
    by_hand = re.compile(rf"\{{[^{{}}:]+\}} (?:[a-z]+ )?(?:{nouns})\b")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for folder in ("cli", "reporting")
        for path in sorted((ROOT / "traceloc" / folder).rglob("*.py"))
        for match in by_hand.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
