"""The two jobs on labelled traces: to say how good a ranking is, and to fit one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from traceloc.contracts import Signal
from traceloc.errors import UsageError
from traceloc.evaluation.datasets import Reading, read_datasets
from traceloc.evaluation.misses import worst_misses
from traceloc.evaluation.preparing import Corpus, prepare
from traceloc.evaluation.protocols import (
    ARRIVAL_ORDERS,
    FEW_SHOT_LABELS,
    NEED_OTHERS,
    PROTOCOLS,
    Protocol,
)
from traceloc.evaluation.remembering import MEMORY_MODES, MemoryMode, remember_corpus
from traceloc.evaluation.report import Evaluation
from traceloc.evaluation.running import Run, run_protocol
from traceloc.evaluation.summary import (
    Comparison,
    compare,
    count_votes,
    item_rows,
    join_tags,
    reliability_bins,
    summarise,
    summarise_windows,
)
from traceloc.ranking.fit import FitOptions, fit_model
from traceloc.ranking.model import DatasetRecord, Provenance, RankingModel, load_model
from traceloc.registry import Registry


class Measured(NamedTuple):
    """Labelled traces, read and measured."""

    reading: Reading
    corpus: Corpus
    seconds: dict[str, float]


def measure_datasets(
    paths: Iterable[str | Path],
    *,
    systems: Mapping[str, str] | None = None,
    registry: Registry | None = None,
    signals: Sequence[Signal] | None = None,
) -> Measured:
    """Read labelled traces and measure every signal on them, once.

    Raises:
        UsageError: If a path does not exist, labels cannot be read, or there is no trace.
    """
    registry = registry or Registry()
    begun = time.perf_counter()
    reading = read_datasets(paths, systems=systems, registry=registry)
    if not reading.items:
        raise UsageError("no labelled traces were found", code="TL206")
    read = time.perf_counter()
    signals = registry.all("signals") if signals is None else signals
    corpus = prepare(reading.items, signals)
    for name, error in registry.broken("signals").items():
        corpus.failures[f"signal {name!r}: {error}"] = len(corpus.items)
    seconds = {"read": read - begun, "measure": time.perf_counter() - read}
    return Measured(reading, corpus, seconds)


def evaluate(
    paths: Iterable[str | Path],
    *,
    protocol: Protocol = "kfold",
    seeds: int | None = None,
    folds: int = 5,
    options: FitOptions | None = None,
    with_prior: bool = False,
    model: RankingModel | None = None,
    labels: Sequence[int] = FEW_SHOT_LABELS,
    systems: Mapping[str, str] | None = None,
    registry: Registry | None = None,
    signals: Sequence[Signal] | None = None,
    families: Sequence[str] | None = None,
    ablate: bool = False,
    weights: bool = False,
    coverage: float = 0.9,
    explain: bool = False,
    memory: MemoryMode = "none",
    memory_size: int | None = None,
    memory_weight: float | None = None,
) -> Evaluation:
    """Say how good the ranking of labelled traces is.

    Args:
        paths: Folders with labelled traces.
        protocol: ``kfold`` within each set, ``loso`` (leave one system out), ``fewshot``,
            ``arrival`` (trace by trace), or ``shipped`` for a finished model as it is.
        seeds: Number of repetitions, seeded 0, 1, 2 …; 5 if left out, 20 for ``arrival``.
        folds: Number of folds.
        options: How to fit.
        with_prior: For ``kfold``: fit around a model of the other systems.
        model: For ``shipped``: the model; the shipped one if left out.
        labels: For ``fewshot``: numbers of labels.
        systems: System of each set, by folder name.
        registry: Plugins to use.
        signals: Signals to use instead of the installed ones.
        families: Use only these signals.
        ablate: Compare with a run without each signal.
        weights: Fit on each set as a whole and keep the models.
        coverage: Probability with which windows shall hold the labelled step.
        explain: Keep the worst misses, and what misled the model.
        memory: Let a failure memory of what was learned from vote: ``nearest``, or a control
            (``random``, ``whole-trace``, ``prose``). It is compared with the ranking alone.
        memory_size: Failures it holds at most.
        memory_weight: Weight of its vote in place of the one its gate allows.

    Raises:
        UsageError: If there is nothing to evaluate or an argument is wrong.
        ModelError: If a finished model does not fit the signals.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(
            f"there is no protocol {protocol!r}", hint=f"there are: {', '.join(PROTOCOLS)}"
        )
    if memory not in MEMORY_MODES:
        raise UsageError(
            f"there is no memory {memory!r}", hint=f"there are: {', '.join(MEMORY_MODES)}"
        )
    if not 0 < coverage < 1:
        raise UsageError(f"coverage is {coverage!r}; expected a number above 0 and below 1")
    repeated = protocol in ("kfold", "fewshot", "arrival")
    count = seeds or (ARRIVAL_ORDERS if protocol == "arrival" else 5)
    registry = registry or Registry()
    signals = registry.all("signals") if signals is None else signals
    measured = measure_datasets(paths, systems=systems, registry=registry, signals=signals)
    corpus = measured.corpus if families is None else measured.corpus.only(families)
    if protocol in NEED_OTHERS or with_prior:
        _require_others(protocol, corpus)
    if protocol == "shipped" and model is None:
        model = load_model()
    begun = time.perf_counter()

    remembered = None
    if memory != "none":
        remembered = remember_corpus(measured.reading.items, measured.corpus)

    def run(of: Corpus, baselines: bool, explain: bool = False, memory: MemoryMode = memory) -> Run:
        return run_protocol(
            of,
            protocol,
            seeds=range(count),
            folds=folds,
            options=options,
            with_prior=with_prior,
            model=model,
            labels=labels,
            baselines=baselines,
            coverage=coverage,
            explain=explain,
            memory=memory,
            remembered=remembered,
            memory_size=memory_size,
            memory_weight=memory_weight,
        )

    full = run(corpus, True, explain)
    comparisons: list[Comparison] = []
    if ablate:
        for family in corpus.families:
            rest = [each for each in corpus.families if each != family]
            if rest:
                without = run(corpus.only(rest), False)
                comparisons += compare(without, full, names=(family, "all"))
    if memory != "none":
        alone = run(corpus, False, memory="none")
        comparisons += compare(join_tags(full), join_tags(alone), names=(f"memory {memory}", "all"))
    models = _fit_each(corpus, protocol, options) if weights else ()
    items = corpus.items
    return Evaluation(
        protocol=protocol,
        seeds=tuple(range(count)) if repeated else (0,),
        folds=folds,
        rows=summarise(full),
        windows=summarise_windows(full, coverage),
        reliability=reliability_bins(full),
        misses=worst_misses(full.misses, _claims(signals)),
        comparisons=tuple(comparisons),
        items=item_rows(full),
        models=models,
        n_traces=len(items),
        n_features=len(corpus.features),
        unmatched=measured.reading.unmatched,
        outside=tuple(item.key for item in items if item.labels and not item.joined),
        unreadable=tuple(str(error) for error in measured.reading.errors),
        guessed=full.guessed,
        failures=corpus.failures,
        votes=count_votes(full),
        data_hash=corpus.digest,
        seconds=measured.seconds | {"run": time.perf_counter() - begun},
    )


def _require_others(protocol: Protocol, corpus: Corpus) -> None:
    """Refuse to print as a result what a model says that has learned from nothing."""
    systems = {item.system for item in corpus.items}
    if len(systems) < 2:
        name = protocol if protocol in NEED_OTHERS else f"{protocol} with a prior"
        raise UsageError(
            f"{name} needs at least two systems: it learns from others; there is only "
            f"{', '.join(systems)!r}",
            code="TL209",
            hint="name sets of other systems too; within one set 'kfold' measures, and 'shipped' "
            "asks the model that ships",
        )


def _claims(signals: Sequence[Signal]) -> dict[str, str]:
    """What a high value of each feature means."""
    return {f"{each.name}.{f.name}": f.claim for each in signals for f in each.features}


def fit(
    paths: Iterable[str | Path],
    *,
    name: str = "fitted",
    prior: RankingModel | None = None,
    options: FitOptions | None = None,
    systems: Mapping[str, str] | None = None,
    registry: Registry | None = None,
    signals: Sequence[Signal] | None = None,
    command: str = "",
) -> RankingModel:
    """Fit a ranking model on labelled traces.

    Args:
        paths: Folders with labelled traces.
        name: Name of the model.
        prior: Model whose weights are the prior mean.
        options: How to fit.
        systems: System of each set, by folder name.
        registry: Plugins to use.
        signals: Signals to use instead of the installed ones.
        command: What was typed, for the provenance.

    Raises:
        UsageError: If there is no labelled trace.
        ModelError: If the prior does not fit the signals, or nothing is labelled.
    """
    corpus = measure_datasets(paths, systems=systems, registry=registry, signals=signals).corpus
    return fit_corpus(corpus, name=name, prior=prior, options=options, command=command)


def fit_corpus(
    corpus: Corpus,
    *,
    name: str,
    prior: RankingModel | None = None,
    options: FitOptions | None = None,
    command: str = "",
) -> RankingModel:
    """Fit on everything that was measured, and say in the model what that was."""
    from traceloc import __version__

    sets = dict.fromkeys((item.dataset, item.system) for item in corpus.items)
    records = []
    for dataset, system in sets:
        members = [i for i in corpus.items if (i.dataset, i.system) == (dataset, system)]
        records.append(
            DatasetRecord(
                name=dataset,
                system=system,
                traces=len(members),
                labelled=sum(item.labelled and item.joined for item in members),
                passed=sum(item.passed is True for item in members),
            )
        )
    provenance = Provenance(
        datasets=tuple(records),
        data_hash=corpus.digest,
        command=command,
        signals=corpus.signals,
        traceloc=__version__,
    )
    return fit_model(
        [item.example() for item in corpus.items],
        corpus.features,
        name=name,
        prior=prior,
        options=options,
        provenance=provenance,
    )


def _fit_each(
    corpus: Corpus, protocol: Protocol, options: FitOptions | None
) -> tuple[RankingModel, ...]:
    """One model for each set, or one for all where the protocol learns across sets."""
    if protocol != "kfold":
        return (fit_corpus(corpus, name="all sets", options=options),)
    models = []
    for dataset in dict.fromkeys(item.dataset for item in corpus.items):
        inside = tuple(item for item in corpus.items if item.dataset == dataset)
        if any(item.labelled and item.joined for item in inside):
            models.append(fit_corpus(replace(corpus, items=inside), name=dataset, options=options))
    return tuple(models)
