"""``traceloc scan``: the decisive error step of each run."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import (
    Debug,
    From,
    Jobs,
    Judge,
    JudgeBudget,
    JudgeStrategy,
    JudgeUrl,
    Model,
    NoColor,
    NoLabels,
    NoMemory,
    Offline,
    Output,
    Paths,
    Strict,
    System,
)


def scan_command(
    paths: Paths,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="text|json|jsonl",
            help="How to print; any installed reporter. [default: text]",
        ),
    ] = None,
    from_: From = None,
    system: System = None,
    top_k: Annotated[
        int | None,
        typer.Option("--top-k", "-k", metavar="N", help="Candidates for each trace. [default: 3]"),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Print the steps that hold the error with this probability, such as 0.9, where "
            "the model has labelled runs to promise it.",
        ),
    ] = None,
    only_failed: Annotated[
        bool | None,
        typer.Option("--only-failed", help="Leave out traces whose run is known to have passed."),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="located|abstained|any|never",
            help="Exit with 1 if a trace comes to this. [default: never]",
        ),
    ] = None,
    min_coverage: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Exit with 3 if less than this share of traces is measured. [default: 0]",
        ),
    ] = None,
    jobs: Jobs = None,
    model: Model = None,
    no_labels: NoLabels = False,
    no_memory: NoMemory = False,
    judge: Judge = None,
    judge_strategy: JudgeStrategy = None,
    judge_budget: JudgeBudget = None,
    judge_url: JudgeUrl = None,
    offline: Offline = None,
    output: Output = None,
    no_color: NoColor = False,
    strict: Strict = None,
    debug: Debug = False,
) -> None:
    """Find the decisive error step of each run, who took it, and what shows it.

    Exit codes: 0 fine, 1 --fail-on is met, 2 wrong usage, 3 something could not be measured.
    """
    from traceloc.cli.progress import ProgressBar
    from traceloc.exit_code import choose_exit
    from traceloc.registry import Registry
    from traceloc.report import Problem, Report
    from traceloc.scanning import ScanOptions, scan
    from traceloc.settings import resolve_settings

    settings = resolve_settings(
        {
            "format": format,
            "from": from_,
            "system": system,
            "top_k": top_k,
            "coverage": coverage,
            "only_failed": only_failed,
            "fail_on": fail_on,
            "min_coverage": min_coverage,
            "jobs": jobs,
            "model": model,
            "labels": False if no_labels else None,
            "memory": "none" if no_memory else None,
            "judge": judge,
            "judge_strategy": judge_strategy,
            "judge_budget": judge_budget,
            "judge_url": judge_url,
            "offline": offline,
            "color": False if no_color else None,
            "strict": strict,
        }
    ).settings
    registry = Registry(strict=settings.strict or None)
    reporter = registry.get("reporters", settings.format)
    bar = ProgressBar()

    def on_problem(problem: Problem) -> None:
        bar.clear()
        console.report_problem(problem)
        if settings.strict:
            console.say("stopped at the first problem, as --strict asks")
            console.fail(3)

    options = ScanOptions.of(settings)
    if settings.judge is None:
        items = scan(paths, options=options, registry=registry, on_progress=bar.update)
    else:
        from traceloc.judged_scan import build_panel, judged_scan

        panel = build_panel(settings, registry=registry)
        items = judged_scan(
            paths, options=options, panel=panel, registry=registry, on_progress=bar.update
        )
    report = Report(items, on_problem=on_problem)
    try:
        with console.open_output(output) as stream:
            look = console.report_options(stream, color=settings.color)
            console.write_pieces(reporter.render(report, options=look), stream, bar)
    finally:
        bar.clear()
    console.warn_of_broken_plugins(registry, "loaders", "signals")
    code, why = choose_exit(
        report.summary,
        problems=len(report.problems),
        fail_on=settings.fail_on,
        min_coverage=settings.min_coverage,
    )
    if why is not None:
        console.say(f"error[TL130]: {why}")
        console.say("hint: 'traceloc doctor PATHS' says what was skipped and what is missing")
    console.fail(code)
