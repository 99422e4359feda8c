"""``traceloc plugins``: what is installed, and what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug

if TYPE_CHECKING:
    from traceloc.testing.installed import Checked

KINDS_LISTED = "loaders, signals, reporters, embedders, memories or judges"
Kind = Annotated[
    str | None,
    typer.Option(metavar="KIND", help=f"Only {KINDS_LISTED}.", show_default=False),
]

plugins_app = typer.Typer(
    help="List plugins, check them, and write new ones.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@plugins_app.command("list")
def list_command(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help=f"{KINDS_LISTED}.", show_default=False),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Import each one, and exit with 3 if one is broken.")
    ] = False,
    debug: Debug = False,
) -> None:
    """List the installed plugins, without importing them: name, distribution, version and file."""
    import sys

    from traceloc.exit_code import ExitCode
    from traceloc.registry import Registry
    from traceloc.reporting.inventory import list_plugins

    infos = Registry().list(kind, load=check)
    console.write_pieces(list_plugins(infos), sys.stdout)
    console.report_broken(infos)
    console.fail(ExitCode.UNMEASURED if any(info.error for info in infos) else ExitCode.FINE)


@plugins_app.command("info")
def info_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="NAME or DISTRIBUTION:NAME.", show_default=False)
    ],
    debug: Debug = False,
) -> None:
    """Say what a plugin is, where it comes from and whether it works."""
    import sys

    from traceloc.exit_code import ExitCode
    from traceloc.registry import Registry
    from traceloc.reporting.inventory import describe_plugins, find_plugins

    registry = Registry()
    infos = find_plugins(registry, name)
    console.write_pieces(describe_plugins(registry, infos), sys.stdout)
    console.fail(ExitCode.UNMEASURED if any(info.error for info in infos) else ExitCode.FINE)


@plugins_app.command("check")
def check_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="NAME or DISTRIBUTION:NAME; all if left out."),
    ] = None,
    kind: Kind = None,
    sample: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="For a loader a valid file of its format, or a folder of files that belong "
            "together; for a signal traces. May be given several times.",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Hold installed plugins to their contract, and say what to mend.

    Exit codes: 0 kept, 1 something is to be mended, 2 wrong usage, 3 a plugin cannot be used, or a
    loader or judge was named and has no samples to be checked with.
    """
    import sys

    from traceloc.registry import Registry
    from traceloc.reporting.checks import render_checks
    from traceloc.testing.installed import check_installed, judge_checked

    seen = []

    def watch() -> Iterator[Checked]:
        for each in check_installed(Registry(), name, kind=kind, samples=sample or ()):
            seen.append(each)
            yield each

    console.write_pieces(render_checks(watch()), sys.stdout)
    console.report_broken([each.info for each in seen])
    console.fail(judge_checked(seen))


@plugins_app.command("new")
def new_command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Lower-case letters, digits and underscores.", show_default=False
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="loader, signal, reporter, embedder, memory or judge."),
    ],
    into: Annotated[
        str, typer.Option(metavar="DIR", help="Folder in which the new folder is made.")
    ] = ".",
    debug: Debug = False,
) -> None:
    """Write a plugin of your own: a distribution with code, README and a test of its contract.

    What is written passes its test as it stands. Nothing is ever overwritten.
    """
    from pathlib import Path

    from traceloc.registry import Registry
    from traceloc.reporting.terminal import pasteable
    from traceloc.scaffolding import KINDS, scaffold

    taken = Registry().names(KINDS[kind].group) if kind in KINDS else ()
    files = scaffold(name, kind=kind, into=Path(into), taken=taken)
    for file in files:
        typer.echo(pasteable(str(file)))
    console.say(f"next: pip install -e '{files[0].parent}[test]' && pytest {files[0].parent}")
