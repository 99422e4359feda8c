"""What a few confirmed answers of one system are worth.

    python benchmarks/fewshot.py [SHARED/data] [--seeds 10]

The same as ``python -m traceloc.evaluation DATA --protocol fewshot --seeds 10``, with paired
differences to no labels, and with what an adaptation costs. The prior is fitted on the other
systems only, without any group they share with the set that is asked.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from record import write_result
from shared_data import DATA

from traceloc.evaluation.evaluate import evaluate
from traceloc.evaluation.statistics import bootstrap_difference
from traceloc.evaluation.summary import ItemRow, Row
from traceloc.ranking.adapt import Answer, adapt_model
from traceloc.ranking.model import FeatureWeight, RankingModel
from traceloc.ranking.table import FeatureSpec

HEAD = (
    "set",
    "labels",
    "step",
    "95%",
    "top-3",
    "agent",
    "NLL",
    "step - 0 labels",
    "NLL - 0 labels",
)


def main() -> None:
    """Measure and write ``results/fewshot.md``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="?", default=DATA)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    found = evaluate([arguments.data], protocol="fewshot", seeds=arguments.seeds)
    rows: list[tuple[object, ...]] = [HEAD]
    for row in found.rows:
        if not row.method.startswith("traceloc"):
            continue
        items = {i.locator: i for i in found.items if (i.dataset, i.method) == key(row)}
        none = {
            i.locator: i
            for i in found.items
            if (i.dataset, i.method) == (row.dataset, "traceloc, 0 labels") and i.locator in items
        }
        low, high = row.intervals["exact"]
        m = {name: value or 0.0 for name, value in row.metrics.items()}
        differences = [difference(items, none, name) for name in ("exact", "nll")]
        rows.append(
            (
                f"{row.dataset} ({row.n})",
                row.method.split()[1],
                f"{100 * m['exact']:.1f}",
                f"[{100 * low:.0f},{100 * high:.0f}]",
                f"{100 * m['top_3']:.1f}",
                f"{100 * m['agent']:.1f}",
                f"{m['nll']:.3f}",
                "{:+.1f} [{:+.1f},{:+.1f}]".format(*(100 * d for d in differences[0])),
                "{:+.3f} [{:+.3f},{:+.3f}]".format(*differences[1]),
            )
        )
    write_result(
        "fewshot",
        title="A few confirmed answers of one system",
        rows=rows,
        notes=(
            "also: `python -m traceloc.evaluation DATA --protocol fewshot --seeds 10`",
            f"{arguments.seeds} seeds, {found.folds} folds by group; {found.tie_rule}",
            "prior: fitted on the other systems only, without groups they share with the set",
            "interval of a step accuracy: Jeffreys; of a difference: paired bootstrap over groups",
            "the defaults of traceloc/ranking/adapt.py were chosen on these sets (all of them at "
            "once, by NLL), so that the curve flatters them a little",
            f"{found.n_features} features; data {found.data_hash}",
            *cost(),
        ),
    )


def key(row: Row) -> tuple[str, str]:
    """Set and method."""
    return row.dataset, row.method


def difference(
    items: dict[str, ItemRow], none: dict[str, ItemRow], metric: str
) -> tuple[float, float, float]:
    """Mean and interval of what labels change."""
    found = bootstrap_difference(
        [items[each].metrics[metric] for each in none],
        [none[each].metrics[metric] for each in none],
        [items[each].group for each in none],
    )
    return found.mean, found.low, found.high


def cost() -> list[str]:
    """Milliseconds of an adaptation to 50 made-up traces."""
    features = [FeatureSpec(f"a.f{i}", "shared", 0) for i in range(150)]
    weights = tuple(FeatureWeight(name=f.name, weight=0.05) for f in features)
    prior = RankingModel(name="m", shared=weights)
    lines = []
    for candidates in (10, 50):
        random = np.random.default_rng(0)
        answers = [
            Answer(
                random.normal(size=(candidates, 150)).astype(np.float32),
                np.arange(candidates) == random.integers(candidates),
                str(i),
            )
            for i in range(50)
        ]
        spent = []
        for _ in range(7):
            begun = time.perf_counter()
            adapt_model(prior, answers, features)
            spent.append(1000 * (time.perf_counter() - begun))
        lines.append(
            f"adapting to 50 labels, {candidates} candidates each, 150 features: "
            f"{statistics.median(spent):.0f} ms (at most 50)"
        )
    return lines


if __name__ == "__main__":
    main()
