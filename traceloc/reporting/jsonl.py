"""JSON lines for programs: one attribution a line and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from traceloc.report import Report, ReportOptions
from traceloc.reporting.json import dump


class JsonLinesReporter:
    """Every line is an attribution, so that lines can be counted, filtered and joined.

    Problems go to standard error and into the exit code; ``--format json`` holds them too.
    """

    name = "jsonl"
    api_version = 1

    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        """Yield one line for each trace as it comes."""
        for attribution in report:
            yield dump(attribution) + "\n"
