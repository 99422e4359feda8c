"""What an evaluation of judges found, and its rendering as text, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from traceloc.evaluation.report import Format, render_table
from traceloc.quoting import say_count
from traceloc.trace import Document


class JudgeRow(Document):
    """One method on one set; shares of traces, means over repeats."""

    dataset: str
    variant: str
    method: str
    """``judge``: without the ranker; no answer counts as no hit. ``both``: with the default
    weights, ``both, fitted``: with weights from the other folds; without an answer the ranker's."""
    n: int
    exact: float
    low: float
    high: float
    """95% Jeffreys interval of ``exact``."""
    within_1: float
    top_3: float
    agent: float


class JudgeComparison(Document):
    """Paired difference in step accuracy; positive means the first has more."""

    variant: str
    left: str
    right: str
    mean: float
    low: float
    high: float
    """95% interval of a bootstrap over groups."""


class JudgeBill(Document):
    """What a variant took, for each judged trace unless said otherwise."""

    variant: str
    judged: int
    """Traces times repeats."""
    answered: int
    failures: dict[str, int]
    """Votes without a verdict, by kind."""
    flip_rate: float | None
    """Chance that two repeats give another step; ``None`` without repeats."""
    calls: float
    cached: float
    input_tokens: float
    output_tokens: float
    most: int
    """Largest bound of one question, in tokens; never above the budget."""
    over_budget: int
    """Questions that the provider counts above the budget."""
    usd: float | None
    """In all; ``None`` where a price is not known."""
    latency_median: float | None
    """Seconds of one question that was sent; ``None`` where all came from the cache."""
    latency_p95: float | None
    own_seconds: float


class JudgeEvaluation(Document):
    """What judges are worth on labelled traces."""

    schema_version: Literal[1] = 1
    models: tuple[str, ...]
    strategy: str
    budget: int
    repeats: int
    n: int
    held_out: bool
    """Whether the ranker had not learned from the traces."""
    rows: tuple[JudgeRow, ...]
    comparisons: tuple[JudgeComparison, ...]
    bills: tuple[JudgeBill, ...]
    notes: tuple[str, ...] = ()


def render_judges(found: JudgeEvaluation, format: Format = "text") -> str:
    """The evaluation in one of the formats."""
    if format == "json":
        return found.model_dump_json(indent=1) + "\n"
    markdown = format == "markdown"
    ranker = "held-out folds" if found.held_out else "a finished model"
    parts = [
        f"{found.strategy} by {', '.join(found.models)}: {say_count(found.n, 'trace')}, "
        f"{say_count(found.repeats, 'repeat')}, at most {found.budget} tokens a question; "
        f"ranker of {ranker}\n"
    ]
    for dataset in dict.fromkeys(row.dataset for row in found.rows):
        rows = [row for row in found.rows if row.dataset == dataset]
        title = f"{dataset} (n={rows[0].n})"
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(_accuracy(rows), markdown=markdown))
    for title, cells in (
        ("difference in steps", _differences(found.comparisons)),
        ("cost and steadiness", _costs(found.bills)),
    ):
        parts.append(f"### {title}\n" if markdown else title)
        parts.append(render_table(cells, markdown=markdown))
    parts += [f"{note}\n" for note in found.notes]
    return "\n".join(parts)


def _accuracy(rows: Sequence[JudgeRow]) -> list[list[str]]:
    cells = [["", "variant", "step", "95%", "±1", "top-3", "agent"]]
    for row in rows:
        cells.append(
            [
                row.method,
                row.variant,
                _percent(row.exact),
                f"[{100 * row.low:.0f},{100 * row.high:.0f}]",
                _percent(row.within_1),
                _percent(row.top_3),
                _percent(row.agent),
            ]
        )
    return cells


def _differences(comparisons: Sequence[JudgeComparison]) -> list[list[str]]:
    cells = [["", "against", "variant", "points", "95%"]]
    for each in comparisons:
        cells.append(
            [
                each.left,
                each.right,
                each.variant,
                f"{100 * each.mean:+.1f}",
                f"[{100 * each.low:+.1f},{100 * each.high:+.1f}]",
            ]
        )
    return cells


def _costs(bills: Sequence[JudgeBill]) -> list[list[str]]:
    head = ["", "answered", "failed", "flips", "calls", "cached", "tokens in", "out", "largest"]
    cells = [[*head, "over budget", "$", "s median", "s 95%", "own ms"]]
    for bill in bills:
        failed = ", ".join(f"{count} {kind}" for kind, count in bill.failures.items())
        cells.append(
            [
                bill.variant,
                f"{bill.answered} of {bill.judged}",
                failed or "-",
                "-" if bill.flip_rate is None else _percent(bill.flip_rate),
                f"{bill.calls:.1f}",
                f"{bill.cached:.1f}",
                f"{bill.input_tokens:.0f}",
                f"{bill.output_tokens:.0f}",
                str(bill.most),
                str(bill.over_budget),
                "unknown" if bill.usd is None else f"{bill.usd:.4f}",
                "-" if bill.latency_median is None else f"{bill.latency_median:.2f}",
                "-" if bill.latency_p95 is None else f"{bill.latency_p95:.2f}",
                f"{1000 * bill.own_seconds:.1f}",
            ]
        )
    return cells


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
