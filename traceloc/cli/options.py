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
NoMemory = Annotated[
    bool,
    typer.Option("--no-memory", help="Do not recall remembered failures."),
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
Judge = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Let an LLM adjudicate, such as openai:gpt-5-mini; several, comma-separated, are a "
        "jury. 'replay:DIR' answers from a folder. Sends masked parts of the traces out.",
    ),
]
LessonJudge = Annotated[
    str | None,
    typer.Option(
        "--judge",
        metavar="MODEL",
        help="Let an LLM write what the failure teaches, such as openai:gpt-5-mini; it is kept if "
        "its questions stand a replay. Sends masked parts of the traces out.",
    ),
]
JudgeStrategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="all-at-once, step-by-step, binary-search, candidates, verify or jury. "
        "[default: candidates]",
    ),
]
JudgeBudget = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS", help="Tokens of one question at most, with its answer. [default: 48000]"
    ),
]
JudgeUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Base URL of an OpenAI-compatible endpoint; its key is TRACELOC_JUDGE_KEY.",
    ),
]
Offline = Annotated[
    bool | None,
    typer.Option("--offline", help="Judges answer from the cache only; nothing is sent."),
]
L2 = Annotated[
    float | None, typer.Option(min=0.0, help="Precision of the prior; chosen if left out.")
]
SystemL2 = Annotated[
    float | None,
    typer.Option(min=1e-3, help="Precision of position and habits of one system."),
]
