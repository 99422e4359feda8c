"""Options that several commands share, so that one word means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS",
        help="Files, directories or globs; '-' is standard input.",
        show_default=False,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="LOADER",
        help="Read with this loader; see 'traceloc plugins list'. [default: found by content]",
    ),
]
System = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Name of the agent system. [default: from [systems] or the trace]"
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", metavar="N", help="Processes; 1 stays in this one. [default: by input size]"
    ),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Ranking model. [default: the shipped one]"),
]
NoLabels = Annotated[
    bool,
    typer.Option("--no-labels", help="Do not learn from what was labelled of the system."),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write here, once it is complete."),
]
NoColor = Annotated[
    bool,
    typer.Option("--no-color", help="No colour; NO_COLOR in the environment does the same."),
]
Strict = Annotated[
    bool | None,
    typer.Option("--strict", help="Stop at the first problem; any broken plugin is fatal."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Print a traceback with each error.")]
