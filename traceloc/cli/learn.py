"""``traceloc learn``: remember labelled failures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_for_change
from traceloc.cli.options import (
    Debug,
    JudgeBudget,
    JudgeUrl,
    LessonJudge,
    NoLabels,
    Offline,
    System,
)


def learn_command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[LABELLED]...",
            help="Folders of traces with labels.jsonl, or traces that hold their labels inside.",
            show_default=False,
        ),
    ] = None,
    no_labels: NoLabels = False,
    system: System = None,
    max_size: Annotated[
        int | None,
        typer.Option("--max-size", min=1, metavar="N", help="Schemata to keep. [default: 10000]"),
    ] = None,
    memory: Memory = None,
    judge: LessonJudge = None,
    judge_budget: JudgeBudget = None,
    judge_url: JudgeUrl = None,
    offline: Offline = None,
    debug: Debug = False,
) -> None:
    """Remember labelled failures as error schemata, so that later scans recognise them.

    What was labelled, confirmed and rejected since the last time is taken in first, as far as its
    traces are still found. Only masked text is kept. Each trace is one change: 'memory undo'.
    """
    from traceloc.labels.recording import name_user
    from traceloc.quoting import say_count
    from traceloc.reporting.terminal import one_line
    from traceloc.teaching import teach_dataset, teach_labels

    teacher = None
    if judge is not None:
        from traceloc.cli.lessons import find_teacher
        from traceloc.registry import Registry
        from traceloc.settings import resolve_settings

        given = {"memory": memory, "judge": judge, "judge_budget": judge_budget}
        given |= {"judge_url": judge_url, "offline": offline}
        teacher = find_teacher(resolve_settings(given).settings, Registry())
    found = open_for_change(memory)
    told = []
    if not no_labels:
        told.append(teach_labels(found, lessons=teacher is not None))
    for path in paths or ():
        told.append(
            teach_dataset(found, path, system=system, who=name_user(), lessons=teacher is not None)
        )
    for each in told:
        for problem in each.problems:
            console.say(one_line(problem))
        if each.name and not each.labelled:
            console.say(
                f"{one_line(each.name)}: no labelled trace; labels are read from labels.jsonl in "
                "that folder, or from inside the traces"
            )
        elif each.failures or each.missing or each.name:
            line = f"{one_line(each.name or 'labels')}: {say_count(each.failures, 'failure')}"
            line += f", {say_count(each.new, 'new schema', 'new schemata')}"
            line += f", {each.merged} merged, {each.known} known"
            line += f", {each.distilled} distilled" if each.distilled else ""
            line += f", {say_count(each.missing, 'trace')} not found" if each.missing else ""
            console.write_pieces([line + "\n"], sys.stdout)
    answered = True
    if teacher is not None:
        from traceloc.cli.lessons import ask_lessons

        answered = ask_lessons(
            found, [case for each in told for case in each.cases.values()], teacher
        )
    gone = found.prune(max_size, who=name_user())
    if gone:
        evicted = say_count(len(gone), "schema", "schemata")
        console.say(f"{evicted} evicted; 'traceloc memory undo' takes that back")
    if not any(each.failures for each in told):
        if teacher is None:
            console.say("nothing new was learned")
        # Traces named outright that hold no label at all could not be learned from.
        answered &= not paths or any(each.labelled for each in told if each.name)
    if not answered:
        console.fail(3)
