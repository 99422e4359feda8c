"""Runs the team of each framework once, and tells in the end what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

# Shared by tests, by the benchmark and by the interpreters of the frameworks.
sys.path.insert(0, str(Path(__file__).parent / "stage"))

from environments import Unavailable, prepare, read_version, run_team

REPORT = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def exports_of(pytestconfig: pytest.Config) -> Callable[[str], Path]:
    """The folder with what a framework's team exported; skips where it cannot be had."""
    folders: dict[str, Path | str | Exception] = {}
    told = pytestconfig.stash.setdefault(REPORT, [])

    def export(name: str) -> Path:
        if name not in folders:
            folders[name] = _export(name, told)
        found = folders[name]
        if isinstance(found, str):
            pytest.skip(found)
        if isinstance(found, Exception):
            raise found
        return found

    return export


def _export(name: str, told: list[str]) -> Path | str | Exception:
    started = time.monotonic()
    try:
        prepare(name)
    except Unavailable as reason:
        return str(reason)
    ready = time.monotonic()
    try:
        folder = run_team(name)
    except RuntimeError as error:
        return error
    times = f"environment {ready - started:.0f} s, run {time.monotonic() - ready:.0f} s"
    told.append(f"{name} {read_version(name)}: {times}")
    return folder


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The versions that were resolved, and what they took."""
    if lines := config.stash.get(REPORT, []):
        terminalreporter.section("frameworks")
        for line in lines:
            terminalreporter.write_line(line)
