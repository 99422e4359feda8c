"""``traceloc eval``: how good the ranking is on labelled traces."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ProtocolName(StrEnum):
    """How labelled traces are split."""

    kfold = "kfold"
    loso = "loso"
    fewshot = "fewshot"
    arrival = "arrival"
    shipped = "shipped"


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
    l2: Annotated[
        float | None, typer.Option(min=0.0, help="Precision of the prior; chosen if left out.")
    ] = None,
    system_l2: Annotated[
        float, typer.Option(min=1e-3, help="Precision of the system part, as a multiple of it.")
    ] = 1.0,
    signals: Annotated[
        str | None, typer.Option(help="Use only these signals, comma-separated.")
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Leave each signal out in turn.")
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
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw calibration, top-k and few-shot curves."),
    ] = None,
    format: Annotated[FormatName, typer.Option(help="Form of the result.")] = FormatName.text,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on labels that belong to no trace.")
    ] = False,
) -> None:
    """Say how good the ranking of labelled traces is, beside rules that need no learning."""
    from traceloc.errors import UsageError
    from traceloc.evaluation import draw_evaluation, evaluate, render
    from traceloc.ranking import load_model
    from traceloc.ranking.fit import FitOptions

    found = evaluate(
        paths,
        protocol=protocol.value,
        seeds=seeds,
        folds=folds,
        options=FitOptions(l2=l2, system_l2=system_l2),
        with_prior=with_prior,
        model=load_model(model) if model is not None else None,
        families=[name.strip() for name in signals.split(",")] if signals else None,
        ablate=ablate,
        weights=weights,
        coverage=coverage,
        explain=explain,
    )
    if plot is not None:
        try:
            plot.write_text(draw_evaluation(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{plot} cannot be written: {error}", code="TL220") from error
    typer.echo(render(found, format.value), nl=False)
    if strict and found.unmatched:
        typer.echo(
            f"error[TL207]: {len(found.unmatched)} labels belong to no trace: {found.unmatched[0]}",
            err=True,
        )
        raise typer.Exit(1)
