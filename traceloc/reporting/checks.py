"""What the contract kit found in installed plugins, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from traceloc.registry import singular
from traceloc.reporting.terminal import one_line

if TYPE_CHECKING:
    from traceloc.testing.installed import Checked
    from traceloc.testing.running import CheckResult


def render_checks(checked: Iterable[Checked]) -> Iterator[str]:
    """A block for each plugin: how many checks it keeps, and what is to be mended."""
    plugins = broken = 0
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
        for result in each.failures:
            yield from _failure(result)
        yield from _skipped(each)
    yield f"{plugins} {'plugin' if plugins == 1 else 'plugins'} checked, {broken} to mend\n"


def _count(checked: Checked) -> str:
    counts = Counter(result.verdict for result in checked.results)
    words = [f"{counts['kept']} checks kept"]
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
    reasons = Counter(r.message for r in checked.results if r.verdict == "skipped")
    for reason, count in reasons.items():
        yield f"  not run  {count}: {one_line(reason)}\n"
