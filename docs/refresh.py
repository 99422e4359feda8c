"""Writes anew what the pages show of real output: excerpts, the accuracy table, the signals.

    python docs/refresh.py

An excerpt is a fenced ``console`` block whose first line is ``$ traceloc …``; it is run from the
root of the checkout. The accuracy table is drawn from ``benchmarks/results/accuracy.md``;
``docs/signals.md`` is made whole from the signals that ship.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
FRAMEWORKS = tuple(sorted((ROOT / "docs" / "frameworks").glob("*.md")))
"""Their Python is for the framework's users, and is not run."""
SIGNALS = ROOT / "docs" / "signals.md"
ACCURACY = ROOT / "benchmarks" / "results" / "accuracy.md"
COMMAND = "from traceloc.cli import main; main()"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"(<!-- accuracy: begin -->\n).*?(<!-- accuracy: end -->)", re.DOTALL)


class Fence(NamedTuple):
    """One fenced block."""

    language: str
    body: str
    line: int
    """1-based, of the first line inside."""


class Output(NamedTuple):
    """What a command printed."""

    text: str
    code: int


def find_fences(text: str, language: str) -> Iterator[Fence]:
    """The blocks of one language."""
    for found in _FENCE.finditer(text):
        if found[1] == language:
            yield Fence(found[1], found[2], text.count("\n", 0, found.start()) + 2)


def run_console(line: str) -> Output:
    """Run ``$ traceloc …`` as a reader of the page would."""
    _, program, *arguments = shlex.split(line)
    if program != "traceloc":
        raise ValueError(f"{line!r} does not start with '$ traceloc'")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TRACELOC_")}
    done = subprocess.run(
        # -P: the installed package, not the checkout it is run in.
        [sys.executable, "-P", "-c", COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env=environment | {"COLUMNS": "90", "PYTHONUTF8": "1"},
    )
    return Output(done.stdout + done.stderr, done.returncode)


def render_accuracy(report: str) -> str:
    """Exact steps found, in percent, for each set: as shipped, left out, and by simple rules."""
    shipped, left_out = (_figures(report, title) for title in ("As shipped", "Leave one system"))
    head = "| set | traces | as shipped | system left out | best simple rule | chance |"
    lines = [head, "| --- | --- | --- | --- | --- | --- |"]
    for name, (count, rows) in shipped.items():
        others = {rule: rows[rule] for rule in rows if rule not in ("traceloc", "uniform")}
        best = max(others, key=lambda rule: float(others[rule]))
        cells = (
            f"`{name}`",
            count,
            rows["traceloc"],
            left_out[name][1]["traceloc"],
            f"{others[best]} ({best})",
            rows["uniform"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _figures(report: str, title: str) -> dict[str, tuple[str, dict[str, str]]]:
    """For each set its number of traces and the share of exact steps by ranker."""
    section = report.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]
    found = {}
    for part in section.split("\n### ")[1:]:
        heading = re.match(r"(\w+) \(n=(\d+)\)", part)
        if heading is None:
            continue  # a table over all sets
        name, count = heading.groups()
        rows = re.findall(r"^\| ([a-z][^|]*?) \| ([\d.]+) \|", part, re.MULTILINE)
        found[name] = (count, {ranker.partition(",")[0]: step for ranker, step in rows})
    return found


_SIGNALS_HEAD = """# Signals

Made from the signals by `python docs/refresh.py`; a test holds it to them.

A signal is a family of features: one number a step and feature, measured without labels and without
a model. What a feature claims is printed as evidence, with the places it rests on, where it adds to
a step's score.

* **points**: ↑ a high value speaks for the step being the decisive error, ↓ against it, and no fit
  turns that round; ↕ either, as the data say.
* **prior**: log-odds that a value of 1 adds before any data. The shipped weights were fitted from
  there.
* **system**: learned for each system alone, for it says nothing about others.
* **fault**: names something wrong with the step; where claims are put in order, and only there, it
  counts four times its weight.

`traceloc eval DATA --ablate` shows what each family is worth on labelled runs.
[CONTRIBUTING.md](../CONTRIBUTING.md#add-a-signal) adds one.
"""
_POINTS = {1: "↑", -1: "↓", 0: "↕"}


def render_signals() -> str:
    """The page of every feature of every signal that ships, with its claim."""
    from traceloc.registry import Registry

    registry = Registry()
    parts = [_SIGNALS_HEAD]
    for plugin in registry.list("signals"):
        if plugin.distribution != "traceloc":
            continue
        signal = registry.get("signals", plugin.name)
        about = (type(signal).__doc__ or "").strip().splitlines()[0]
        lines = ["| feature | the step … | points | prior | |", "| --- | --- | --- | --- | --- |"]
        for feature in signal.features:
            prior = f"{feature.prior:g}" if feature.prior else ""
            marks = ["system"] * (feature.part == "system") + ["fault"] * feature.fault
            points = _POINTS[feature.sign]
            cells = (f"`{feature.name}`", feature.claim, points, prior, ", ".join(marks))
            lines.append(f"| {' | '.join(cells)} |")
        parts.append(f"## `{plugin.name}`\n\n{about}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def refresh(text: str) -> str:
    """A page with its excerpts and its table as they are now."""

    def rerun(found: re.Match[str]) -> str:
        command, _, _ = found[2].partition("\n")
        if found[1] != "console":
            return found[0]
        output = run_console(command)
        if output.code:
            raise SystemExit(f"{command}: exit code {output.code}\n{output.text}")
        return f"```console\n{command}\n{output.text.rstrip()}\n```"

    text = _FENCE.sub(rerun, text)
    if ACCURACY.exists():
        table = render_accuracy(ACCURACY.read_text(encoding="utf-8"))
        text = _TABLE.sub(lambda found: f"{found[1]}{table}{found[2]}", text)
    return text


def main() -> None:
    """Refresh all pages."""
    SIGNALS.write_text(render_signals(), encoding="utf-8")
    for page in PAGES:
        if page.exists():
            page.write_text(refresh(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
