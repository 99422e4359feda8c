"""What the failure memory adds to the ranking, beside its controls.

    python benchmarks/memory.py [--seeds N] [--orders N] [FOLDER OF DATA SETS]

Five folds by question around a model of the other systems, and arrival order: each trace is asked
before its label is learned and remembered. Every control has a gate of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from record import write_result
from shared_data import DATA, SETS

from traceloc.evaluation.evaluate import measure_datasets
from traceloc.evaluation.remembering import MemoryMode, Remembered, remember_corpus
from traceloc.evaluation.running import MODEL, Run, run_protocol
from traceloc.evaluation.statistics import bootstrap_difference
from traceloc.evaluation.summary import compare, count_votes, join_tags
from traceloc.ranking.fit import FitOptions

MODES: tuple[MemoryMode, ...] = ("nearest", "random", "whole-trace", "prose")
SIZES = (10, 20, 40, 80)
FORCED = 0.3
"""Weight of a vote that was not earned, to see what neighbours are worth by themselves."""
HEAD = ("protocol", "set", "memory", "has a vote", "step, points", "NLL, nats")


def main() -> None:
    """Measure and write ``benchmarks/results/memory.md``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=20)
    given = parser.parse_args()
    data = given.data or DATA
    measured = measure_datasets([data / name for name in SETS])
    remembered = remember_corpus(measured.reading.items, measured.corpus)
    bench = Bench(measured.corpus, remembered)
    rows: list[tuple[object, ...]] = [HEAD]
    notes = []
    folds = {"protocol": "kfold", "seeds": range(given.seeds), "with_prior": True}
    orders = {"protocol": "arrival", "seeds": range(given.orders)}
    for title, how in (("5-fold", folds), ("arrival", orders)):
        alone = bench.run(how)
        found = {mode: bench.run(how, memory=mode) for mode in MODES}
        for mode, run in found.items():
            rows += bench.rows(title, mode, run, alone)
        notes += beside_random(title, found["nearest"], found["random"])
        for mode in ("nearest", "random"):
            forced = bench.run(how, memory=mode, memory_weight=FORCED)
            rows += bench.rows(title, f"{mode}, weight {FORCED} unearned", forced, alone)
        if title == "5-fold":
            for size in SIZES:
                some = bench.run(how, memory="nearest", memory_size=size, memory_weight=FORCED)
                name = f"nearest of {size} failures, weight {FORCED} unearned"
                rows += bench.rows(title, name, some, alone)
        bench.fits.clear()
    loso = {"protocol": "loso"}
    alone = bench.run(loso)
    rows += bench.rows("leave one system out", "nearest", bench.run(loso, memory="nearest"), alone)
    for mode in ("nearest", "random"):
        forced = bench.run(loso, memory=mode, memory_weight=FORCED)
        name = f"{mode}, weight {FORCED} unearned"
        rows += bench.rows("leave one system out", name, forced, alone)
    notes += [
        "Differences from the ranking alone, with 95% intervals of a paired bootstrap over "
        "questions. Step: more is better; NLL: less is better.",
        "A memory that has not earned a vote changes nothing. 'unearned': its vote is counted with "
        "a fixed weight all the same, to see what neighbours are worth by themselves.",
    ]
    write_result("memory", title="What the failure memory adds", rows=rows, notes=notes)


class Bench:
    """A measured corpus; models are fitted once for all memories."""

    def __init__(self, corpus: Any, remembered: Remembered) -> None:
        self.corpus = corpus
        self.remembered = remembered
        self.fits: dict[object, Any] = {}

    def run(self, how: Mapping[str, Any], **memory: Any) -> Run:
        """One run of a protocol."""
        return run_protocol(
            self.corpus,
            how["protocol"],
            seeds=tuple(how.get("seeds", (0,))),
            with_prior=how.get("with_prior", False),
            options=FitOptions(l2=1000.0 if how["protocol"] == "loso" else 100.0),
            baselines=False,
            remembered=self.remembered,
            fits=self.fits,
            **memory,
        )

    def rows(self, title: str, name: str, run: Run, alone: Run) -> list[tuple[object, ...]]:
        """One row for each set."""
        votes = count_votes(run)
        found = compare(join_tags(run), join_tags(alone), names=(name, "alone"))
        by = {(c.dataset, c.metric): c for c in found}
        rows: list[tuple[object, ...]] = []
        silent = []
        for dataset in dict.fromkeys(c.dataset for c in found):
            step, nll = by[dataset, "exact"], by[dataset, "nll"]
            if not votes.get(dataset):
                silent.append(dataset)
                continue
            rows.append(
                (
                    title,
                    dataset,
                    name,
                    f"{votes.get(dataset, 0):.0%}",
                    f"{100 * step.mean:+.1f} [{100 * step.low:+.1f}, {100 * step.high:+.1f}]",
                    f"{nll.mean:+.3f} [{nll.low:+.3f}, {nll.high:+.3f}]",
                )
            )
        if silent:
            rows.append((title, ", ".join(silent), name, "0%", "unchanged", "unchanged"))
        return rows


def beside_random(title: str, nearest: Run, random: Run) -> list[str]:
    """Nearest against random neighbours, in the answers in which the nearest had a vote."""
    items = nearest.corpus.items
    voted = {(i, seed) for i, seed, gate in nearest.gates if gate.open}
    left = {(r.item, r.seed): r.score.nll for r in join_tags(nearest).results if r.method == MODEL}
    right = {(r.item, r.seed): r.score.nll for r in join_tags(random).results if r.method == MODEL}
    lines = []
    for dataset in dict.fromkeys(items[i].dataset for i, _ in sorted(voted)):
        by_item: dict[int, list[float]] = {}
        for key in sorted(voted & left.keys()):
            if items[key[0]].dataset == dataset:
                by_item.setdefault(key[0], []).append(left[key] - right[key])
        means = [float(np.mean(each)) for each in by_item.values()]
        groups = [items[i].group for i in by_item]
        difference = bootstrap_difference(means, [0.0] * len(means), groups)
        lines.append(
            f"{title}, {dataset}: where nearest neighbours vote they differ from random ones with "
            f"a gate of their own by {difference.mean:+.3f} nats "
            f"[{difference.low:+.3f}, {difference.high:+.3f}] on {len(means)} traces."
        )
    return lines


if __name__ == "__main__":
    main()
