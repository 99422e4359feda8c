"""What reading the words is worth, over knowing where a step stands and what form it has.

    python benchmarks/against_form.py [SHARED/data] [--seeds 5]

Five folds by question within each set. The whole ranker, around a model of the other systems,
against a conditional logit on the signals `position` and `kind` alone, fitted on the same folds
without any prior. Both choose their strength inside the training folds. Differences are paired by
trace, their intervals resample whole questions.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from record import write_result
from shared_data import DATA, SETS

from traceloc.evaluation.datasets import read_datasets
from traceloc.evaluation.preparing import Corpus, prepare
from traceloc.evaluation.running import run_protocol
from traceloc.evaluation.statistics import bootstrap_difference
from traceloc.ranking.fit import FitOptions
from traceloc.registry import Registry

FORM = ("position", "kind")


def main() -> None:
    """Measure and write ``results/against_form.md``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="?", default=DATA)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    reading = read_datasets([arguments.data / name for name in SETS])
    corpus = prepare(reading.items, Registry().all("signals"))
    whole = score(corpus, arguments.seeds, with_prior=True)
    form = score(corpus.only(FORM), arguments.seeds, with_prior=False)
    rows: list[tuple[object, ...]] = [
        ("set", "traces", "NLL", "NLL of form", "difference", "95%", "step", "step of form")
    ]
    for name in SETS:
        members = [i for i in whole if corpus.items[i].dataset == name]
        groups = [corpus.items[i].group for i in members]
        nll = [np.array([found[i][0] for i in members]) for found in (whole, form)]
        step = [100 * np.mean([found[i][1] for i in members]) for found in (whole, form)]
        paired = bootstrap_difference(nll[0].tolist(), nll[1].tolist(), groups)
        rows.append(
            (
                f"`{name}`",
                len(members),
                f"{nll[0].mean():.3f}",
                f"{nll[1].mean():.3f}",
                f"{paired.mean:+.3f}",
                f"[{paired.low:+.2f}, {paired.high:+.2f}]",
                f"{step[0]:.1f}",
                f"{step[1]:.1f}",
            )
        )
    write_result(
        "against_form",
        title="The ranker against position and form alone",
        rows=rows,
        notes=[
            "Below zero the ranker is better. Exact step in percent.",
            f"Five folds by question, {arguments.seeds} seeds; strength chosen in each fold.",
        ],
    )


def score(corpus: Corpus, seeds: int, *, with_prior: bool) -> dict[int, tuple[float, float]]:
    """Mean NLL and exact step of each trace over the seeds."""
    run = run_protocol(
        corpus,
        "kfold",
        seeds=range(seeds),
        options=FitOptions(null=False),
        with_prior=with_prior,
        baselines=False,
    )
    found: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for result in run.results:
        found[result.item].append((result.score.nll, result.score.exact))
    return {i: tuple(np.mean(values, axis=0)) for i, values in found.items()}


if __name__ == "__main__":
    main()
