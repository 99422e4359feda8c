"""``traceloc convert``: any trace as traceloc's own JSON, as ATIF, or as OpenAI messages."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug, From, Output, Paths, System


def convert_command(
    paths: Paths,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="native|jsonl|atif|openai",
            help="One JSON document, one trace a line, ATIF trajectories, or OpenAI messages.",
        ),
    ] = "native",
    blind: Annotated[
        bool, typer.Option("--blind", help="Leave out ground truth and the known outcome.")
    ] = False,
    from_: From = None,
    system: System = None,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Write traces as traceloc's own JSON, as ATIF or as OpenAI messages, without loss."""
    from collections.abc import Iterator

    from traceloc.converting import WRITERS, read_as_recorded, without_answers
    from traceloc.errors import UsageError
    from traceloc.exit_code import ExitCode
    from traceloc.registry import Registry
    from traceloc.settings import resolve_settings
    from traceloc.trace import Trace

    settings = resolve_settings({"from": from_, "system": system}).settings
    if to not in WRITERS:
        raise UsageError(
            f"there is no target {to!r}", code="TL221", hint=f"targets: {', '.join(WRITERS)}"
        )
    registry = Registry()
    traces = problems = 0

    def readable() -> Iterator[Trace]:
        nonlocal traces, problems
        found = read_as_recorded(
            paths, loader=settings.from_, system=settings.system, registry=registry
        )
        for item in found:
            if isinstance(item, Trace):
                traces += 1
                yield without_answers(item) if blind else item
            else:
                problems += 1
                console.report_error(item)

    with console.open_output(output) as stream:
        console.write_pieces(WRITERS[to](readable()), stream)
    console.warn_of_broken_plugins(registry, "loaders")
    if not traces and not problems:
        console.say("error[TL130]: no trace was found")
    console.fail(ExitCode.FINE if traces and not problems else ExitCode.UNMEASURED)
