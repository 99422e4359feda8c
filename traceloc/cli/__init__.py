"""The command line: one file for each command, and no logic in them."""

from __future__ import annotations


def main() -> None:
    """Entry point of the ``traceloc`` command."""
    try:
        from traceloc.cli.app import app

        app()
    except KeyboardInterrupt:  # before any command had begun
        raise SystemExit(130) from None
