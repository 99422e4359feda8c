"""``traceloc show``: one trace, or one step of it, looked at closely."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug, From, Model, NoColor, NoLabels, NoMemory, System


def show_command(
    locator: Annotated[
        str,
        typer.Argument(
            metavar="TRACE[#STEP]",
            help="A locator as 'scan' prints it: PATH, PATH#STEP or PATH:TRACE-ID#STEP.",
            show_default=False,
        ),
    ],
    all_: Annotated[
        bool, typer.Option("--all", "-a", help="Every step, and the whole text of a step.")
    ] = False,
    from_: From = None,
    system: System = None,
    model: Model = None,
    no_labels: NoLabels = False,
    no_memory: NoMemory = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Show the timeline of a trace, or one step closely.

    With #STEP: the step in its context, the evidence against it, and what later steps rest on it.
    """
    import sys

    from traceloc import scanning
    from traceloc.graph import TraceGraph
    from traceloc.locators import find_trace
    from traceloc.registry import Registry
    from traceloc.reporting.closeup import find_dependents, render_step
    from traceloc.reporting.timeline import render_timeline
    from traceloc.settings import resolve_settings

    given = {
        "from": from_,
        "system": system,
        "model": model,
        "labels": False if no_labels else None,
        "memory": "none" if no_memory else None,
        "color": False if no_color else None,
    }
    settings = resolve_settings(given).settings
    registry = Registry()
    trace, step = find_trace(
        locator,
        loader=settings.from_,
        system=settings.system,
        systems=settings.systems,
        registry=registry,
    )
    attribution = scanning.localize_fully(trace, settings=settings, registry=registry)
    options = console.report_options(sys.stdout, color=settings.color)
    if step is None:
        pieces = render_timeline(trace, attribution, options=options, everything=all_)
    else:
        pieces = render_step(
            trace,
            attribution,
            trace.steps[step],
            dependents=find_dependents(TraceGraph(trace), step),
            options=options,
            everything=all_,
        )
    console.write_pieces(pieces, sys.stdout)
    console.warn_of_broken_plugins(registry, "loaders", "signals")
