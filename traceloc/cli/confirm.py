"""``traceloc confirm``: say that traceloc was right."""

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
    Model,
    Offline,
    System,
)


def confirm_command(
    locator: Annotated[
        str,
        typer.Argument(
            metavar="TRACE[#STEP]",
            help="A locator as 'scan' prints it; without #STEP rank 1 is confirmed.",
            show_default=False,
        ),
    ],
    category: Category = None,
    note: Note = None,
    fix: Fix = None,
    from_: From = None,
    system: System = None,
    model: Model = None,
    judge: LessonJudge = None,
    judge_budget: JudgeBudget = None,
    judge_url: JudgeUrl = None,
    offline: Offline = None,
    debug: Debug = False,
) -> None:
    """Say that a step is the decisive error; later scans of its system learn from it."""
    write_down(
        "confirm",
        locator,
        loader=from_,
        system=system,
        model=model,
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
