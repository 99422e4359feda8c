"""A progress bar on standard error, where somebody is looking."""

from __future__ import annotations

import sys
import time
from typing import Any

DELAY_SECONDS = 0.5
"""A scan that is done by then needs no bar."""
REDRAW_SECONDS = 0.1


class ProgressBar:
    """A bar that steps aside while results are written; nothing at all without a terminal.

    Args:
        doing: What is being done.
        what: What is counted.
    """

    def __init__(self, *, doing: str = "reading", what: str = "files") -> None:
        self._doing = doing
        self._what = what
        self._on = sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None
        self._drawn = time.monotonic() + DELAY_SECONDS

    def update(self, done: int, known: int) -> None:
        """Show how many are done of those known so far."""
        now = time.monotonic()
        if not self._on or now < self._drawn + REDRAW_SECONDS:
            return
        self._drawn = now
        if self._bar is None:
            self._bar, self._task = _make_bar(self._doing, self._what)
        self._bar.start()
        self._bar.update(self._task, completed=done, total=known, refresh=True)

    def clear(self) -> None:
        """Wipe the bar from the screen until the next update."""
        if self._bar is not None:
            self._bar.stop()


def _make_bar(doing: str, what: str) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(what),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    return bar, bar.add_task(doing)
