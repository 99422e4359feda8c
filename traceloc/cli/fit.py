"""``traceloc fit``: learn the weights of a ranking from labelled traces."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from traceloc.cli.options import L2, SystemL2


class HoldOut(StrEnum):
    """What is left out while the strength of the prior is chosen."""

    group = "group"
    system = "system"


def fit_command(
    paths: Annotated[list[Path], typer.Argument(help="Folders of traces with labels.jsonl.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write the model to.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the model; the file's if not given.")
    ] = None,
    prior: Annotated[
        str, typer.Option(help="Model to start from: 'shipped', 'none' or a file.")
    ] = "shipped",
    l2: L2 = None,
    system_l2: SystemL2 = None,
    hold_out: Annotated[
        HoldOut, typer.Option(help="What to leave out while choosing: groups or whole systems.")
    ] = HoldOut.system,
) -> None:
    """Fit a ranking model on labelled traces and save it as JSON."""
    from traceloc.evaluation import fit
    from traceloc.quoting import say_count
    from traceloc.ranking import load_model
    from traceloc.ranking.fit import SYSTEM_L2, FitOptions

    start = None
    if prior != "none":
        start = load_model(None if prior == "shipped" else prior)
    command = f"traceloc fit {' '.join(path.name for path in paths)} --prior {prior}"
    command += "" if l2 is None else f" --l2 {l2:g}"
    command += "" if system_l2 is None else f" --system-l2 {system_l2:g}"
    command += f" --hold-out {hold_out.value}"
    model = fit(
        paths,
        name=name or out.stem,
        prior=start,
        options=FitOptions(l2=l2, system_l2=system_l2 or SYSTEM_L2, hold_out=hold_out.value),
        command=command,
    )
    model.save(out)
    weights = len(model.shared) + len(model.system)
    typer.echo(f"wrote {out}: {say_count(weights, 'weight')}, l2 {model.provenance.l2:g}", err=True)
