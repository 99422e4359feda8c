"""``traceloc memory``: the failure memory, looked at and kept in shape. One file a command."""

from __future__ import annotations

import typer

from traceloc.cli.memory.check import check_command
from traceloc.cli.memory.exporting import export_command
from traceloc.cli.memory.importing import import_command
from traceloc.cli.memory.listing import list_command
from traceloc.cli.memory.log import log_command
from traceloc.cli.memory.prune import prune_command
from traceloc.cli.memory.rebuild import rebuild_command
from traceloc.cli.memory.search import search_command
from traceloc.cli.memory.show import show_command
from traceloc.cli.memory.stats import stats_command
from traceloc.cli.memory.undo import undo_command

memory_app = typer.Typer(
    help="Look at the failure memory, share it, and keep it in shape.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
memory_app.command("list")(list_command)
memory_app.command("show")(show_command)
memory_app.command("search")(search_command)
memory_app.command("stats")(stats_command)
memory_app.command("export")(export_command)
memory_app.command("import")(import_command)
memory_app.command("prune")(prune_command)
memory_app.command("rebuild")(rebuild_command)
memory_app.command("log")(log_command)
memory_app.command("undo")(undo_command)
memory_app.command("check")(check_command)
