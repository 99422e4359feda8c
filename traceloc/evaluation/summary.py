"""From answers to the rows of a table: means over traces and seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from traceloc.evaluation.metrics import (
    METRICS,
    area_under_curve,
    calibration_error,
    f1_of_silence,
)
from traceloc.evaluation.running import MODEL, Result, Run, Verdict
from traceloc.evaluation.statistics import (
    beta_interval,
    bootstrap_auc,
    bootstrap_difference,
    mean_without_nan,
)
from traceloc.ranking.calibration import reliability
from traceloc.trace import Document

PROPORTIONS = ("exact", "within_1", "within_3", "within_5", "top_3", "top_5", "agent")


class SilenceSummary(Document):
    """Whom the model accuses, means over seeds."""

    passed: int
    failed: int
    silent_on_passed: float
    """Share of the passed runs in which nothing is blamed."""
    silent_on_failed: float
    """Share of the failed runs in which nothing is blamed, rightly or not."""
    hit_on_failed: float | None
    """Share of the labelled failed runs in which the labelled step is; ``None`` without labels."""
    f1: float | None
    """ProcessBench's: harmonic mean of ``hit_on_failed`` and ``silent_on_passed``."""


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
    auc_interval: tuple[float, float] | None = None
    """95% interval of a bootstrap over groups, of the mean weight over seeds."""
    silence: SilenceSummary | None = None
    """What abstaining is worth, where passed and failed runs are known."""


class WindowSummary(Document):
    """What windows of the coverage asked for were, over the traces of all sets."""

    method: str
    asked: float
    """Coverage the windows were made for."""
    n: int
    """Traces; of sets that label the same traces the first counts."""
    covered: float
    """Share whose labelled step is in the window."""
    low: float
    """95% Jeffreys interval."""
    high: float
    median_steps: float
    median_share: float
    """Of the trace."""


class ReliabilityBin(Document):
    """How often rank 1 was right where it was about that sure."""

    dataset: str
    method: str
    confidence: float
    accuracy: float
    share: float
    """Of the answers of the set."""


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
        told = [v.method for v in run.verdicts if run.corpus.items[v.item].dataset == dataset]
        methods = sorted(dict.fromkeys([*(r.method for r in inside), *told]), key=_model_first)
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


def join_tags(run: Run) -> Run:
    """The answers of the model under one name, whatever the variant of the protocol."""
    joined = [
        each._replace(method=MODEL) if each.method.startswith(MODEL) else each
        for each in run.results
    ]
    return replace(run, results=joined)


def count_votes(run: Run) -> dict[str, float]:
    """Share of the answers of each set in which the failure memory had a vote."""
    found: dict[str, list[bool]] = {}
    for item, _, gate in run.gates:
        found.setdefault(run.corpus.items[item].dataset, []).append(gate.open)
    return {dataset: sum(votes) / len(votes) for dataset, votes in found.items()}


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


def summarise_windows(run: Run, coverage: float) -> tuple[WindowSummary, ...]:
    """Coverage and size of windows by method, over all sets together.

    Sets of one system that share groups label the same traces; there the first set counts.
    """
    items = run.corpus.items
    owner: dict[tuple[str, str], str] = {}
    for item in items:
        owner.setdefault((item.system, item.group), item.dataset)
    found = []
    for method in dict.fromkeys(r.method for r in run.results):
        rows = [
            metrics
            for i, metrics in per_item(run.results, method).items()
            if not np.isnan(metrics["covered"])
            and owner[items[i].system, items[i].group] == items[i].dataset
        ]
        if rows:
            covered = sum(row["covered"] for row in rows)
            low, high = beta_interval(covered, len(rows))
            found.append(
                WindowSummary(
                    method=method,
                    asked=coverage,
                    n=len(rows),
                    covered=covered / len(rows),
                    low=low,
                    high=high,
                    median_steps=float(np.median([row["set_steps"] for row in rows])),
                    median_share=float(np.median([row["set_share"] for row in rows])),
                )
            )
    return tuple(found)


def reliability_bins(run: Run) -> tuple[ReliabilityBin, ...]:
    """Points of the reliability diagram of every set and variant of the model."""
    found = []
    items = run.corpus.items
    keys = dict.fromkeys(
        (items[r.item].dataset, r.method) for r in run.results if r.method.startswith(MODEL)
    )
    for dataset, method in keys:
        answers = [
            r for r in run.results if r.method == method and items[r.item].dataset == dataset
        ]
        confidence = np.array([r.score.confidence for r in answers])
        if np.isnan(confidence).any():
            continue
        hits = np.array([r.score.exact for r in answers])
        for sure, right, share in reliability(confidence, hits):
            found.append(
                ReliabilityBin(
                    dataset=dataset, method=method, confidence=sure, accuracy=right, share=share
                )
            )
    return tuple(found)


def _row(run: Run, dataset: str, method: str, results: Sequence[Result]) -> Row:
    items = per_item(results, method)
    columns = {name: np.array([each[name] for each in items.values()]) for name in METRICS}
    metrics = {name: _known(mean_without_nan(values)) for name, values in columns.items()}
    # Over all seeds at once: a mean of confidences would not be anybody's confidence.
    confidence = np.array([r.score.confidence for r in results])
    hits = np.array([r.score.exact for r in results])
    metrics["ece"] = _known(calibration_error(confidence, hits))
    sizes = columns["set_share"]
    metrics["set_median"] = _known(float(np.median(sizes))) if len(sizes) else None
    verdicts = [
        v
        for v in run.verdicts
        if v.method == method and run.corpus.items[v.item].dataset == dataset
    ]
    area, interval = _auc(run, verdicts)
    return Row(
        dataset=dataset,
        method=method,
        n=len(items),
        metrics=metrics,
        intervals={
            name: tuple(beta_interval(float(columns[name].sum()), len(items)))
            for name in PROPORTIONS
        },
        auc=area,
        auc_interval=interval,
        silence=_silence(run, verdicts),
    )


def _auc(run: Run, verdicts: Sequence[Verdict]) -> tuple[float | None, tuple[float, float] | None]:
    """Mean over seeds of the area under the curve, and the interval of that of mean weights."""
    items = run.corpus.items
    areas = []
    for seed in dict.fromkeys(v.seed for v in verdicts):
        at = [v for v in verdicts if v.seed == seed]
        truth = np.array([bool(items[v.item].passed) for v in at])
        areas.append(area_under_curve(np.array([v.p_no_error for v in at]), truth))
    area = mean_without_nan(np.array(areas))
    if np.isnan(area):
        return None, None
    mean: dict[int, list[float]] = {}
    for v in verdicts:
        mean.setdefault(v.item, []).append(v.p_no_error)
    interval = bootstrap_auc(
        [float(np.mean(each)) for each in mean.values()],
        [bool(items[i].passed) for i in mean],
        [items[i].group for i in mean],
    )
    return area, (interval.low, interval.high)


def _silence(run: Run, verdicts: Sequence[Verdict]) -> SilenceSummary | None:
    items = run.corpus.items
    passed = [v for v in verdicts if items[v.item].passed]
    failed = [v for v in verdicts if not items[v.item].passed]
    if not passed or not failed:
        return None
    hits = np.array([float(v.hit) for v in failed if items[v.item].labelled])
    kept = np.array([float(v.silent) for v in passed])
    return SilenceSummary(
        passed=len({v.item for v in passed}),
        failed=len({v.item for v in failed}),
        silent_on_passed=float(kept.mean()),
        silent_on_failed=float(np.mean([v.silent for v in failed])),
        hit_on_failed=_known(mean_without_nan(hits)),
        f1=_known(f1_of_silence(hits, kept)),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _model_first(method: str) -> tuple[bool, int]:
    """Order: the model, by number of labels where there are several, then the rules."""
    digits = "".join(c for c in method if c.isdigit())
    return not method.startswith(MODEL), int(digits) if digits else 0
