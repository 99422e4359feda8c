"""Runs the checks on plugins that are installed, for the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.errors import PluginError, UsageError, suggest
from traceloc.exit_code import ExitCode
from traceloc.loading.reading import load
from traceloc.registry import PluginInfo, Registry, singular
from traceloc.testing.files import Files
from traceloc.testing.running import CheckResult, run_checks


class Checked(NamedTuple):
    """What came of one plugin."""

    info: PluginInfo
    """With the error of a plugin that cannot be used at all."""
    results: tuple[CheckResult, ...]
    named: bool
    """Whether it was asked for by name."""

    @property
    def failures(self) -> list[CheckResult]:
        """Checks whose finding is to be mended."""
        return [result for result in self.results if result.is_failure]

    @property
    def looked(self) -> bool:
        """Whether the checks that need samples had some."""
        skipped = [r for r in self.results if r.verdict == "skipped"]
        return len(skipped) * 2 < len(self.results)


def check_installed(
    registry: Registry,
    name: str | None = None,
    *,
    kind: str | None = None,
    samples: Sequence[str] = (),
) -> Iterator[Checked]:
    """Check one plugin, those of a kind, or all.

    Args:
        registry: The installed plugins.
        name: ``NAME`` or ``DISTRIBUTION:NAME``; all if left out.
        kind: Only plugins of this kind.
        samples: Paths: files of its format for a loader, traces for a signal.

    Raises:
        PluginError: ``TL301`` if there is no such plugin, ``TL302`` if several have the name,
            ``TL300`` if there is no such kind.
        UsageError: ``TL200`` if samples are given for something that has no use for them.
    """
    infos = registry.list(kind)
    if name is not None:
        infos = tuple(_named(registry, infos, name, kind))
    kinds = {info.kind for info in infos}
    if samples and (name is None or not kinds <= {"loaders", "signals"}):
        raise UsageError(
            "samples are for one loader or one signal", hint="name it: traceloc plugins check NAME"
        )
    for info in infos:
        yield _check(registry, info, samples, named=name is not None)


def judge_checked(checked: Iterable[Checked]) -> ExitCode:
    """3 where something could not be looked at, else 1 where something is to be mended."""
    everything = list(checked)
    if any(each.info.error or (each.named and not each.looked) for each in everything):
        return ExitCode.UNMEASURED
    return ExitCode.GATE if any(each.failures for each in everything) else ExitCode.FINE


def _named(
    registry: Registry, infos: Sequence[PluginInfo], name: str, kind: str | None
) -> Iterator[PluginInfo]:
    found = [info for info in infos if name in (info.name, info.qualified_name)]
    if not found:
        raise _not_installed(infos, name, kind)
    kinds = [singular(each) for each in dict.fromkeys(info.kind for info in found)]
    if len(kinds) > 1:
        raise PluginError(
            f"a {' and a '.join(kinds)} are called {name!r}",
            code="TL302",
            hint=f"choose: {', '.join(f'--kind {each}' for each in kinds)}",
        )
    if len(found) > 1:
        registry.get(found[0].kind, name)  # says how to choose
    yield from found


def _not_installed(infos: Sequence[PluginInfo], name: str, kind: str | None) -> PluginError:
    names = sorted({info.name for info in infos})
    close = suggest(name, names, listed="'traceloc plugins list' says what there is")
    hint = f"{close}; one of your own is found once it is installed: pip install -e ITS-FOLDER"
    if os.environ.get("TRACELOC_PLUGINS") is not None:
        hint += "; TRACELOC_PLUGINS leaves out what it does not name"
    what = "plugin" if kind is None else singular(kind) if kind.endswith("s") else kind
    return PluginError(f"no {what} called {name!r} is installed", code="TL301", hint=hint)


def _check(registry: Registry, info: PluginInfo, samples: Sequence[str], *, named: bool) -> Checked:
    try:
        plugin = registry.get(info.kind, info.qualified_name)
    except PluginError as error:
        (broken,) = [each for each in registry.list(info.kind, load=True) if _same(each, info)]
        if broken.error is None:
            raise error
        return Checked(broken, (), named)
    given: Sequence[Any] = [_sample(Path(path)) for path in samples]
    if info.kind == "signals" and samples:
        given = list(load(*samples, strict=True, registry=registry))
    return Checked(info, tuple(run_checks(plugin, kind=info.kind, samples=given)), named)


def _same(one: PluginInfo, other: PluginInfo) -> bool:
    return (one.qualified_name, one.value) == (other.qualified_name, other.value)


def _sample(path: Path) -> Files:
    try:
        return Files.of(path)
    except OSError as error:
        raise UsageError(f"sample {str(path)!r} cannot be read: {error.strerror}") from error
