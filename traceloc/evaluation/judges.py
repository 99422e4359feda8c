"""How good judges are on labelled traces: alone and with the ranker, how steady, and what it costs.

The ranker is asked as everywhere: of traces it has not learned from. The weights of a judge's vote
are the documented defaults, and once more fitted on the other folds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from traceloc.attribution import Attribution
from traceloc.errors import UsageError
from traceloc.evaluation.datasets import LabelledTrace
from traceloc.evaluation.evaluate import measure_datasets
from traceloc.evaluation.judge_report import (
    JudgeBill,
    JudgeComparison,
    JudgeEvaluation,
    JudgeRow,
)
from traceloc.evaluation.preparing import Corpus, normalise_agent
from traceloc.evaluation.protocols import group_folds, k_fold
from traceloc.evaluation.running import fit_split
from traceloc.evaluation.statistics import beta_interval, bootstrap_difference
from traceloc.judged_scan import WEIGHED
from traceloc.judgement import Judgement
from traceloc.judging.combining import Weights, combine, example_of, fit_weights, vote_of
from traceloc.judging.hints import RandomHints
from traceloc.judging.options import DEFAULT_COVERAGE
from traceloc.judging.panel import Panel
from traceloc.judging.running import run_ordered
from traceloc.localizer import Localizer
from traceloc.ranking.fit import FitOptions
from traceloc.ranking.model import RankingModel, load_model
from traceloc.registry import Registry

RANKER, ALONE, JOINED, FITTED = "ranker", "judge", "both", "both, fitted"
AS_ASKED = "as asked"
POOLED = "all sets"


class Ranked(NamedTuple):
    """A labelled trace and what the ranker says of it."""

    item: LabelledTrace
    attribution: Attribution
    labels: frozenset[int]
    agents: frozenset[str]
    """Labelled agents, normalised."""


class Hits(NamedTuple):
    """What one method got right of one trace, 0 or 1, or a mean over repeats."""

    exact: float
    within_1: float
    top_3: float
    agent: float


@dataclass(frozen=True)
class Judged:
    """All answers of one variant: for each trace one judgement a repeat."""

    variant: str
    judgements: tuple[tuple[Judgement, ...], ...]


def rank_held_out(
    paths: Iterable[str | Path],
    *,
    registry: Registry,
    folds: int = 5,
    seed: int = 0,
    shipped: RankingModel | None = None,
    coverage: float = DEFAULT_COVERAGE,
) -> list[Ranked]:
    """What the ranker says of each labelled trace, by a model that has not seen it.

    Args:
        paths: Folders with labelled traces.
        registry: Plugins to use.
        folds: Number of folds within each set.
        seed: Of the split.
        shipped: Use this model as it is instead.
        coverage: Probability with which the judged window holds the label.

    Raises:
        UsageError: If there is nothing labelled.
    """
    signals = registry.all("signals")
    measured = measure_datasets(paths, registry=registry, signals=signals)
    corpus, items = measured.corpus, measured.reading.items
    models = _models(corpus, folds=folds, seed=seed, shipped=shipped)
    localizers: dict[int, Localizer] = {}
    found = []
    for i, model in sorted(models.items()):
        prepared = corpus.items[i]
        if not prepared.labelled:
            continue
        if id(model) not in localizers:
            localizers[id(model)] = Localizer(
                model, signals=signals, top_k=WEIGHED, coverage=coverage
            )
        attribution = localizers[id(model)].localize(items[i].trace)
        found.append(Ranked(items[i], attribution, prepared.labels, prepared.blamed_agents))
    if not found:
        raise UsageError("no labelled traces were found", code="TL206")
    return found


def _models(
    corpus: Corpus, *, folds: int, seed: int, shipped: RankingModel | None
) -> dict[int, RankingModel]:
    """The model for each trace, by position."""
    if shipped is not None:
        return dict.fromkeys(range(len(corpus.items)), shipped)
    found: dict[int, RankingModel] = {}
    fallback: RankingModel | None = None
    for split in k_fold(corpus.items, folds=folds, seed=seed):
        model = fit_split(corpus, split.train, FitOptions())
        if model is None:
            fallback = fallback or load_model()
            model = fallback
        found.update(dict.fromkeys(split.test, model))
    if len(found) < len(corpus.items):
        # Too few groups in a set to hold any out: the shipped model, as a scan would take it.
        fallback = fallback or load_model()
        for i in range(len(corpus.items)):
            found.setdefault(i, fallback)
    return found


def judge_repeatedly(
    ranked: Sequence[Ranked], panel: Panel, *, variant: str, repeats: int
) -> Judged:
    """Ask about every trace, ``repeats`` times."""
    columns: list[list[Judgement]] = [[] for _ in ranked]
    for repeat in range(repeats):
        again = panel.with_options(replace(panel.options, repeat=repeat))
        tasks: list[Attribution | Callable[[], Coroutine[Any, Any, Attribution]]] = [
            partial(again.judge, each.item.trace, each.attribution) for each in ranked
        ]
        answers = run_ordered(tasks, ahead=2 * panel.options.concurrency, finish=again.close)
        for column, answer in zip(columns, answers, strict=True):
            if answer.judgement is not None:
                column.append(answer.judgement)
    return Judged(variant, tuple(tuple(column) for column in columns))


def evaluate_judges(
    paths: Iterable[str | Path],
    panel: Panel,
    *,
    registry: Registry,
    repeats: int = 1,
    ablate: bool = False,
    folds: int = 5,
    model: RankingModel | None = None,
) -> JudgeEvaluation:
    """Say what judges add, how steady they are and what they cost.

    Args:
        paths: Folders with labelled traces.
        panel: Who judges, and how.
        registry: Plugins to use.
        repeats: How often each trace is asked about.
        ablate: Ask again without our candidates, without hints and with random hints.
        folds: Number of folds.
        model: A finished ranking model, instead of one fitted for each fold.

    Raises:
        UsageError: If there is nothing labelled.
    """
    ranked = rank_held_out(paths, registry=registry, folds=folds, shipped=model)
    variants, notes = _variants(panel, ablate=ablate)
    rows: list[JudgeRow] = []
    bills: list[JudgeBill] = []
    comparisons: list[JudgeComparison] = []
    for variant, with_it in variants:
        judged = judge_repeatedly(ranked, with_it, variant=variant, repeats=repeats)
        hits = score_methods(ranked, judged, folds=folds)
        rows += _rows(ranked, hits, variant)
        comparisons += _compare(ranked, hits, variant)
        bills.append(make_bill(judged))
    options = panel.options
    return JudgeEvaluation(
        models=options.models,
        strategy=options.strategy,
        budget=options.budget,
        repeats=repeats,
        n=len(ranked),
        held_out=model is None,
        rows=tuple(rows),
        comparisons=tuple(comparisons),
        bills=tuple(bills),
        notes=tuple(notes),
    )


def _variants(panel: Panel, *, ablate: bool) -> tuple[list[tuple[str, Panel]], list[str]]:
    found = [(AS_ASKED, panel)]
    if not ablate:
        return found, []
    without = replace(panel.options, with_candidates=False)
    found.append(("without candidates", panel.with_options(without)))
    hints = panel.hints
    if hints is None:
        return found, ["without hints from past failures there is nothing to leave out or replace"]
    found.append(("without hints", panel.with_hints(None)))
    found.append(("random hints", panel.with_hints(RandomHints(hints))))
    return found, []


def score_methods(ranked: Sequence[Ranked], judged: Judged, *, folds: int) -> dict[str, list[Hits]]:
    """Hits of each method on each trace, means over repeats."""
    weights = fit_across_folds(ranked, judged, folds=folds)
    found: dict[str, list[Hits]] = {RANKER: [], ALONE: [], JOINED: [], FITTED: []}
    for i, (each, judgements) in enumerate(zip(ranked, judged.judgements, strict=True)):
        found[RANKER].append(_hits(each, each.attribution))
        alone, joined, fitted = [], [], []
        for judgement in judgements:
            alone.append(_hits_of_verdict(each, judgement))
            trace, base = each.item.trace, each.attribution
            joined.append(_hits(each, combine(trace, base, judgement, weights={})))
            fitted.append(_hits(each, combine(trace, base, judgement, weights=weights[i])))
        found[ALONE].append(_mean(alone))
        found[JOINED].append(_mean(joined))
        found[FITTED].append(_mean(fitted))
    return found


def fit_across_folds(
    ranked: Sequence[Ranked], judged: Judged, *, folds: int
) -> list[dict[str, Weights]]:
    """For each trace the weights of each judge, fitted on the traces of other folds."""
    rows = []
    for each, judgements in zip(ranked, judged.judgements, strict=True):
        row = {}
        for judgement in judgements[:1]:
            for name in judgement.models:
                ballots = [b for b in judgement.ballots if b.model == name]
                vote = vote_of(each.item.trace, each.attribution, ballots)
                example = example_of(vote, sorted(each.labels)) if vote is not None else None
                if example is not None:
                    row[name] = example
        rows.append(row)
    items = [each.item for each in ranked]
    names = sorted({name for row in rows for name in row})
    found: list[dict[str, Weights]] = [{} for _ in ranked]
    for test in group_folds(items, range(len(items)), folds=folds, seed=0):
        inside = set(test)
        for name in names:
            train = [row[name] for i, row in enumerate(rows) if i not in inside and name in row]
            fitted = fit_weights(train)
            for i in test:
                found[i][name] = fitted
    return found


def _hits(each: Ranked, attribution: Attribution) -> Hits:
    """Of the ranking, whether or not it abstains: what it would say is best."""
    native = [candidate.native_index for candidate in attribution.candidates]
    top = native[0] if native else -10
    accused = attribution.agents[0].agent if attribution.agents else ""
    return Hits(
        exact=float(top in each.labels),
        within_1=float(any(abs(top - label) <= 1 for label in each.labels)),
        top_3=float(not each.labels.isdisjoint(native[:3])),
        agent=float(normalise_agent(accused) in each.agents),
    )


def _hits_of_verdict(each: Ranked, judgement: Judgement) -> Hits:
    """Of the judges alone, by most votes; no answer is no hit."""
    steps = [b.verdict.step for b in judgement.ballots if b.verdict and b.verdict.step is not None]
    if not steps:
        return Hits(0.0, 0.0, 0.0, 0.0)
    counts = Counter(steps)
    ordered = sorted(counts, key=lambda step: (-counts[step], step))
    native = [each.item.trace.steps[step].native_index for step in ordered]
    return Hits(
        exact=float(native[0] in each.labels),
        within_1=float(any(abs(native[0] - label) <= 1 for label in each.labels)),
        top_3=float(not each.labels.isdisjoint(native[:3])),
        agent=float(normalise_agent(each.item.trace.steps[ordered[0]].agent) in each.agents),
    )


def _mean(hits: Sequence[Hits]) -> Hits:
    if not hits:
        return Hits(0.0, 0.0, 0.0, 0.0)
    return Hits(*(float(np.mean(column)) for column in zip(*hits, strict=True)))


def _rows(ranked: Sequence[Ranked], hits: dict[str, list[Hits]], variant: str) -> list[JudgeRow]:
    datasets = list(dict.fromkeys(each.item.dataset for each in ranked))
    rows = []
    for dataset in [*datasets, *([POOLED] if len(datasets) > 1 else [])]:
        members = [i for i, each in enumerate(ranked) if dataset in (POOLED, each.item.dataset)]
        for method, values in hits.items():
            mean = _mean([values[i] for i in members])
            low, high = beta_interval(mean.exact * len(members), len(members))
            rows.append(
                JudgeRow(
                    dataset=dataset,
                    variant=variant,
                    method=method,
                    n=len(members),
                    low=low,
                    high=high,
                    **mean._asdict(),
                )
            )
    return rows


def _compare(
    ranked: Sequence[Ranked], hits: dict[str, list[Hits]], variant: str
) -> list[JudgeComparison]:
    groups = [each.item.group for each in ranked]
    found = []
    for left, right in ((JOINED, RANKER), (JOINED, ALONE), (FITTED, RANKER), (FITTED, ALONE)):
        difference = bootstrap_difference(
            [each.exact for each in hits[left]], [each.exact for each in hits[right]], groups
        )
        found.append(
            JudgeComparison(variant=variant, left=left, right=right, **difference._asdict())
        )
    return found


def make_bill(judged: Judged) -> JudgeBill:
    """What one variant cost, and how steady it was."""
    judgements = [judgement for column in judged.judgements for judgement in column]
    costs = [judgement.cost for judgement in judgements]
    n = max(len(judgements), 1)
    waits = [cost.seconds / cost.calls for cost in costs if cost.calls]
    failed = Counter(
        ballot.failure.kind
        for judgement in judgements
        for ballot in judgement.ballots
        if ballot.failure is not None
    )
    usd = [cost.usd for cost in costs]
    known = [each for each in usd if each is not None]
    return JudgeBill(
        variant=judged.variant,
        judged=len(judgements),
        answered=sum(judgement.answered for judgement in judgements),
        failures=dict(sorted(failed.items())),
        flip_rate=flip_rate(judged),
        calls=sum(cost.calls for cost in costs) / n,
        cached=sum(cost.cached for cost in costs) / n,
        input_tokens=sum(cost.input_tokens for cost in costs) / n,
        output_tokens=sum(cost.output_tokens for cost in costs) / n,
        most=max((cost.most for cost in costs), default=0),
        over_budget=sum(cost.over_budget for cost in costs),
        usd=sum(known) if len(known) == len(usd) else None,
        latency_median=float(np.median(waits)) if waits else None,
        latency_p95=float(np.quantile(waits, 0.95)) if waits else None,
        own_seconds=sum(cost.own_seconds for cost in costs) / n,
    )


def flip_rate(judged: Judged) -> float | None:
    """Share of pairs of repeats with other verdicts, a mean over traces; ``None`` without pairs."""
    rates = []
    for column in judged.judgements:
        steps = [j.verdict.step for j in column if j.verdict is not None]
        pairs = list(combinations(steps, 2))
        if pairs:
            rates.append(sum(a != b for a, b in pairs) / len(pairs))
    return float(np.mean(rates)) if rates else None
