"""What the other runs of a task add: step accuracy with and without them, and what it costs.

    python benchmarks/repeats.py DATASET...

Outcomes are those of ``labels.jsonl``, else of the folders. The cohort never sees a label.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from traceloc.categories import find_category, normalise_category
from traceloc.evaluation.datasets import LabelledTrace, read_datasets
from traceloc.graph import TraceGraph
from traceloc.localizer import Localizer
from traceloc.ranking.table import measure
from traceloc.repeats import Cohorts, weigh_with_cohort
from traceloc.repeats.cohort import known_outcome

RESAMPLES = 2000


def compare(root: str, localizer: Localizer) -> str:
    """One row of the table."""
    items = read_datasets([root]).items
    start = time.perf_counter()
    cohorts = Cohorts()
    for item in items:
        known = item.passed if item.passed is not None else known_outcome(item.trace, root=root)
        cohorts.add(item.trace, passed=known)
    cohort_time, alone_time = time.perf_counter() - start, 0.0
    hits: list[tuple[float, float, float, float]] = []
    groups: list[str] = []
    compared = 0
    for item in items:
        if not item.labels:
            continue
        start = time.perf_counter()
        graph = TraceGraph(item.trace)
        table = measure(graph, localizer.signals)
        scores = localizer.model.score(table)
        alone_time += time.perf_counter() - start
        start = time.perf_counter()
        cohort = cohorts.of(item.trace)
        joined = scores
        if cohort is not None:
            compared += 1
            joined, _ = weigh_with_cohort(graph, table, scores, cohort)
        cohort_time += time.perf_counter() - start
        gold = {label.native_index for label in item.labels}
        pair = [[int(i) for i in table.native[each.order]] for each in (scores, joined)]
        top = [float(each[0] in gold) for each in pair]
        three = [float(not gold.isdisjoint(each[:3])) for each in pair]
        hits.append((top[0], top[1], three[0], three[1]))
        groups.append(item.group)
    found = np.array(hits)
    alone, joined_top, alone_3, joined_3 = found.mean(axis=0) * 100
    low, high = interval(found[:, 1] - found[:, 0], groups)
    return (
        f"| {Path(root).name} | {len(found)} | {compared} | {len(set(groups))} "
        f"| {alone:.1f} | {joined_top:.1f} | {low:+.1f} to {high:+.1f} "
        f"| {alone_3:.1f} | {joined_3:.1f} | {cohort_time / alone_time:.1%} |"
    )


def interval(difference: np.ndarray, groups: list[str]) -> tuple[float, float]:
    """95% of paired bootstrap differences, drawn by group (seed 0), in points."""
    names = sorted(set(groups))
    members = [[i for i, group in enumerate(groups) if group == name] for name in names]
    rng = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(names), len(names))
        means.append(difference[[i for each in drawn for i in members[each]]].mean())
    low, high = np.quantile(means, (0.025, 0.975)) * 100
    return float(low), float(high)


def name_categories(root: str, localizer: Localizer) -> str | None:
    """One row of the table of categories."""
    told = [item for item in read_datasets([root]).items if item.labels]
    golds = [(item, normalise_category(item.labels[0].category or "")) for item in told]
    known = [(item, gold.name) for item, gold in golds if gold is not None]
    if not known:
        return None
    names = [gold for _, gold in known]
    counts = {"rank 1": [0, 0], "label": [0, 0]}
    for item, gold in known:
        for where, step in (("rank 1", None), ("label", item.labels[0].native_index)):
            named = name_one(item, localizer, native=step)
            counts[where][0] += named is not None
            counts[where][1] += named is not None and gold in named
    majority = max(names.count(name) for name in names)
    cells = " | ".join(f"{right} of {n}" for n, right in counts.values())
    return (
        f"| {Path(root).name} | {len(told)} | {len(known)} | {cells} | {majority} of {len(known)} |"
    )


def name_one(
    item: LabelledTrace, localizer: Localizer, *, native: int | None
) -> tuple[str | None, str | None] | None:
    """The names given to rank 1, or to a step of the source."""
    graph = TraceGraph(item.trace)
    table = measure(graph, localizer.signals)
    if native is None:
        position = int(localizer.model.score(table).order[0])
    else:
        where = np.flatnonzero(table.native == native)
        if not len(where):
            return None
        position = int(where[0])
    families = {signal.name: signal for signal in localizer.signals}
    found = find_category(graph, table, families, step=int(table.candidates[position]))
    return None if found is None else (found.mast, found.agentrx)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+")
    arguments = parser.parse_args()
    localizer = Localizer()
    print(f"model {localizer.model.name!r}\n")
    print(
        "| set | labelled | with a passing run | groups | step alone | with the other runs ", end=""
    )
    print("| difference, 95% | top 3 alone | with | extra time |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for root in arguments.datasets:
        try:
            print(compare(root, localizer))
        except (ValueError, IndexError):
            print(f"| {Path(root).name} | no labelled run |")
    print("\n| set | labelled | category known | right at rank 1 | right at the label | majority |")
    print("|---|---|---|---|---|---|")
    for root in arguments.datasets:
        row = name_categories(root, localizer)
        if row is not None:
            print(row)


if __name__ == "__main__":
    main()
