"""What the contract kit found in installed plugins, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from traceloc.quoting import say_count
from traceloc.registry import singular
from traceloc.reporting.terminal import one_line, pasteable, wrap

if TYPE_CHECKING:
    from traceloc.testing.installed import Checked
    from traceloc.testing.running import CheckResult

NAMES_WIDTH = 80
TAKE_SAMPLES = ("loaders", "signals")
"""Kinds for which the command line can name samples."""
NO_SAMPLE = "there is no sample"
"""How a check begins to say that it was given nothing."""


def render_checks(checked: Iterable[Checked]) -> Iterator[str]:
    """A block for each plugin: how many checks it keeps, and what is to be mended."""
    plugins = broken = idle = 0
    for each in checked:
        plugins += 1
        info = each.info
        origin = f"{info.distribution} {info.version}"
        yield f"{singular(info.kind)} {one_line(info.name)}  {one_line(origin)}\n"
        if info.error:
            broken += 1
            yield f"  cannot be used: {one_line(info.error)}\n"
            continue
        yield f"  {_count(each)}\n"
        broken += bool(each.failures)
        idle += len(_without_sample(each))
        for result in each.failures:
            yield from _failure(result)
        yield from _skipped(each)
    left = f", {say_count(idle, 'check')} not run for want of a sample" if idle else ""
    yield f"{say_count(plugins, 'plugin')} checked, {broken} to mend{left}\n"


def _count(checked: Checked) -> str:
    counts = Counter(result.verdict for result in checked.results)
    words = [f"{say_count(counts['kept'], 'check')} kept"]
    if failures := len(checked.failures):
        words.append(f"{failures} broken")
    if counts["skipped"]:
        words.append(f"{counts['skipped']} not run")
    return ", ".join(words)


def _failure(result: CheckResult) -> Iterator[str]:
    yield f"  broken   {result.check.name}: {one_line(result.check.about)}\n"
    for line in result.message.split("\nto mend: "):
        yield f"           {one_line(line)}\n"


def _skipped(checked: Checked) -> Iterator[str]:
    skipped = [result for result in checked.results if result.verdict == "skipped"]
    for reason in dict.fromkeys(result.message for result in skipped):
        names = [result.check.name for result in skipped if result.message == reason]
        yield f"  not run  {len(names)}: {one_line(reason)}\n"
        if checked.named:
            yield from (f"           {line}\n" for line in wrap(", ".join(names), NAMES_WIDTH))
    if not (checked.named and _without_sample(checked)):
        return
    if checked.info.kind not in TAKE_SAMPLES:
        yield "  to run   give samples in tests of its own: see traceloc.testing\n"
    else:
        name = pasteable(checked.info.name)
        yield f"  to run   traceloc plugins check {name} --sample PATH\n"
        if checked.info.kind == "loaders":
            yield "           ('traceloc plugins new' writes one: tests/samples/run.json)\n"


def _without_sample(checked: Checked) -> list[CheckResult]:
    """Checks that were not run because nothing was given to run them on."""
    return [
        r for r in checked.results if r.verdict == "skipped" and r.message.startswith(NO_SAMPLE)
    ]
