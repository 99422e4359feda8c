"""Writes what a benchmark found, with the command and the machine that found it."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("traceloc", "pydantic", "numpy", "typer")


def write_result(
    name: str, *, title: str, rows: Sequence[Sequence[object]], notes: Sequence[str] = ()
) -> Path:
    """Write ``results/<name>.md`` and print the same to standard output.

    Args:
        name: Name of the file.
        title: What was measured.
        rows: A table; the first row is its head.
        notes: Lines below the table.
    """
    head, *body = [[str(cell) for cell in row] for row in rows]
    table = [head, ["---"] * len(head), *body]
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    lines = [f"# {title}", "", f"    {command}", ""]
    lines += [f"| {' | '.join(row)} |" for row in table]
    lines += ["", *(f"* {note}" for note in notes), "", _machine(), ""]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    return path


def _machine() -> str:
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = f"Python {platform.python_version()}"
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return f"{python}, {platform.machine()}, {cores} cores, {packages}{load}."
