"""``traceloc label``: say which step broke a run."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli.answer import Category, Fix, Note, write_down
from traceloc.cli.options import (
    Debug,
    From,
    JudgeBudget,
    JudgeUrl,
    LessonJudge,
    Offline,
    System,
)


def label_command(
    locator: Annotated[
        str,
        typer.Argument(
            metavar="TRACE#STEP",
            help="The decisive error step, as a locator that 'scan' prints.",
            show_default=False,
        ),
    ],
    agent: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who is to blame. [default: who took the step]"),
    ] = None,
    category: Category = None,
    note: Note = None,
    fix: Fix = None,
    from_: From = None,
    system: System = None,
    judge: LessonJudge = None,
    judge_budget: JudgeBudget = None,
    judge_url: JudgeUrl = None,
    offline: Offline = None,
    debug: Debug = False,
) -> None:
    """Say which step broke a run; later scans of its system learn from it.

    Measurements of the trace are kept, its text is not. The newest label of a trace counts.
    """
    write_down(
        "label",
        locator,
        loader=from_,
        system=system,
        agent=agent,
        category=category,
        note=note,
        fix=fix,
        judge={
            "judge": judge,
            "judge_budget": judge_budget,
            "judge_url": judge_url,
            "offline": offline,
        },
    )
