"""Runs a protocol: fits on one side of each split, asks the other, and scores what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict

import numpy as np

from traceloc.errors import UsageError
from traceloc.evaluation.baselines import COMMONEST, UNIFORM, commonest_position, nearest
from traceloc.evaluation.metrics import Floats, ItemScore, score_item, score_uniform, score_window
from traceloc.evaluation.misses import Miss, note_miss
from traceloc.evaluation.preparing import Corpus, Prepared
from traceloc.evaluation.protocols import (
    FEW_SHOT_LABELS,
    Protocol,
    Split,
    arrival,
    few_shot,
    group_folds,
    in_sample,
    k_fold,
    leave_one_system_out,
)
from traceloc.evaluation.remembering import MemoryMode, Remembered
from traceloc.memory.gate import CLOSED, Gate
from traceloc.memory.recall import weigh_with_memory
from traceloc.ranking.adapt import Answer, adapt_model
from traceloc.ranking.fit import FitOptions, fit_model
from traceloc.ranking.model import RankingModel, Scores

MODEL = "traceloc"


class Result(NamedTuple):
    """One method's answer for one trace."""

    item: int
    """Position in the corpus."""
    method: str
    seed: int
    score: ItemScore


class Verdict(NamedTuple):
    """Whether one trace was accused, where its outcome is known."""

    item: int
    method: str
    seed: int
    p_no_error: float
    silent: bool
    """Whether the model abstained, for whatever reason."""
    hit: bool
    """Whether it blamed a step, and a labelled one."""


@dataclass
class Run:
    """All answers of a protocol."""

    corpus: Corpus
    results: list[Result] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    """What misled the model, where that was asked for."""
    gates: list[tuple[int, int, Gate]] = field(default_factory=list)
    """Trace, seed, and whether the memory had a vote in its answer, where there is one."""
    guessed: int = 0
    """Answers for which there was no model, because there was nothing to learn from."""


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
    coverage: float = 0.9,
    explain: bool = False,
    memory: MemoryMode = "none",
    remembered: Remembered | None = None,
    memory_size: int | None = None,
    memory_weight: float | None = None,
    fits: dict[object, Any] | None = None,
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
        coverage: Probability with which windows shall hold the labelled step.
        explain: Keep what misled the model where it was wrong, for the first seed.
        memory: Which neighbours a failure memory of the learned traces takes.
        remembered: The corpus as that memory holds it; needed for any.
        memory_size: Failures it holds at most, drawn by seed; all if left out.
        memory_weight: Weight of its vote in place of the one its gate allows.
        fits: Models of an earlier run of the same protocol and corpus, to be used again.
    """
    kept = fits is not None
    fits = {} if fits is None else fits
    run = Run(corpus)
    notes = None
    if memory != "none" and remembered is not None:
        notes = Notes(remembered, memory, size=memory_size, weight=memory_weight)
    priors: dict[tuple[int, ...], RankingModel | None] = {}
    asked: set[tuple[int, tuple[int, ...]]] = set()
    last: tuple[object, RankingModel | None] | None = None
    options = options or FitOptions()
    for split in _splits(corpus, protocol, seeds, folds, with_prior, labels):
        if protocol == "shipped":
            fitted = model
        else:
            prior = None
            if split.prior is not None:
                if split.prior not in priors:
                    key = ("prior", split.prior)
                    if key not in fits:
                        fits[key] = fit_split(corpus, split.prior, options)
                    priors[split.prior] = fits[key]
                prior = priors[split.prior]
            # Traces that come one by one are often asked of the same model.
            learned_from = (split.train, split.prior)
            if learned_from in fits:
                last = (learned_from, fits[learned_from])
            elif last is None or last[0] != learned_from:
                if protocol == "fewshot" and prior is not None:
                    last = (learned_from, adapt_split(corpus, split.train, prior))
                else:
                    last = (learned_from, fit_split(corpus, split.train, options, prior=prior))
            fitted = last[1]
            if kept:
                fits[learned_from] = fitted
        if notes is not None and fitted is not None:
            notes.learn(corpus, protocol, split, options, priors, fits)
        first = split.seed == seeds[0]
        _ask(run, split, fitted, coverage=coverage, explain=explain and first, notes=notes)
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


def adapt_split(corpus: Corpus, members: Iterable[int], prior: RankingModel) -> RankingModel:
    """Adapt a model to some items, just as a scan adapts it to what was labelled."""
    items = [corpus.items[i] for i in members if corpus.items[i].labelled]
    answers = [
        Answer(item.table.matrix, np.isin(item.table.native, sorted(item.labels)), item.group)
        for item in items
    ]
    system = items[0].system if items else None
    return adapt_model(prior, answers, corpus.features, system=system).model


class Notes:
    """A failure memory of what a split learned from, beside the model.

    Its gate needs what the ranker says of a trace without having learned from it. Where traces come
    one by one that is what it said when they came; elsewhere it is fitted without their fifth.
    """

    def __init__(
        self,
        remembered: Remembered,
        mode: MemoryMode,
        *,
        size: int | None = None,
        weight: float | None = None,
    ) -> None:
        self.remembered = remembered
        self.mode = mode
        self.size = size
        self.weight = weight
        self.gate = CLOSED
        self.members: tuple[int, ...] = ()
        self._said: dict[int, dict[int, Floats]] = {}
        self._known: object = None

    def learn(
        self,
        corpus: Corpus,
        protocol: Protocol,
        split: Split,
        options: FitOptions,
        priors: Mapping[tuple[int, ...], RankingModel | None],
        fits: dict[object, Any],
    ) -> None:
        """Remember what the split learned from, and find out whether that may vote."""
        members = tuple(i for i in split.train if corpus.items[i].labelled)
        if self.size is not None and len(members) > self.size:
            order = np.random.default_rng([split.seed, 7]).permutation(len(members))
            members = tuple(sorted(members[int(k)] for k in order[: self.size]))
        known = (split.seed, split.train, split.prior)
        if known == self._known:
            return
        self._known, self.members = known, members
        if self.weight is not None:
            self.gate = Gate(self.weight, 0, float("nan"), float("nan"))
            return
        systems = {corpus.items[i].system for i in split.test}
        if len(members) < self.remembered.settings.gate_groups or any(
            corpus.items[j].system not in systems for j in members
        ):
            # A vote is earned on the system itself.
            self.gate = CLOSED
            return
        scores: Mapping[int, Floats] = self._said.get(split.seed, {})
        if protocol != "arrival":
            prior = priors.get(split.prior) if split.prior is not None else None
            key = ("cross", split.seed, split.train, split.prior)
            scores = fits.get(key) or cross_scores(corpus, split, options, prior=prior)
            fits[key] = scores
        self.gate = self.remembered.gate(members, self.mode, scores=scores, seed=split.seed)

    def weigh(self, i: int, split: Split, alone: Scores) -> Scores:
        """The scores with the vote of the memory."""
        self._said.setdefault(split.seed, {})[i] = alone.scores
        recalled = self.remembered.recall(
            i, self.members, self.mode, gate=self.gate, seed=split.seed
        )
        return weigh_with_memory(alone, recalled)


def cross_scores(
    corpus: Corpus, split: Split, options: FitOptions, *, prior: RankingModel | None
) -> dict[int, Floats]:
    """What models say of the traces of a split that each was fitted without."""
    found: dict[int, Floats] = {}
    for held_out in group_folds(corpus.items, split.train, folds=5, seed=split.seed):
        rest = [i for i in split.train if i not in set(held_out)]
        model = fit_split(corpus, rest, options, prior=prior)
        if model is not None:
            for i in held_out:
                item = corpus.items[i]
                found[i] = model.score(item.table, system=item.system).scores
    return found


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
    elif protocol == "arrival":
        for seed in seeds:
            yield from arrival(items, seed=seed)
    elif protocol == "shipped":
        yield from in_sample(items)
    else:
        raise UsageError(f"there is no protocol {protocol!r}")


def _ask(
    run: Run,
    split: Split,
    model: RankingModel | None,
    *,
    coverage: float,
    explain: bool,
    notes: Notes | None,
) -> None:
    """Score the answers of a model; without one it knows nothing and takes the first step."""
    method = f"{MODEL}, {split.tag}" if split.tag else MODEL
    for i in split.test:
        item = run.corpus.items[i]
        n = len(item.agents)
        if model is None or not n:
            if item.labelled:
                run.guessed += model is None
                score = score_item(np.zeros(n), probabilities=np.full(n, 1 / n), **_facts(item))
                run.results.append(Result(i, method, split.seed, score))
            continue
        alone = model.score(item.table, system=item.system)
        found = alone
        if notes is not None:
            found = notes.weigh(i, split, alone)
            run.gates.append((i, split.seed, notes.gate))
        hit = False
        if item.labelled:
            given_failure = found.probabilities / found.probabilities.sum()
            score = score_item(found.scores, probabilities=given_failure, **_facts(item))
            window = model.window(alone, system=item.system, coverage=coverage)
            if window is not None:
                score = score_window(score, window[:2], native=item.native, labels=item.labels)
            run.results.append(Result(i, method, split.seed, score))
            hit = score.exact == 1
            if explain and not hit:
                run.misses.append(note_miss(item, method, model, found))
        if item.passed is not None:
            silent = model.silence(item.table, found, system=item.system) is not None
            verdict = Verdict(i, method, split.seed, found.p_no_error, silent, hit and not silent)
            run.verdicts.append(verdict)


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
