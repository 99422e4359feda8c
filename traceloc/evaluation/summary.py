"""From answers to the rows of a table: means over traces and seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traceloc.evaluation.metrics import METRICS, area_under_curve, calibration_error
from traceloc.evaluation.running import MODEL, Result, Run
from traceloc.evaluation.statistics import beta_interval, bootstrap_difference
from traceloc.trace import Document

PROPORTIONS = ("exact", "within_1", "within_3", "within_5", "top_3", "top_5", "agent")


class Row(Document):
    """One method on one set."""

    dataset: str
    method: str
    n: int
    """Traces with a labelled step; one whose label is no candidate counts as missed."""
    metrics: dict[str, float | None]
    """Means over traces and seeds; ``None`` where the method gives no probabilities."""
    intervals: dict[str, tuple[float, float]]
    """95% Jeffreys intervals of the proportions."""
    auc: float | None = None
    """Chance that a passed run gets a larger weight of "no decisive error" than a failed one."""


class Comparison(Document):
    """Paired difference of two methods on one set; positive means the first has more."""

    dataset: str
    left: str
    right: str
    metric: str
    mean: float
    low: float
    high: float
    """95% interval of a paired bootstrap over groups."""


class ItemRow(Document):
    """What happened to one trace under one method: means over seeds."""

    dataset: str
    locator: str
    group: str
    method: str
    metrics: dict[str, float | None]


def summarise(run: Run) -> tuple[Row, ...]:
    """One row for each set and method, the model's first."""
    rows = []
    for dataset in dict.fromkeys(item.dataset for item in run.corpus.items):
        inside = [r for r in run.results if run.corpus.items[r.item].dataset == dataset]
        methods = sorted(dict.fromkeys(r.method for r in inside), key=_model_first)
        for method in methods:
            rows.append(_row(run, dataset, method, [r for r in inside if r.method == method]))
    return tuple(rows)


def item_rows(run: Run) -> tuple[ItemRow, ...]:
    """One row for each trace and method."""
    rows = []
    for method in dict.fromkeys(r.method for r in run.results):
        for i, metrics in per_item(run.results, method).items():
            item = run.corpus.items[i]
            rows.append(
                ItemRow(
                    dataset=item.dataset,
                    locator=item.locator,
                    group=item.group,
                    method=method,
                    metrics={name: _known(value) for name, value in metrics.items()},
                )
            )
    return tuple(rows)


def compare(
    left: Run, right: Run, *, names: tuple[str, str], method: str = MODEL
) -> list[Comparison]:
    """Differences in step accuracy and NLL of two runs over the same traces, set by set."""
    found = []
    first, second = per_item(left.results, method), per_item(right.results, method)
    items = left.corpus.items
    for dataset in dict.fromkeys(items[i].dataset for i in first):
        members = [i for i in first if items[i].dataset == dataset and i in second]
        for metric in ("exact", "nll"):
            difference = bootstrap_difference(
                [first[i][metric] for i in members],
                [second[i][metric] for i in members],
                [items[i].group for i in members],
            )
            found.append(
                Comparison(
                    dataset=dataset,
                    left=names[0],
                    right=names[1],
                    metric=metric,
                    mean=difference.mean,
                    low=difference.low,
                    high=difference.high,
                )
            )
    return found


def per_item(results: Sequence[Result], method: str) -> dict[int, dict[str, float]]:
    """Metrics of each trace under one method, averaged over seeds."""
    collected: dict[int, list[Result]] = {}
    for result in results:
        if result.method == method:
            collected.setdefault(result.item, []).append(result)
    return {
        i: {name: float(np.mean([getattr(r.score, name) for r in rs])) for name in METRICS}
        for i, rs in sorted(collected.items())
    }


def _row(run: Run, dataset: str, method: str, results: Sequence[Result]) -> Row:
    items = per_item(results, method)
    columns = {name: np.array([each[name] for each in items.values()]) for name in METRICS}
    metrics = {name: _known(float(values.mean())) for name, values in columns.items()}
    # Over all seeds at once: a mean of confidences would not be anybody's confidence.
    confidence = np.array([r.score.confidence for r in results])
    hits = np.array([r.score.exact for r in results])
    metrics["ece"] = _known(calibration_error(confidence, hits))
    return Row(
        dataset=dataset,
        method=method,
        n=len(items),
        metrics=metrics,
        intervals={
            name: tuple(beta_interval(float(columns[name].sum()), len(items)))
            for name in PROPORTIONS
        },
        auc=_auc(run, dataset, method),
    )


def _auc(run: Run, dataset: str, method: str) -> float | None:
    """Mean over seeds of the area under the curve."""
    items = run.corpus.items
    by_seed: dict[int, list[tuple[float, bool]]] = {}
    for i, name, seed, p in run.innocence:
        if name == method and items[i].dataset == dataset:
            by_seed.setdefault(seed, []).append((p, bool(items[i].passed)))
    areas: NDArray[np.float64] = np.array(
        [
            area_under_curve(np.array([p for p, _ in each]), np.array([y for _, y in each]))
            for each in by_seed.values()
        ]
    )
    return _known(float(areas.mean())) if len(areas) else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _model_first(method: str) -> tuple[bool, int]:
    """Order: the model, by number of labels where there are several, then the rules."""
    digits = "".join(c for c in method if c.isdigit())
    return not method.startswith(MODEL), int(digits) if digits else 0
