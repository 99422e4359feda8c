"""``traceloc repeats``: tasks that were run several times."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug, From, NoColor, Output, Paths, System


def repeats_command(
    paths: Paths,
    format: Annotated[
        str, typer.Option("--format", "-f", metavar="text|json", help="How to print.")
    ] = "text",
    from_: From = None,
    system: System = None,
    output: Output = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Compare the runs of each task: how many pass, where failing ones part from passing ones.

    Needs runs of known outcome: as their file says, or in a folder called 'passed' or 'failed'.
    """
    from traceloc import __version__
    from traceloc.errors import UsageError
    from traceloc.registry import Registry
    from traceloc.repeats.statistics import describe_repeats
    from traceloc.reporting.json import dump
    from traceloc.reporting.repeats import render_repeats
    from traceloc.scanning import ScanOptions, gather_cohorts
    from traceloc.settings import resolve_settings

    if format not in ("text", "json"):
        raise UsageError(f"there is no format {format!r}", hint="formats: text, json")
    given = {"from": from_, "system": system, "color": False if no_color else None}
    settings = resolve_settings(given).settings
    registry = Registry()
    problems = 0
    cohorts, found = gather_cohorts(paths, options=ScanOptions.of(settings), registry=registry)
    for problem in found:
        problems += 1
        console.report_problem(problem)
    document = describe_repeats(cohorts, version=__version__)
    with console.open_output(output) as stream:
        options = console.report_options(stream, color=settings.color)
        if format == "json":
            console.write_pieces([dump(document) + "\n"], stream)
        else:
            console.write_pieces(render_repeats(document, options=options), stream)
    console.warn_of_broken_plugins(registry, "loaders")
    if not document.tasks:
        console.say("error[TL131]: no task was run more than once with a known outcome")
        console.say("hint: runs of one task share its id or text, and say whether they passed")
        console.fail(3)
    console.fail(3 if problems else 0)
