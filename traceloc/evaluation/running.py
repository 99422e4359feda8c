"""Runs a protocol: fits on one side of each split, asks the other, and scores what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

import numpy as np

from traceloc.errors import UsageError
from traceloc.evaluation.baselines import COMMONEST, UNIFORM, commonest_position, nearest
from traceloc.evaluation.metrics import ItemScore, score_item, score_uniform
from traceloc.evaluation.preparing import Corpus, Prepared
from traceloc.evaluation.protocols import (
    FEW_SHOT_LABELS,
    Protocol,
    Split,
    few_shot,
    in_sample,
    k_fold,
    leave_one_system_out,
)
from traceloc.ranking.fit import FitOptions, fit_model
from traceloc.ranking.model import RankingModel, softmax

MODEL = "traceloc"


class Result(NamedTuple):
    """One method's answer for one trace."""

    item: int
    """Position in the corpus."""
    method: str
    seed: int
    score: ItemScore


@dataclass
class Run:
    """All answers of a protocol."""

    corpus: Corpus
    results: list[Result] = field(default_factory=list)
    innocence: list[tuple[int, str, int, float]] = field(default_factory=list)
    """Item, method, seed and probability of "no decisive error", where the outcome is known."""


def run_protocol(
    corpus: Corpus,
    protocol: Protocol,
    *,
    seeds: Sequence[int] = (0,),
    folds: int = 5,
    options: FitOptions | None = None,
    with_prior: bool = False,
    model: RankingModel | None = None,
    labels: Sequence[int] = FEW_SHOT_LABELS,
    baselines: bool = True,
) -> Run:
    """Answer for every trace by the rules of a protocol.

    Args:
        corpus: Measured traces.
        protocol: How to split.
        seeds: One repetition each; leave-one-system-out and ``shipped`` have none to repeat.
        folds: Number of folds.
        options: How to fit.
        with_prior: For ``kfold``: take a model of the other systems as the prior.
        model: For ``shipped``: the finished model.
        labels: For ``fewshot``: numbers of labels.
        baselines: Whether to answer by the trivial rules too.
    """
    run = Run(corpus)
    priors: dict[tuple[int, ...], RankingModel | None] = {}
    asked: set[tuple[int, tuple[int, ...]]] = set()
    options = options or FitOptions()
    for split in _splits(corpus, protocol, seeds, folds, with_prior, labels):
        if protocol == "shipped":
            fitted = model
        else:
            prior = None
            if split.prior is not None:
                if split.prior not in priors:
                    priors[split.prior] = fit_split(corpus, split.prior, options)
                prior = priors[split.prior]
            fitted = fit_split(corpus, split.train, options, prior=prior)
        _ask(run, split, fitted)
        # The rules answer the same whatever the number of labels.
        if baselines and (split.seed, split.test) not in asked:
            asked.add((split.seed, split.test))
            _ask_rules(run, split)
    return run


def fit_split(
    corpus: Corpus,
    members: Iterable[int],
    options: FitOptions,
    *,
    prior: RankingModel | None = None,
) -> RankingModel | None:
    """Fit on some items; ``None`` where there is neither a label nor a prior."""
    examples = [corpus.items[i].example() for i in members]
    if prior is None and not any(each.labelled for each in examples):
        return None
    return fit_model(examples, corpus.features, prior=prior, options=options)


def _splits(
    corpus: Corpus,
    protocol: Protocol,
    seeds: Sequence[int],
    folds: int,
    with_prior: bool,
    labels: Sequence[int],
) -> Iterable[Split]:
    items = corpus.items
    if protocol == "kfold":
        for seed in seeds:
            yield from k_fold(items, folds=folds, seed=seed, with_prior=with_prior)
    elif protocol == "loso":
        yield from leave_one_system_out(items)
    elif protocol == "fewshot":
        for seed in seeds:
            yield from few_shot(items, folds=folds, seed=seed, labels=labels)
    elif protocol == "shipped":
        yield from in_sample(items)
    else:
        raise UsageError(f"there is no protocol {protocol!r}")


def _ask(run: Run, split: Split, model: RankingModel | None) -> None:
    """Score the answers of a model; without one it knows nothing and takes the first step."""
    method = f"{MODEL}, {split.tag}" if split.tag else MODEL
    for i in split.test:
        item = run.corpus.items[i]
        scores, p_no_error = np.zeros(len(item.agents)), 0.0
        if model is not None:
            found = model.score(item.table)
            scores, p_no_error = found.scores, found.p_no_error
        if item.labelled:
            score = score_item(scores, probabilities=softmax(scores), **_facts(item))
            run.results.append(Result(i, method, split.seed, score))
        if item.passed is not None:
            run.innocence.append((i, method, split.seed, p_no_error))


def _ask_rules(run: Run, split: Split) -> None:
    position: dict[str, int] = {}
    items = run.corpus.items
    for dataset in {items[i].dataset for i in split.train}:
        position[dataset] = commonest_position(_labels(items, split.train, dataset))
    pooled = commonest_position(_labels(items, split.train, None))
    for i in split.test:
        item = items[i]
        if not item.labelled:
            continue
        wanted = position.get(item.dataset, pooled)
        picks = {COMMONEST: nearest(item.native, wanted)} if split.train else {}
        run.results.append(Result(i, UNIFORM, split.seed, score_uniform(**_facts(item))))
        for method, pick in (picks | item.rules).items():
            scores = np.zeros(len(item.agents))
            scores[pick] = 1.0
            run.results.append(Result(i, method, split.seed, score_item(scores, **_facts(item))))


def _labels(items: Sequence[Prepared], members: Iterable[int], dataset: str | None) -> list[int]:
    return [
        label
        for i in members
        if dataset is None or items[i].dataset == dataset
        for label in sorted(items[i].labels)
    ]


class Facts(TypedDict):
    """What a ranking is compared with."""

    native: list[int]
    labels: frozenset[int]
    agents: tuple[str, ...]
    blamed_agents: frozenset[str]


def _facts(item: Prepared) -> Facts:
    return {
        "native": item.native,
        "labels": item.labels,
        "agents": item.agents,
        "blamed_agents": item.blamed_agents,
    }
