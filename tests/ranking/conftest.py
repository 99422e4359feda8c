"""Small traces, fake signals and simulated choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from traceloc.contracts import Feature
from traceloc.ranking.fit import Example
from traceloc.ranking.table import FeatureSpec
from traceloc.trace import Step, Trace


class FakeSignal:
    """Gives what it is told to give."""

    api_version = 1

    def __init__(self, name: str, features: dict[str, Any], part: str = "shared") -> None:
        self.name = name
        self.values = features
        self.features = tuple(Feature(each, f"shows {each}", part) for each in features)

    def measure(self, graph: Any) -> Any:
        n = len(graph.steps)
        return np.array(
            [[value(s) for value in self.values.values()] for s in graph.steps]
        ).reshape(n, len(self.features))

    def explain(self, graph: Any, step: int, feature: str) -> Any:
        return None


@pytest.fixture
def fake_signal() -> type[FakeSignal]:
    return FakeSignal


@pytest.fixture
def make_trace() -> Callable[..., Trace]:
    """A trace from ``(native_index, kind, agent, text)`` rows, or with a dictionary of more."""

    def make(*rows: tuple[Any, ...], **fields: Any) -> Trace:
        steps = []
        for index, (native, kind, agent, text, *more) in enumerate(rows):
            role = {"result": "tool", "system": "system"}.get(kind, "assistant")
            extra = more[0] if more else {}
            steps.append(
                Step(
                    index=index,
                    native_index=native,
                    kind=kind,
                    role=role,
                    agent=agent,
                    text=text,
                    **extra,
                )
            )
        return Trace(id="t", format="fake", steps=tuple(steps), **fields)

    return make


@pytest.fixture
def specs() -> Callable[..., tuple[FeatureSpec, ...]]:
    def make(n: int, *, system: int = 0, sign: int = 0) -> tuple[FeatureSpec, ...]:
        """``n`` shared features, then ``system`` ones of the system part."""
        shared = [FeatureSpec(f"a.f{i}", "shared", sign) for i in range(n)]
        return (*shared, *(FeatureSpec(f"p.g{i}", "system", 0) for i in range(system)))

    return make


@pytest.fixture
def simulate() -> Callable[..., list[Example]]:
    """Traces whose error was drawn by a conditional logit with known weights."""

    def make(
        weights: list[float],
        *,
        traces: int,
        seed: int = 0,
        system: str = "s",
        candidates: int = 8,
    ) -> list[Example]:
        random = np.random.default_rng(seed)
        found = []
        for number in range(traces):
            n = int(random.integers(2, 2 * candidates))
            features = random.normal(size=(n, len(weights))).astype(np.float32)
            scores = features @ np.array(weights)
            p = np.exp(scores - scores.max())
            target = np.zeros(n)
            target[random.choice(n, p=p / p.sum())] = 1.0
            found.append(Example(features, target, system, f"{system}-{number}", False))
        return found

    return make
