"""What a shell is told: the exit code of a scan, and of an error that ended a command."""

from __future__ import annotations

from enum import IntEnum

from traceloc.errors import PluginError, TracelocError, UsageError
from traceloc.quoting import say_count
from traceloc.report import Summary


class ExitCode(IntEnum):
    """What a shell is told; ``UNMEASURED`` dominates ``GATE``."""

    FINE = 0
    GATE = 1
    USAGE = 2
    UNMEASURED = 3
    INTERRUPTED = 130
    CLOSED_PIPE = 141


def choose_exit(
    summary: Summary, *, problems: int, fail_on: str = "never", min_coverage: float = 0.0
) -> tuple[ExitCode, str | None]:
    """The exit code, and why it is not 0 where no error message has said so already.

    Args:
        summary: Counts of the whole scan.
        problems: Number of things that could not be read; each has been reported.
        fail_on: ``located``, ``abstained``, ``any`` or ``never``.
        min_coverage: Share of traces that must have been measured, 0 to 1.
    """
    if summary.read == 0:
        return ExitCode.UNMEASURED, None if problems else "no trace was found"
    if summary.measured == 0 and summary.passed < summary.read:
        return ExitCode.UNMEASURED, "no trace could be measured"
    if summary.measured + summary.unmeasured and summary.coverage < min_coverage:
        why = f"coverage is {summary.coverage:.3g}, below --min-coverage {min_coverage:g}"
        return ExitCode.UNMEASURED, why
    if problems:
        return ExitCode.UNMEASURED, None
    if summary.hampered:
        return ExitCode.UNMEASURED, f"a signal failed on {say_count(summary.hampered, 'trace')}"
    if summary.unjudged:
        return ExitCode.UNMEASURED, (
            f"judges gave no verdict on {say_count(summary.unjudged, 'trace')}"
        )
    blamed = summary.located - summary.acquitted
    failing = {"located": blamed, "abstained": summary.abstained}
    failing["any"] = blamed + summary.abstained
    if failing.get(fail_on, 0):
        return ExitCode.GATE, None
    return ExitCode.FINE, None


def choose_exit_after(error: TracelocError) -> ExitCode:
    """The exit code for an error that ended a command: a wrong name is usage, the rest is not."""
    if isinstance(error, UsageError):
        return ExitCode.USAGE
    if isinstance(error, PluginError) and error.code in ("TL300", "TL301", "TL302"):
        return ExitCode.USAGE
    return ExitCode.UNMEASURED
