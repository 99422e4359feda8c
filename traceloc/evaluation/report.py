"""Renders an evaluation as text, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from traceloc.evaluation.misses import Miss
from traceloc.evaluation.summary import Comparison, ItemRow, ReliabilityBin, Row, WindowSummary
from traceloc.quoting import say_count
from traceloc.ranking.model import RankingModel
from traceloc.trace import Document

Format = Literal["text", "json", "markdown"]

TIE_RULE = "equal scores: the earlier step is ranked first"

_PERCENT = {
    "exact": "step",
    "within_1": "±1",
    "within_3": "±3",
    "within_5": "±5",
    "top_3": "top-3",
    "top_5": "top-5",
    "agent": "agent",
}
_PLAIN = {"mrr": "MRR", "exam": "EXAM", "nll": "NLL", "brier": "Brier", "ece": "ECE"}
_WINDOW = {"covered": "held", "set_share": "of trace"}


class Evaluation(Document):
    """What a protocol found."""

    schema_version: Literal[1] = 1
    protocol: str
    seeds: tuple[int, ...]
    folds: int
    tie_rule: str = TIE_RULE
    rows: tuple[Row, ...]
    windows: tuple[WindowSummary, ...] = ()
    """Coverage and size of windows over all sets together, by method."""
    reliability: tuple[ReliabilityBin, ...] = ()
    misses: tuple[Miss, ...] = ()
    """The worst of each set, where that was asked for."""
    comparisons: tuple[Comparison, ...] = ()
    items: tuple[ItemRow, ...] = ()
    models: tuple[RankingModel, ...] = ()
    """Fitted on all of a set, where weights were asked for."""
    n_traces: int = 0
    n_features: int = 0
    unmatched: tuple[str, ...] = ()
    """Label rows that belong to no trace."""
    outside: tuple[str, ...] = ()
    """Traces whose labelled step is no candidate; they count as missed."""
    unreadable: tuple[str, ...] = ()
    guessed: int = 0
    """Answers for which there was nothing to learn from; they count as a blind guess."""
    failures: dict[str, int] = Field(default_factory=dict)
    """Signals that failed, with the number of traces."""
    data_hash: str = ""
    votes: dict[str, float] = Field(default_factory=dict)
    """Share of the answers of each set in which the failure memory had a vote."""
    seconds: dict[str, float] = Field(default_factory=dict)


def render(evaluation: Evaluation, format: Format = "text") -> str:
    """The evaluation in one of the formats."""
    if format == "json":
        return evaluation.model_dump_json(indent=1) + "\n"
    markdown = format == "markdown"
    parts = [_heading(evaluation)]
    labelled = [row for row in evaluation.rows if row.n]
    for dataset in dict.fromkeys(row.dataset for row in labelled):
        rows = [row for row in labelled if row.dataset == dataset]
        title = f"{dataset} (n={max(row.n for row in rows)})"
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(_cells(rows), markdown=markdown))
    if evaluation.windows:
        title = "windows of steps, all sets together (of sets with the same traces the first)"
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(_window_cells(evaluation.windows), markdown=markdown))
    if any(row.silence for row in evaluation.rows):
        title = "runs that passed against runs that failed"
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(_silence_cells(evaluation.rows), markdown=markdown))
    if evaluation.misses:
        title = "worst misses: surest about another step than the labelled one"
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(_miss_cells(evaluation.misses), markdown=markdown))
    if evaluation.comparisons:
        title = "difference when a family is left out (minus: worse steps, plus: worse NLL)"
        if evaluation.votes:
            title = "difference the failure memory makes (plus: better steps, minus: better NLL)"
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(_comparison_cells(evaluation.comparisons), markdown=markdown))
    for model in evaluation.models:
        parts.append(
            f"weights of {model.name} (l2 {model.provenance.l2:g}, T {model.temperature:.2f})"
        )
        parts.append(render_table(_weight_cells(model), markdown=markdown))
    if evaluation.votes:
        told = (f"{dataset} {share:.0%}" for dataset, share in evaluation.votes.items())
        parts.append(f"answers in which the memory had a vote: {', '.join(told)}\n")
    return "\n".join(parts)


def _heading(evaluation: Evaluation) -> str:
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in evaluation.seconds.items())
    size = (
        say_count(evaluation.n_traces, "trace"),
        say_count(evaluation.n_features, "feature"),
        say_count(len(evaluation.seeds), "seed"),
        say_count(evaluation.folds, "fold"),
    )
    lines = [
        f"{evaluation.protocol}: {', '.join(size)}; {evaluation.tie_rule}",
        f"[{seconds}]" if seconds else "",
    ]
    for name, count in (
        ("label rows without a trace", len(evaluation.unmatched)),
        ("traces whose label is no candidate (missed)", len(evaluation.outside)),
        ("unreadable", len(evaluation.unreadable)),
        ("answers without a model, for want of labels to learn from (a guess)", evaluation.guessed),
    ):
        if count:
            lines.append(f"{name}: {count}")
    lines += [f"{count} x {message}" for message, count in sorted(evaluation.failures.items())]
    return "\n".join(line for line in lines if line) + "\n"


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    with_windows = any(row.metrics.get("covered") is not None for row in rows)
    header = ["", "step", "95%", *list(_PERCENT.values())[1:], *_PLAIN.values()]
    cells = [header + (list(_WINDOW.values()) if with_windows else [])]
    for row in rows:
        low, high = row.intervals["exact"]
        line = [row.method, _percent(row.metrics["exact"]), f"[{100 * low:.0f},{100 * high:.0f}]"]
        line += [_percent(row.metrics[name]) for name in list(_PERCENT)[1:]]
        line += [_plain(row.metrics.get(name)) for name in _PLAIN]
        extra = [_percent(row.metrics.get(name)) for name in _WINDOW] if with_windows else []
        cells.append(line + extra)
    return cells


def _window_cells(windows: Sequence[WindowSummary]) -> list[list[str]]:
    cells = [["", "asked", "held", "95%", "traces", "median steps", "median of trace"]]
    for each in windows:
        cells.append(
            [
                each.method,
                _percent(each.asked),
                _percent(each.covered),
                f"[{100 * each.low:.0f},{100 * each.high:.0f}]",
                str(each.n),
                f"{each.median_steps:g}",
                _percent(each.median_share),
            ]
        )
    return cells


def _silence_cells(rows: Sequence[Row]) -> list[list[str]]:
    header = ["set", "method", "passed", "failed", "AUC", "95%", "silent if passed"]
    cells = [[*header, "silent if failed", "step if failed", "F1"]]
    for row in rows:
        if row.silence is None:
            continue
        low, high = row.auc_interval or (0.0, 1.0)
        cells.append(
            [
                row.dataset,
                row.method,
                str(row.silence.passed),
                str(row.silence.failed),
                _plain(row.auc),
                f"[{low:.2f},{high:.2f}]",
                _percent(row.silence.silent_on_passed),
                _percent(row.silence.silent_on_failed),
                _percent(row.silence.hit_on_failed),
                _percent(row.silence.f1),
            ]
        )
    return cells


def _miss_cells(misses: Sequence[Miss]) -> list[list[str]]:
    cells = [["trace", "blamed", "labelled", "its rank", "ahead by", "misled by"]]
    for miss in misses:
        terms = [
            f"{term.claim or term.feature} ({term.contribution:+.2f})" for term in miss.misled[:3]
        ]
        cells.append(
            [
                miss.locator,
                f"#{miss.blamed} {miss.blamed_agent}",
                f"#{miss.labelled} {miss.labelled_agent}" if miss.rank else "no candidate",
                str(miss.rank or "-"),
                f"{miss.log_odds:.2f}",
                "; ".join(terms),
            ]
        )
    return cells


def _comparison_cells(comparisons: Sequence[Comparison]) -> list[list[str]]:
    cells = [["", "set", "step", "95%", "NLL", "95%"]]
    found = {(c.left, c.dataset, c.metric): c for c in comparisons}
    for left, dataset in dict.fromkeys((c.left, c.dataset) for c in comparisons):
        exact, nll = found[left, dataset, "exact"], found[left, dataset, "nll"]
        cells.append(
            [
                left,
                dataset,
                f"{100 * exact.mean:+.1f}",
                f"[{100 * exact.low:+.1f},{100 * exact.high:+.1f}]",
                f"{nll.mean:+.3f}",
                f"[{nll.low:+.3f},{nll.high:+.3f}]",
            ]
        )
    return cells


def _weight_cells(model: RankingModel) -> list[list[str]]:
    cells = [["feature", "part", "weight", "mean", "scale"]]
    parts = [(each, "shared") for each in model.shared] + [(w, "system") for w in model.system]
    for each, part in sorted(parts, key=lambda pair: (-abs(pair[0].weight), pair[0].name)):
        cells.append(
            [each.name, part, f"{each.weight:+.3f}", f"{each.mean:.3g}", f"{each.scale:.3g}"]
        )
    return cells


def render_table(cells: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """A table with aligned columns, or in Markdown; the first row is its head."""
    if markdown:
        lines = [f"| {' | '.join(line)} |" for line in cells]
        return "\n".join([lines[0], "|---" * len(cells[0]) + "|", *lines[1:], ""])
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return "\n".join([*lines, ""])


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
