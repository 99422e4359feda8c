"""Folders of labelled traces in traceloc's own format, and measured traces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from traceloc.contracts import Feature
from traceloc.evaluation.preparing import Prepared
from traceloc.ranking.table import FeatureSpec, FeatureTable
from traceloc.trace import Agent, Label, Outcome, Step, Trace, Truth


class WordSignal:
    """Tells whether a step says a word, and how long it is."""

    name = "word"
    api_version = 1
    features = (Feature("wrong", "says 'wrong'"), Feature("length", "is long"))

    def measure(self, graph: Any) -> Any:
        rows = [("wrong" in step.text, len(step.text) / 100) for step in graph.steps]
        return np.array(rows, dtype=np.float32).reshape(len(graph.steps), 2)

    def explain(self, graph: Any, step: int, feature: str) -> Any:
        return None


@pytest.fixture
def word_signal() -> WordSignal:
    return WordSignal()


def build_trace(texts: list[str], *, id: str = "t", source: str = "", **fields: Any) -> Trace:
    """A trace in which agents a and b take turns."""
    steps = tuple(
        Step(
            index=i,
            native_index=i,
            kind="message",
            role="assistant",
            agent="ab"[i % 2],
            text=text,
        )
        for i, text in enumerate(texts)
    )
    agents = (Agent(name="a", kind="worker"), Agent(name="b", kind="worker"))
    return Trace(id=id, format="native", source=source, steps=steps, agents=agents, **fields)


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """A folder of traces whose errors say 'wrong', and labels beside them or inside."""

    def make(
        name: str,
        *,
        traces: int = 12,
        inside: bool = False,
        groups: list[str] | None = None,
        texts: Callable[[int, int], str] | None = None,
        rows: Callable[[int, dict[str, Any]], dict[str, Any] | None] = lambda i, row: row,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        labels = []
        for i in range(traces):
            gold = 1 + i % 4
            said = [
                texts(i, j) if texts else f"{name} run {i} step {j}" + " wrong" * (j == gold)
                for j in range(6)
            ]
            truth: dict[str, Any] = {}
            if inside:
                label = Label(native_index=gold, agent="ab"[gold % 2])
                truth = {
                    "truth": Truth(labels=(label,)),
                    "outcome": Outcome(status="failed", source="label"),
                }
            trace = build_trace(
                said, id=f"{i:02}", source=str(folder / f"{i:02}.json"), task=f"q{i}", **truth
            )
            (folder / f"{i:02}.json").write_text(trace.model_dump_json())
            row = rows(
                i,
                {
                    "file": f"{i:02}.json",
                    "trace": f"{i:02}",
                    "group": groups[i] if groups else f"{name}-{i}",
                    "agent": "ab"[gold % 2],
                    "step": gold,
                },
            )
            if row is not None:
                labels.append(row)
        if not inside:
            (folder / "labels.jsonl").write_text("".join(json.dumps(r) + "\n" for r in labels))
        return folder

    return make


@pytest.fixture
def prepared() -> Callable[..., Prepared]:
    """A measured trace of ``n`` candidates."""

    def make(
        number: int,
        *,
        dataset: str = "d",
        system: str | None = None,
        group: str | None = None,
        n: int = 6,
        label: int | None = 2,
        passed: bool | None = None,
    ) -> Prepared:
        random = np.random.default_rng(number)
        matrix = random.normal(size=(n, 2)).astype(np.float32)
        if label is not None:
            matrix[label, 0] += 2
        rows = np.arange(n)
        features = (FeatureSpec("a.x", "shared", 0), FeatureSpec("b.y", "shared", 0))
        return Prepared(
            key=f"{dataset}/{number}",
            locator=f"{dataset}/{number}",
            dataset=dataset,
            system=system or dataset,
            group=group or f"{dataset}-{number}",
            passed=passed,
            table=FeatureTable(matrix, features, rows, rows),
            agents=tuple("ab"[i % 2] for i in range(n)),
            labels=frozenset() if label is None else frozenset({label}),
            blamed_agents=frozenset() if label is None else frozenset({"ab"[label % 2]}),
            rules={"first acting step": 0},
            digest=str(number),
        )

    return make


@pytest.fixture
def trace_of() -> Callable[..., Trace]:
    return build_trace
