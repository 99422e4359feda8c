"""``traceloc plugins``: what is installed, and what is broken."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug

plugins_app = typer.Typer(
    help="List plugins and say what they are.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@plugins_app.command("list")
def list_command(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="loaders, signals or reporters.", show_default=False),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Import each one, and exit with 3 if one is broken.")
    ] = False,
    debug: Debug = False,
) -> None:
    """List the installed plugins, without importing them."""
    import sys

    from traceloc.gate import ExitCode
    from traceloc.registry import Registry
    from traceloc.reporting.inventory import list_plugins

    infos = Registry().list(kind, load=check)
    console.write_pieces(list_plugins(infos), sys.stdout)
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

    from traceloc.gate import ExitCode
    from traceloc.registry import Registry
    from traceloc.reporting.inventory import describe_plugins, find_plugins

    registry = Registry()
    infos = find_plugins(registry, name)
    console.write_pieces(describe_plugins(registry, infos), sys.stdout)
    console.fail(ExitCode.UNMEASURED if any(info.error for info in infos) else ExitCode.FINE)
