"""Installed plugins, as text."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from traceloc.errors import PluginError, suggest
from traceloc.registry import PluginInfo, Registry, singular
from traceloc.reporting.terminal import one_line, wrap

TEXT_WIDTH = 96


def list_plugins(infos: Iterable[PluginInfo]) -> Iterator[str]:
    """One line for each plugin, by kind: name, origin, file; a broken one with its error below."""
    infos = list(infos)
    width = max((len(one_line(info.name)) for info in infos), default=0)
    origins = max((len(one_line(_origin(info))) for info in infos), default=0)
    for kind, members in groupby(infos, key=lambda info: info.kind):
        yield f"{kind}\n"
        for info in members:
            name, origin = one_line(info.name), one_line(_origin(info))
            place = one_line(info.file or info.value)
            yield f"  {name:<{width}}  {origin:<{origins}}  {place}\n"
            if info.error:
                yield f"  {'':<{width}}  broken: {one_line(info.error)}\n"


def _origin(info: PluginInfo) -> str:
    return f"{info.distribution} {info.version}"


def find_plugins(registry: Registry, name: str) -> list[PluginInfo]:
    """Plugins of any kind called ``name`` or ``distribution:name``, imported to see if they work.

    Raises:
        PluginError: ``TL301`` if there is none.
    """
    infos = registry.list()
    if not any(name in (info.name, info.qualified_name) for info in infos):
        names = sorted({info.name for info in infos})
        raise PluginError(
            f"there is no plugin called {name!r}",
            code="TL301",
            hint=suggest(name, names, listed=f"there are: {', '.join(names) or 'none'}"),
        )
    kinds = {info.kind for info in infos if name in (info.name, info.qualified_name)}
    loaded = [info for kind in sorted(kinds) for info in registry.list(kind, load=True)]
    return [info for info in loaded if name in (info.name, info.qualified_name)]


def describe_plugins(registry: Registry, infos: Iterable[PluginInfo]) -> Iterator[str]:
    """A block for each plugin: what it is, where it is from, whether it works, what it measures."""
    for info in infos:
        yield f"{one_line(info.qualified_name)} ({singular(info.kind)})\n"
        yield f"  version  {one_line(info.version)}\n"
        yield f"  object   {one_line(info.value)}\n"
        yield f"  file     {one_line(info.file or 'not found')}\n"
        if info.error:
            yield f"  broken   {one_line(info.error)}\n"
            continue
        plugin = registry.get(info.kind, info.qualified_name)
        yield f"  works    yes, api_version {plugin.api_version}\n"
        about = " ".join((inspect.getdoc(type(plugin)) or "").split("\n\n")[0].split())
        for number, line in enumerate(wrap(one_line(about), TEXT_WIDTH - 11)):
            yield f"  {'about' if number == 0 else '':<7}  {line}\n"
        yield from _features(plugin)


def _features(plugin: Any) -> Iterator[str]:
    features = getattr(plugin, "features", ())
    width = max((len(feature.name) for feature in features), default=0)
    for number, feature in enumerate(features):
        label = "gives" if number == 0 else ""
        yield f"  {label:<7}  {one_line(feature.name):<{width}}  {one_line(feature.claim)}\n"
