"""What an evaluation needs of a trace, measured once; fits are then a matter of milliseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from traceloc.contracts import Signal
from traceloc.errors import UsageError
from traceloc.evaluation.baselines import pick_by_rules
from traceloc.evaluation.datasets import LabelledTrace
from traceloc.graph import TraceGraph
from traceloc.ranking.fit import Example
from traceloc.ranking.table import FeatureSpec, FeatureTable, describe, list_versions, measure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """One labelled trace without its text."""

    key: str
    locator: str
    dataset: str
    system: str
    group: str
    passed: bool | None
    table: FeatureTable
    """Holds the rows of the candidates only."""
    agents: tuple[str, ...]
    """Agent of each candidate, normalised."""
    labels: frozenset[int]
    """Labelled native indices; empty where no step is blamed."""
    blamed_agents: frozenset[str]
    rules: dict[str, int]
    """Position of the candidate that each trivial rule names."""
    digest: str
    """Of content and labels, for the provenance of a model."""
    begun: float | None = None
    """When the run began, in seconds since 1970, where the trace says it."""

    @property
    def native(self) -> list[int]:
        """Native index of each candidate."""
        return [int(each) for each in self.table.native]

    @property
    def labelled(self) -> bool:
        """Whether it can be scored: it blames a step, and there are candidates."""
        return bool(self.labels) and bool(self.agents)

    @property
    def joined(self) -> bool:
        """Whether a labelled step is a candidate."""
        return not self.labels.isdisjoint(self.native)

    def example(self) -> Example:
        """The same for a fit."""
        target = np.array([each in self.labels for each in self.native], dtype=np.float64)
        return Example(
            features=self.table.matrix,
            target=target / max(target.sum(), 1.0),
            system=self.system,
            group=self.group,
            passed=False if self.labels else self.passed,
            run=self.table.run,
        )

    def keep(self, columns: Sequence[int]) -> Prepared:
        """The same with some of the features."""
        table = replace(
            self.table,
            matrix=np.ascontiguousarray(self.table.matrix[:, columns]),
            features=tuple(self.table.features[i] for i in columns),
        )
        return replace(self, table=table)


@dataclass(frozen=True)
class Corpus:
    """Labelled traces with the features that were measured on them."""

    items: tuple[Prepared, ...]
    features: tuple[FeatureSpec, ...]
    signals: dict[str, str]
    """Version of each signal."""
    failures: dict[str, int]
    """How often a signal failed, by message."""

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the signals, in order."""
        return tuple(dict.fromkeys(feature.family for feature in self.features))

    @property
    def digest(self) -> str:
        """Of every content and label, in order."""
        found = hashlib.blake2b(digest_size=16)
        for item in self.items:
            found.update(f"{item.dataset}\x1f{item.digest}\x1e".encode())
        return found.hexdigest()

    def only(self, families: Iterable[str]) -> Corpus:
        """The same with some families of features.

        Raises:
            UsageError: If there is no such family.
        """
        wanted = set(families)
        if unknown := sorted(wanted - set(self.families)):
            raise UsageError(
                f"there is no signal {unknown[0]!r}", hint=f"there are: {', '.join(self.families)}"
            )
        columns = [i for i, each in enumerate(self.features) if each.family in wanted]
        return replace(
            self,
            items=tuple(item.keep(columns) for item in self.items),
            features=tuple(self.features[i] for i in columns),
        )


def prepare(items: Iterable[LabelledTrace], signals: Sequence[Signal]) -> Corpus:
    """Measure labelled traces."""
    failures: dict[str, int] = {}
    prepared = []
    for item in items:
        one = prepare_item(item, signals)
        for diagnostic in one.table.diagnostics:
            failures[diagnostic.message] = failures.get(diagnostic.message, 0) + 1
        prepared.append(one)
    return Corpus(tuple(prepared), describe(signals), list_versions(signals), failures)


def prepare_item(item: LabelledTrace, signals: Sequence[Signal]) -> Prepared:
    """Measure one trace and keep what does not need its text."""
    trace = item.trace
    table = measure(TraceGraph(trace), signals)
    agents = tuple(normalise_agent(trace.steps[i].agent) for i in table.candidates)
    labels = frozenset(each.native_index for each in item.labels if each.native_index is not None)
    stated = {normalise_agent(each.agent) for each in item.labels if each.agent}
    if stated.isdisjoint(normalise_agent(step.agent) for step in trace.steps):
        # A name the trace does not use cannot be hit; the agent of the labelled step is meant.
        stated = {
            agent for agent, native in zip(agents, table.native, strict=True) if native in labels
        }
    rules = pick_by_rules(trace, [int(i) for i in table.candidates])
    content = hashlib.blake2b(digest_size=16)
    for step in trace.steps:
        content.update(
            f"{step.native_index}\x1f{step.agent}\x1f{step.text}\x1e".encode(errors="replace")
        )
    content.update(
        repr((sorted(labels), item.passed, item.group, item.system)).encode(errors="replace")
    )
    rows = np.arange(len(table.candidates), dtype=np.int64)
    return Prepared(
        key=item.key,
        locator=trace.locator(),
        dataset=item.dataset,
        system=item.system,
        group=item.group,
        passed=item.passed,
        table=replace(table, matrix=table.matrix[table.candidates], candidates=rows),
        agents=agents,
        labels=labels,
        blamed_agents=frozenset(stated),
        rules=rules,
        digest=content.hexdigest(),
        begun=min((s.timestamp.timestamp() for s in trace.steps if s.timestamp), default=None),
    )


def normalise_agent(name: str) -> str:
    """A name as it is compared: case, spaces and underscores do not count."""
    return "".join(name.casefold().replace("_", " ").split())
