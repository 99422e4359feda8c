"""Ten thousand damaged files over all loaders, the same ones each time, and a fuzzer that sees."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from traceloc.loading import Source
from traceloc.registry import Registry

COUNT = 10_000
SMALL = 4_000
"""Bytes of the largest sample that is used: more variants come of small ones in the same time."""


class Careless:
    """A loader that does what the fuzzer must notice."""

    api_version = 1

    def __init__(self, name: str) -> None:
        self.name = name

    def sniff(self, head: Any) -> float:
        return float("nan") if self.name == "unsure" else 0.5

    def load(self, sources: Sequence[Source]) -> Any:
        if self.name == "wrong":
            raise KeyError("role")
        if self.name == "endless":
            until = time.process_time() + 1
            while time.process_time() < until:
                try:
                    sum(range(1000))
                except BaseException:  # even one that catches everything
                    continue
        if self.name == "greedy":
            assert len(b"x" * (340 * 2**20))
        return []


class Shelf:
    """A registry with careless loaders only."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def all(self, kind: str) -> tuple[Careless, ...]:
        return tuple(map(Careless, self._names))


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark, which holds the fuzzer."""
    folder = Path(__file__).parents[2] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    import fuzz

    return fuzz


def test_damage_gives_traces_or_a_format_error(fuzz: Any) -> None:
    registry = Registry()
    seedlings = fuzz.gather(registry, samples=fuzz.SHARED / "samples", largest=SMALL)
    assert {seedling.loader for seedling in seedlings} >= set(registry.names("loaders"))
    tally = fuzz.Tally()
    fuzz.Fuzzer(registry, seedlings, fuzz.SEED).run(iter(range(COUNT)), tally)
    assert not tally.failures
    assert tally.done == COUNT
    # Damage that nobody could read anything from would prove little.
    assert sum(tally.refused.values()) < COUNT / 2


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("wrong", "KeyError"),
        ("unsure", "sniff gives nan"),
        ("endless", "takes|not done after"),
        ("greedy", "the memory it may"),
    ],
)
def test_the_fuzzer_sees(fuzz: Any, monkeypatch: pytest.MonkeyPatch, name: str, what: str) -> None:
    monkeypatch.setattr(fuzz, "SECONDS", 0.2 if name == "endless" else 10.0)
    seedling = fuzz.Seedling("a sample", name, fuzz.Files.of({"messages": ["How many lamps?"]}))
    tally = fuzz.Tally()
    fuzz.Fuzzer(Shelf(name), [seedling], 1).run(iter([0]), tally)
    (failure,) = tally.failures
    assert re.search(what, failure.what)


HUGE = 10**400
DEEP: Any = "x"
for _ in range(130):
    DEEP = {"a": [DEEP]}


def change(value: Any, name: str, new: Any) -> int:
    """Give every field of a name another value; tells how many there were."""
    if isinstance(value, list):
        return sum(change(inner, name, new) for inner in value)
    if not isinstance(value, dict):
        return 0
    found = sum(change(inner, name, new) for key, inner in value.items() if key != name)
    if name in value:
        value[name] = new
    return found + (name in value)


@pytest.mark.parametrize(
    ("loader", "name", "new"),
    [
        ("smolagents", "input_tokens", HUGE),
        ("tau_bench", "reward", HUGE),
        ("tau2", "cost", HUGE),
        ("tau2", "prompt_tokens", -1),
    ],
)
def test_numbers_that_no_field_can_hold(
    documents: dict[str, Any], loader: str, name: str, new: Any
) -> None:
    document = documents[loader]
    before = steps_of(loader, json.dumps(document))
    assert before and change(document, name, new)
    assert steps_of(loader, json.dumps(document)) == before


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "c1", "name": "stock", "input": DEEP},
        {"type": "strange", "value": DEEP},
        {"type": "text", "text": DEEP},
    ],
)
def test_blocks_that_are_nested_too_deeply(block: dict[str, Any]) -> None:
    line = {
        "type": "assistant",
        "uuid": "u1",
        "sessionId": "s",
        "message": {"role": "assistant", "content": [block]},
    }
    assert steps_of("claude_code", json.dumps(line)) == 1


def steps_of(loader: str, text: str) -> int:
    """Steps that a loader makes of a document."""
    source = Source("-", content=text.encode())
    return sum(len(trace.steps) for trace in Registry().get("loaders", loader).load([source]))


def test_variants_are_the_same_each_time(fuzz: Any) -> None:
    registry = Registry()
    seedlings = fuzz.gather(registry, samples=None)
    made = [
        [fuzz.Fuzzer(registry, seedlings, 1).make(number) for number in range(40)] for _ in range(2)
    ]
    assert made[0] == made[1]
    assert made[0] != [fuzz.Fuzzer(registry, seedlings, 2).make(number) for number in range(40)]
