"""What a failure memory adds to a ranking, and whether it is the memory that adds it.

The memory holds the traces a split learns from. Beside the nearest neighbours of each step there
are controls: neighbours drawn at random, the failing steps of the most similar whole traces (as
CORRECT retrieves, arXiv 2509.24088), and the explanations that people wrote. Each control has its
own gate, so that none is handicapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from traceloc.evaluation.datasets import LabelledTrace
from traceloc.evaluation.preparing import Corpus
from traceloc.graph import TraceGraph
from traceloc.memory.contrast import contrast_matrix
from traceloc.memory.embedders.hashed import HashedEmbedder
from traceloc.memory.gate import Gate, Trial, learn_gate
from traceloc.memory.masking import mask_step, mask_text, names_of
from traceloc.memory.recall import Recollection
from traceloc.memory.settings import DEFAULTS, MemorySettings
from traceloc.ranking.table import find_candidates
from traceloc.trace import Label

MemoryMode = Literal["none", "random", "nearest", "whole-trace", "prose"]
MEMORY_MODES: tuple[MemoryMode, ...] = ("none", "random", "nearest", "whole-trace", "prose")

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]

ALIKE_TRACES = 5
"""Whole traces whose steps are looked at: CORRECT's number for its own set."""


@dataclass(frozen=True)
class Remembered:
    """Every trace of a corpus as a memory would hold it."""

    steps: tuple[Vectors, ...]
    """Vectors of the candidates of each trace."""
    failing: tuple[NDArray[np.bool_], ...]
    traces: Vectors
    """One vector a trace: the mean of its steps."""
    prose: tuple[Vectors | None, ...]
    """Vector of the explanation somebody gave, where there is one."""
    groups: NDArray[np.str_]
    settings: MemorySettings = DEFAULTS

    def odds(self, i: int, members: Sequence[int], mode: MemoryMode, *, seed: int = 0) -> Floats:
        """What a memory of some traces says of the candidates of one; of mean 0."""
        own = self.steps[i]
        if mode == "none" or not members or not len(own):
            return np.zeros(len(own))
        if mode == "prose":
            return self._by_prose(own, members)
        chosen = list(members)
        if mode == "whole-trace":
            alike = self.traces[chosen] @ self.traces[i]
            order = np.argsort(-np.round(alike, 6), kind="stable")[:ALIKE_TRACES]
            chosen = [chosen[int(place)] for place in order]
        rows = np.concatenate([self.steps[j] for j in chosen])
        failing = np.concatenate([self.failing[j] for j in chosen])
        similar = np.asarray(own @ rows.T, dtype=np.float64)
        if mode == "random":
            return self._by_chance(similar, failing, np.random.default_rng([seed, i]))
        usable = np.ones(len(rows), dtype=np.bool_)
        return contrast_matrix(similar, failing, usable, self.settings)

    def gate(
        self,
        members: Sequence[int],
        mode: MemoryMode,
        *,
        scores: Mapping[int, Floats],
        seed: int = 0,
    ) -> Gate:
        """Whether a memory of these traces may vote.

        Args:
            members: What it holds.
            mode: Which neighbours.
            scores: What the ranker alone says of their candidates without having learned from them.
            seed: Of the random control.
        """
        trials = []
        for j in members:
            if j not in scores:
                continue
            others = [k for k in members if self.groups[k] != self.groups[j]]
            odds = self.odds(j, others, mode, seed=seed)
            trials.append(Trial(str(self.groups[j]), scores[j], odds, self.failing[j]))
        return learn_gate(trials, self.settings)

    def recall(
        self,
        i: int,
        members: Sequence[int],
        mode: MemoryMode,
        *,
        gate: Gate,
        seed: int = 0,
    ) -> Recollection:
        """What a memory of these traces says of one more, with the vote it has."""
        n = len(self.steps[i])
        odds = self.odds(i, members, mode, seed=seed) if gate.open else np.zeros(n)
        return Recollection(odds, gate=gate)

    def _by_prose(self, own: Vectors, members: Sequence[int]) -> Floats:
        known = [vector for j in members if (vector := self.prose[j]) is not None]
        if not known:
            return np.zeros(len(own))
        similar = np.asarray(own @ np.stack(known).T, dtype=np.float64)
        k = min(self.settings.failing_neighbours, similar.shape[1])
        near = np.partition(similar, similar.shape[1] - k, axis=1)[:, -k:]
        odds = np.log(np.exp(near / self.settings.temperature).mean(axis=1))
        return np.asarray(odds - odds.mean(), dtype=np.float64)

    def _by_chance(
        self, similar: Floats, failing: NDArray[np.bool_], random: np.random.Generator
    ) -> Floats:
        """The same contrast, but each step gets neighbours drawn at random, and not the nearest."""
        parts = []
        counts = (self.settings.failing_neighbours, self.settings.ordinary_neighbours)
        for kind, count in zip((True, False), counts, strict=True):
            columns = similar[:, failing == kind]
            if not columns.shape[1]:
                return np.zeros(len(similar))
            drawn = np.argsort(random.random(columns.shape), axis=1)[:, :count]
            near = np.take_along_axis(columns, drawn, axis=1)
            parts.append(np.log(np.exp(near / self.settings.temperature).mean(axis=1)))
        odds = parts[0] - parts[1]
        return np.asarray(odds - odds.mean(), dtype=np.float64)


def remember_corpus(
    items: Sequence[LabelledTrace], corpus: Corpus, *, settings: MemorySettings = DEFAULTS
) -> Remembered:
    """Mask and embed every candidate of a corpus, once.

    Words are weighed over all of it; that looks at no label.
    """
    texts: list[list[str]] = []
    for item in items:
        graph = TraceGraph(item.trace)
        names = names_of(graph)
        candidates, _ = find_candidates(graph.steps)
        texts.append([mask_step(graph.steps[int(row)], names) for row in candidates])
    embedder = HashedEmbedder()
    embedder = embedder.with_state(embedder.weigh(text for each in texts for text in each))
    steps = tuple(embedder.embed(each) for each in texts)
    means = np.stack([each.sum(axis=0) for each in steps])
    length = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    prose = []
    for item in items:
        said = " ".join(label.reason for label in _reasons(item) if label.reason)
        prose.append(embedder.embed([mask_text(said)])[0] if said else None)
    failing = tuple(
        np.isin(one.table.native, sorted(one.labels)) if one.labels else np.zeros(len(v), np.bool_)
        for one, v in zip(corpus.items, steps, strict=True)
    )
    return Remembered(
        steps=steps,
        failing=failing,
        traces=(means / length).astype(np.float32),
        prose=tuple(prose),
        groups=np.array([one.group for one in corpus.items]),
        settings=settings,
    )


def _reasons(item: LabelledTrace) -> tuple[Label, ...]:
    """Labels of the set, and those inside the file: one of them may say why."""
    inside = item.trace.truth.labels if item.trace.truth is not None else ()
    return (*item.labels, *inside)
