"""What a whole scan costs for each step: from the bytes of Who&When to the written report.

    python benchmarks/scan.py [FOLDER…]

Everything runs in one process. Beside it stands what ``json.loads`` needs for the same bytes in the
same run, which is a measure of the machine and of how busy it is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from record import write_result
from shared_data import SHARED

FOLDERS = ("who_and_when_ag", "who_and_when_hc")
TARGET_MS = 0.5
RUNS = 7


class Run(NamedTuple):
    """One scan of everything."""

    scan: float
    """Seconds."""
    parse: float
    """Seconds of ``json.loads`` for the same bytes."""
    traces: int
    steps: int
    size: int
    """Bytes."""


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="*", default=[str(SHARED / "data" / f) for f in FOLDERS])
    parser.add_argument("--model", help="ranking model; the shipped one if left out")
    arguments = parser.parse_args()
    first, *runs = [measure(arguments.folders, arguments.model) for _ in range(RUNS + 1)]
    if not first.steps:
        raise SystemExit(f"no traces in {arguments.folders}; set TRACELOC_SHARED")
    scan = statistics.median(run.scan for run in runs)
    parse = statistics.median(run.parse for run in runs)
    per_step = 1000 * scan / first.steps
    write_result(
        "scan",
        title="A whole scan: read, localize, report",
        rows=[
            ("", "seconds", "ms per step", "x json.loads"),
            ("json.loads", f"{parse:.3f}", f"{1000 * parse / first.steps:.4f}", "1"),
            ("scan", f"{scan:.3f}", f"{per_step:.3f}", f"{scan / parse:.1f}"),
            (
                "scan, first in its process",
                f"{first.scan:.3f}",
                f"{1000 * first.scan / first.steps:.3f}",
                f"{first.scan / first.parse:.1f}",
            ),
        ],
        notes=[
            f"{first.traces} traces, {first.steps} steps, {first.size / 1e6:.1f} MB of "
            f"{' and '.join(Path(folder).name for folder in arguments.folders)}; one process, "
            f"median of {RUNS} runs",
            f"at most {TARGET_MS} ms per step is wanted: "
            f"{'met' if per_step <= TARGET_MS else 'missed'}",
        ],
    )


def measure(folders: Sequence[str], model: str | None) -> Run:
    """Scan the folders once and parse the same bytes once."""
    from traceloc.attribution import Attribution
    from traceloc.registry import Registry
    from traceloc.report import Report, ReportOptions
    from traceloc.scanning import ScanOptions, scan

    steps = traces = size = 0
    begin = time.perf_counter()
    registry = Registry()
    items = list(scan(folders, options=ScanOptions(jobs=1, model=model), registry=registry))
    reporter = registry.get("reporters", "json")
    for piece in reporter.render(Report(iter(items)), options=ReportOptions()):
        size += len(piece)
    scanned = time.perf_counter() - begin
    for item in items:
        if isinstance(item, Attribution):
            steps, traces = steps + item.n_steps, traces + 1
    files = [path for folder in folders for path in sorted(Path(folder).glob("*.json"))]
    contents = [path.read_bytes() for path in files]
    begin = time.perf_counter()
    for content in contents:
        json.loads(content)
    parsed = time.perf_counter() - begin
    return Run(scanned, parsed, traces, steps, sum(map(len, contents)))


if __name__ == "__main__":
    main()
