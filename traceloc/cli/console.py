"""The two channels: results to standard output, everything else to standard error."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from traceloc.errors import TracelocError
    from traceloc.registry import PluginInfo
    from traceloc.report import Problem, ReportOptions

INTERRUPTED = 130
CLOSED_PIPE = 141
_UNWRITABLE = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)
PIPE_WIDTH = 100
"""Columns where there is no terminal: the same everywhere, so that output can be compared."""


def say(message: str) -> None:
    """One line to standard error."""
    from traceloc.reporting.terminal import one_line

    print(one_line(message), file=sys.stderr, flush=True)  # noqa: T201


def report_problem(problem: Problem) -> None:
    """A problem as one line, and its hint as a second one."""
    place = problem.path or ""
    if problem.line is not None:
        place += f":{problem.line}"
    elif problem.byte is not None:
        place += f" (byte {problem.byte})"
    say(f"error[{problem.code}]: {place}{': ' if place else ''}{problem.message}")
    if problem.hint:
        say(f"hint: {problem.hint}")


def report_error(error: TracelocError) -> None:
    """An error that ended a command."""
    say(f"error[{error.code}]: {error}")
    if error.hint:
        say(f"hint: {error.hint}")


def warn(code: str, message: str) -> None:
    """Something the user should know that stops nothing."""
    say(f"warning[{code}]: {message}")


def warn_of_broken_plugins(registry: Any, *kinds: str) -> None:
    """Name the plugins that were tried and failed, so that none is silently dropped."""
    for kind in kinds:
        for message in registry.broken(kind).values():
            warn("TL303", message)
        for message in registry.failing(kind).values():
            warn("TL308", message)


def report_failure(error: Exception, *, debug: bool, usage: Any) -> int:
    """Say what ended a command, and give the exit code."""
    from traceloc.errors import TracelocError
    from traceloc.exit_code import ExitCode, choose_exit_after

    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, TracelocError):
        report_error(error)
        return int(choose_exit_after(error))
    if isinstance(error, usage):
        shown: Any = error
        if not shown.format_message() or type(error).__name__ == "NoArgsIsHelpError":
            # Help in place of an error: click has shown it already, or gives it as the message.
            if shown.format_message():
                print(shown.format_message(), file=sys.stderr)  # noqa: T201
            return int(shown.exit_code)
        say(f"error[TL200]: {shown.format_message()}")
        context = getattr(shown, "ctx", None)
        say(f"hint: see '{context.command_path if context else 'traceloc'} --help'")
        return int(ExitCode.USAGE)
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        say(f"error[TL220]: the output cannot be written: {error.strerror}")
        point_at_nothing(sys.stdout)
        return int(ExitCode.UNMEASURED)
    say(f"error[TL999]: traceloc failed: {type(error).__name__}: {error}")
    if not debug:
        say("hint: run it again with --debug and report what it prints")
    return int(ExitCode.UNMEASURED)


def report_broken(plugins: Iterable[PluginInfo]) -> None:
    """Say on standard error which plugins cannot be used: nobody reads a long list to its end."""
    for info in plugins:
        if info.error:
            say(f"error[TL303]: plugin {info.qualified_name!r} ({info.kind}) is broken")


def fail(code: int) -> NoReturn:
    """End the command with an exit code."""
    import typer

    raise typer.Exit(int(code))


def open_closed_streams() -> None:
    """Give a process that was started without an output streams to write to.

    Messages go nowhere then; results that go nowhere are an error, once there are any.
    """
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")


def point_at_nothing(stream: Any) -> None:
    """Let what is still to be written vanish: the interpreter would complain at exit."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    except (OSError, ValueError):
        return


def prepare_output() -> None:
    """Make standard output take every character: pipes get UTF-8 whatever the locale says."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if encoding == "utf8" or reconfigure is None:
        return
    if sys.stdout.isatty():
        reconfigure(errors="backslashreplace")
    else:
        reconfigure(encoding="utf-8")


def report_options(stream: IO[str], *, color: bool | None) -> ReportOptions:
    """How to print to ``stream``.

    Args:
        stream: Where results go.
        color: What the user wants; ``None`` for colour on a terminal only.
    """
    from traceloc.report import ReportOptions

    is_terminal = stream.isatty()
    if color is None:
        color = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    width = PIPE_WIDTH
    if is_terminal or os.environ.get("COLUMNS"):
        width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    return ReportOptions(width=width, color=color, unicode=encoding in ("utf8", "utf16"))


@contextmanager
def open_output(path: str | None) -> Iterator[IO[str]]:
    """Standard output, or a file that appears only when it is complete.

    Raises:
        UsageError: ``TL220`` if the file cannot be written.
    """
    if path in (None, "-"):
        yield sys.stdout
        return
    from traceloc.errors import Location, UsageError

    target = Path(str(path))
    is_plain = target.is_file() or not target.exists()
    place = target.with_name(f".{target.name}.{os.getpid()}.part") if is_plain else target
    try:
        stream = place.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            code="TL220",
            location=Location(str(target)),
        ) from error
    try:
        with stream:
            yield stream
        if is_plain:
            place.replace(target)
    finally:
        if is_plain:
            place.unlink(missing_ok=True)


def write_pieces(pieces: Iterable[str], stream: IO[str], progress: Any = None) -> None:
    """Write results as they come."""
    for piece in pieces:
        if progress is not None:
            progress.clear()
        stream.write(piece)
        stream.flush()
