"""``traceloc doctor``: what traceloc sees, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from traceloc.cli import console
from traceloc.cli.options import Debug, From


def doctor_command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATHS", help="Files to look into.", show_default=False),
    ] = None,
    from_: From = None,
    debug: Debug = False,
) -> None:
    """Say how files are read, and check the set-up.

    For each file: the loader and the runner-up with their scores, what was skipped and why, what
    content is missing and how its framework records it. Then versions, broken plugins, and
    each setting with where it came from.
    """
    import sys

    from traceloc.diagnosis import diagnose_files, list_extras, list_packages
    from traceloc.exit_code import ExitCode
    from traceloc.registry import Registry
    from traceloc.reporting.checkup import render_environment, render_files
    from traceloc.settings import resolve_settings

    resolved = resolve_settings({"from": from_})
    registry = Registry()
    files = diagnose_files(paths or (), loader=resolved.settings.from_, registry=registry)
    console.write_pieces(render_files(files), sys.stdout)
    plugins = registry.list(load=True)
    told = render_environment(list_packages(), list_extras(), plugins, resolved)
    console.write_pieces(told, sys.stdout)
    console.report_broken(plugins)
    broken = any(plugin.error for plugin in plugins)
    console.fail(ExitCode.UNMEASURED if broken else ExitCode.FINE)
