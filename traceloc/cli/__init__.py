"""The command line: one file for each command, and no logic in them."""

from __future__ import annotations

import gc


def main() -> None:
    """Entry point of the ``traceloc`` command."""
    # Traces are millions of small objects without cycles that all live: by default the collector
    # would walk them again and again, a third of the time of a long trace.
    gc.set_threshold(100_000, 20, 50)
    try:
        from traceloc.cli.app import app

        app()
    except KeyboardInterrupt:  # before any command had begun
        raise SystemExit(130) from None
