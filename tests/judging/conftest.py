from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from traceloc import Trace

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def fenced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait between tries, and no key of whoever runs the tests."""
    monkeypatch.setattr("traceloc.judging.asking.RETRY_WAIT", 0.0)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TRACELOC_JUDGE_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def trip(talk: Callable[..., Trace]) -> Trace:
    """A run in which step 3 invents a price and step 5 repeats it."""
    return talk(
        ("user", "Book the train from Bergen to Oslo on 3 May and tell me the price."),
        ("Boss", "Desk, look up the fares from Bergen to Oslo.", {"to": ("Desk",)}),
        ("tool.fares", '{"fares": [{"train": "R42", "price": 410}]}'),
        ("Desk", "I assume the fare is 295 kroner, as it was last year."),
        ("Boss", "Good. Write to the traveller.", {"to": ("Clerk",)}),
        ("Clerk", "Your ticket costs 295 kroner. Write to ola@example.org with questions."),
        task="Book the train from Bergen to Oslo on 3 May and tell me the price.",
    )
