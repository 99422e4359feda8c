"""The app: which commands there are, and what happens to their errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from traceloc.cli import console
from traceloc.cli.confirm import confirm_command
from traceloc.cli.convert import convert_command
from traceloc.cli.doctor import doctor_command
from traceloc.cli.evaluate import eval_command
from traceloc.cli.fit import fit_command
from traceloc.cli.judge_replay import judge_replay_command
from traceloc.cli.label import label_command
from traceloc.cli.labels import labels_command
from traceloc.cli.learn import learn_command
from traceloc.cli.memory import memory_app
from traceloc.cli.plugins import plugins_app
from traceloc.cli.reject import reject_command
from traceloc.cli.repeats import repeats_command
from traceloc.cli.scan import scan_command
from traceloc.cli.schema import schema_command
from traceloc.cli.show import show_command

DEFAULT_COMMAND = "scan"

# typer carries its own copy of click since 0.2x, so the class is found through what typer exports.
ClickException: Any = next(
    each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException"
)


class CommandGroup(TyperGroup):
    """A group whose first word may be a path: ``traceloc runs/`` is ``traceloc scan runs/``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of what names no command."""
        if args and not self._is_own(ctx, args[0]):
            self._reject_typo(ctx, args[0])
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)

    def _is_own(self, ctx: Any, word: str) -> bool:
        if word in self.list_commands(ctx):
            return True
        options = {name for param in self.get_params(ctx) for name in param.opts}
        return word.partition("=")[0] in options

    def _reject_typo(self, ctx: Any, word: str) -> None:
        if not word.isidentifier() or Path(word).exists():
            return
        import difflib

        close = difflib.get_close_matches(word, self.list_commands(ctx), n=1, cutoff=0.7)
        if close:
            from traceloc.errors import UsageError

            raise UsageError(
                f"there is no command and no path {word!r}",
                code="TL204",
                hint=f"did you mean 'traceloc {close[0]}'?",
            )

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and turn whatever goes wrong into one line and an exit code."""
        words = list(sys.argv[1:] if args is None else args)
        console.open_closed_streams()
        try:
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except Exception as error:
            code = console.report_failure(error, debug="--debug" in words, usage=ClickException)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what typer would turn into code 1 keeps its own."""
        console.prepare_output()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            console.point_at_nothing(sys.stdout)
            raise typer.Exit(console.CLOSED_PIPE) from None
        except KeyboardInterrupt:
            console.say("interrupted")
            raise typer.Exit(console.INTERRUPTED) from None
        return result


def _print_version(wanted: bool) -> None:
    if wanted:
        from traceloc import __version__

        typer.echo(f"traceloc {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="traceloc",
    cls=CommandGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Find the step that broke a failed LLM-agent run, the agent that took it, and the evidence."
    ),
    epilog="'traceloc PATH' is short for 'traceloc scan PATH'.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


app.command("scan")(scan_command)
app.command("show")(show_command)
app.command("convert")(convert_command)
app.add_typer(plugins_app, name="plugins")
app.command("schema")(schema_command)
app.command("doctor")(doctor_command)
app.command("eval")(eval_command)
app.command("fit")(fit_command)
app.command("repeats")(repeats_command)
app.command("label")(label_command)
app.command("confirm")(confirm_command)
app.command("reject")(reject_command)
app.command("labels")(labels_command)
app.command("learn")(learn_command)
app.add_typer(memory_app, name="memory")
app.command("judge-replay")(judge_replay_command)
