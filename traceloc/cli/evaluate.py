"""``traceloc eval``: how good the ranking is on labelled traces."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from traceloc.cli.options import (
    L2,
    Judge,
    JudgeBudget,
    JudgeStrategy,
    JudgeUrl,
    Offline,
    SystemL2,
)


class ProtocolName(StrEnum):
    """How labelled traces are split."""

    kfold = "kfold"
    loso = "loso"
    fewshot = "fewshot"
    arrival = "arrival"
    shipped = "shipped"


class MemoryName(StrEnum):
    """Which neighbours a failure memory takes."""

    none = "none"
    random = "random"
    nearest = "nearest"
    whole_trace = "whole-trace"
    prose = "prose"


class FormatName(StrEnum):
    """How the result is written."""

    text = "text"
    json = "json"
    markdown = "markdown"


def eval_command(
    paths: Annotated[list[Path], typer.Argument(help="Folders of traces with labels.jsonl.")],
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            help="kfold: within each set. loso: leave one system out. fewshot: a few labels on "
            "top of the other systems. arrival: trace by trace. shipped: a finished model."
        ),
    ] = ProtocolName.kfold,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Repetitions, seeded 0, 1, 2 … [default: 5, arrival 20]"),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Number of folds.")] = 5,
    with_prior: Annotated[
        bool, typer.Option("--with-prior", help="kfold: fit around a model of the other systems.")
    ] = False,
    model: Annotated[Path | None, typer.Option(help="shipped: model to evaluate as it is.")] = None,
    l2: L2 = None,
    system_l2: SystemL2 = None,
    signals: Annotated[
        str | None, typer.Option(help="Use only these signals, comma-separated.")
    ] = None,
    ablate: Annotated[
        bool,
        typer.Option(
            "--ablate",
            help="Leave each signal out in turn; with --judge, our candidates and the hints.",
        ),
    ] = False,
    weights: Annotated[
        bool, typer.Option("--weights", help="Print the weights fitted on each whole set.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="List the worst misses and what misled.")
    ] = False,
    coverage: Annotated[
        float, typer.Option(help="Probability with which windows shall hold the labelled step.")
    ] = 0.9,
    memory: Annotated[
        MemoryName,
        typer.Option(
            help="Let a memory of the learned failures vote, and compare: nearest neighbours, or "
            "a control: random ones, those of whole alike traces, or of explanations."
        ),
    ] = MemoryName.none,
    memory_size: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Failures the memory holds at most.")
    ] = None,
    memory_weight: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="W", help="Weight of its vote, whether earned or not."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw calibration, top-k and few-shot curves."),
    ] = None,
    judge: Judge = None,
    repeats: Annotated[
        int, typer.Option(min=1, max=100, help="With --judge: how often each trace is asked about.")
    ] = 1,
    judge_strategy: JudgeStrategy = None,
    judge_budget: JudgeBudget = None,
    judge_url: JudgeUrl = None,
    judge_expected: Annotated[
        bool,
        typer.Option("--judge-expected", help="Show judges the expected answer of each trace."),
    ] = False,
    offline: Offline = None,
    format: Annotated[FormatName, typer.Option(help="Form of the result.")] = FormatName.text,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on labels that belong to no trace.")
    ] = False,
) -> None:
    """Say how good the ranking of labelled traces is, beside rules that need no learning.

    With --judge: how good judges are, alone and with the ranker, how steady, and what they cost.
    """
    from traceloc.errors import UsageError
    from traceloc.evaluation import draw_evaluation, evaluate, render
    from traceloc.quoting import say_count
    from traceloc.ranking import load_model
    from traceloc.ranking.fit import SYSTEM_L2, FitOptions

    if judge is not None:
        from traceloc.evaluation.judge_command import evaluate_with_judges

        given = {
            "judge": judge,
            "judge_strategy": judge_strategy,
            "judge_budget": judge_budget,
            "judge_url": judge_url,
            "judge_expected": judge_expected,
            "offline": offline,
        }
        shipped = None
        if protocol is ProtocolName.shipped or model is not None:
            shipped = load_model(model)
        elif protocol is not ProtocolName.kfold:
            raise UsageError(
                f"judges cannot be evaluated by the protocol {protocol.value!r}",
                code="TL608",
                hint="protocols: kfold, shipped",
            )
        judged = evaluate_with_judges(
            paths, given, repeats=repeats, ablate=ablate, folds=folds, model=shipped
        )
        typer.echo(judged.render(format.value), nl=False)
        raise typer.Exit(0 if judged.complete else 3)
    found = evaluate(
        paths,
        protocol=protocol.value,
        seeds=seeds,
        folds=folds,
        options=FitOptions(l2=l2, system_l2=system_l2 or SYSTEM_L2),
        with_prior=with_prior,
        model=load_model(model) if model is not None else None,
        families=[name.strip() for name in signals.split(",")] if signals else None,
        ablate=ablate,
        weights=weights,
        coverage=coverage,
        explain=explain,
        memory=memory.value,
        memory_size=memory_size,
        memory_weight=memory_weight,
    )
    if plot is not None:
        try:
            plot.write_text(draw_evaluation(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{plot} cannot be written: {error}", code="TL220") from error
    typer.echo(render(found, format.value), nl=False)
    if strict and found.unmatched:
        typer.echo(
            f"error[TL207]: {say_count(len(found.unmatched), 'label')} of no trace: "
            f"{found.unmatched[0]}",
            err=True,
        )
        raise typer.Exit(1)
