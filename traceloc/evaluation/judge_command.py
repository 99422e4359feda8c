"""What ``traceloc eval --judge`` does, from settings to a rendered result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.evaluation.judge_report import JudgeEvaluation, render_judges
from traceloc.evaluation.judges import evaluate_judges
from traceloc.evaluation.report import Format
from traceloc.judged_scan import build_panel, find_memory_hints
from traceloc.ranking.model import RankingModel
from traceloc.registry import Registry
from traceloc.settings import resolve_settings


class Found(NamedTuple):
    """An evaluation of judges."""

    evaluation: JudgeEvaluation

    @property
    def complete(self) -> bool:
        """Whether every question was answered."""
        return all(bill.answered == bill.judged for bill in self.evaluation.bills)

    def render(self, format: Format) -> str:
        """The evaluation in one of the formats."""
        return render_judges(self.evaluation, format)


def evaluate_with_judges(
    paths: Iterable[str | Path],
    given: Mapping[str, Any],
    *,
    repeats: int,
    ablate: bool,
    folds: int,
    model: RankingModel | None,
) -> Found:
    """Evaluate the judges that the settings name.

    Args:
        paths: Folders with labelled traces.
        given: Settings of the command line.
        repeats: How often each trace is asked about.
        ablate: Ask again without what we add.
        folds: Number of folds.
        model: A finished ranking model, instead of one fitted for each fold.

    Raises:
        TracelocError: If a judge, a store or the traces cannot be used.
    """
    settings = resolve_settings(given).settings
    registry = Registry(strict=settings.strict or None)
    panel = build_panel(settings, registry=registry, learn=False)
    notes: tuple[str, ...] = ()
    if panel.hints is None and (hints := find_memory_hints(settings, registry=registry)):
        panel = panel.with_hints(hints)
        notes = ("hints come from the failure memory as it is: see that it has not learned these",)
    found = evaluate_judges(
        paths,
        panel,
        registry=registry,
        repeats=repeats,
        ablate=ablate,
        folds=folds,
        model=model,
    )
    return Found(found.model_copy(update={"notes": (*notes, *found.notes)}))
