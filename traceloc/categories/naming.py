"""From what a step measures to a name for what went wrong, or to silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from traceloc.attribution import Evidence, FailureCategory
from traceloc.categories.table import CATEGORIES, Category
from traceloc.ranking.table import FeatureTable

if TYPE_CHECKING:
    from traceloc.contracts import Signal
    from traceloc.graph import TraceGraph

MIN_SCORE = 1.5
"""Less says nothing: one decisive rule that fires in full, or three or four weak ones."""
MIN_MARGIN = 0.5
"""How far the best category must be ahead of the next."""
FULL_DEVIATIONS = 2.0
"""Standard deviations above the mean step of the trace at which a feature counts in full."""


def normalise_category(name: str) -> Category | None:
    """The category a label means, whatever its spelling; ``None`` for one of another taxonomy."""
    key = _key(name)
    code = re.match(r"\s*(?:fm-?)?(\d\.\d)\b", name, re.IGNORECASE)
    return _by_spelling().get(key) or (_by_spelling().get(code[1]) if code else None)


def find_category(
    graph: TraceGraph,
    table: FeatureTable,
    signals: Mapping[str, Signal],
    *,
    step: int,
) -> FailureCategory | None:
    """Name what went wrong in a step, or keep silent.

    The score of a category is the sum of its rules' weights times how far each feature stands out
    in the trace, 0 to 1. Of equal categories none is ahead, so none is named.

    Args:
        graph: The trace.
        table: Its measurements.
        signals: Families by name; the one whose rule counts most gives the evidence.
        step: Row of the blamed step.
    """
    presence = _presence(table, step)
    scored = sorted(
        ((_score(category, presence), category) for category in CATEGORIES if category.rules),
        key=lambda pair: -pair[0],
    )
    (best, category), (second, _) = scored[0], scored[1]
    if best < MIN_SCORE or best - second < MIN_MARGIN:
        return None
    evidence = _explain(category, presence, graph, signals, step)
    if evidence is None:
        return None
    names = {category.taxonomy: category.name}
    if category.nearest is not None:
        names["agentrx" if category.taxonomy == "mast" else "mast"] = category.nearest
    return FailureCategory(
        mast=names.get("mast"), agentrx=names.get("agentrx"), score=best, evidence=evidence
    )


_WANTED = frozenset(name for category in CATEGORIES for name, _ in category.rules)
"""Features that some rule reads."""


def _presence(table: FeatureTable, step: int) -> dict[str, float]:
    """How far each feature of the rules stands out in a step, 0 to 1."""
    columns = [i for i, feature in enumerate(table.features) if feature.name in _WANTED]
    values = table.matrix[table.candidates[:, None], columns].astype(np.float64)
    spreads = values.std(axis=0)
    above = table.matrix[step, columns].astype(np.float64) - values.mean(axis=0)
    return {
        table.features[column].name: min(1.0, over / (FULL_DEVIATIONS * spread))
        for column, over, spread in zip(columns, above.tolist(), spreads.tolist(), strict=True)
        if spread > 0 and over > 0
    }


def _score(category: Category, presence: Mapping[str, float]) -> float:
    return sum(weight * presence.get(name, 0.0) for name, weight in category.rules)


def _explain(
    category: Category,
    presence: Mapping[str, float],
    graph: TraceGraph,
    signals: Mapping[str, Signal],
    step: int,
) -> Evidence | None:
    """The evidence of the rule that counts most and can point at something."""
    order = sorted(category.rules, key=lambda rule: -rule[1] * presence.get(rule[0], 0.0))
    for name, weight in order:
        family, _, feature = name.partition(".")
        if name not in presence or family not in signals:
            continue
        try:
            evidence = signals[family].explain(graph, step, feature)
        except Exception:  # noqa: S112 - the plugin boundary; the ranking has recorded the failure
            continue
        if evidence is not None and evidence.cites:
            counted = {"signal": name, "contribution": weight * presence[name]}
            return evidence.model_copy(update=counted)
    return None


def _key(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", name.casefold().replace("'", "")).split()
    while len(words) > 1 and words[-1] in ("failure", "failures", "error"):
        words.pop()
    return " ".join(words)


@cache
def _by_spelling() -> dict[str, Category]:
    found = {}
    for category in CATEGORIES:
        for name in (category.name, *category.variants):
            found[_key(name)] = category
        if category.code is not None:
            found[category.code] = category
    return found
