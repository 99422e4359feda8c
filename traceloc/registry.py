"""Plugins: found without importing, checked when loaded, never silently dropped.

The registry holds no global state: each :class:`Registry` reads the installed entry points when it
is first asked, and imports a plugin only when that plugin is used.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from traceloc.contracts import KINDS, SUPPORTED_API_VERSIONS
from traceloc.errors import PluginError, suggest
from traceloc.quoting import say_count

GROUP_PREFIX = "traceloc."


@dataclass(frozen=True)
class PluginInfo:
    """What is known of a plugin without importing it, and what went wrong if it was tried."""

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    """``module:attribute`` of the entry point."""
    error: str | None = None
    entry_point: EntryPoint | None = field(default=None, repr=False, compare=False)

    @property
    def file(self) -> str | None:
        """The module's file, found without importing it; ``None`` where there is none."""
        path: Sequence[str] | None = None
        spec, name = None, ""
        for part in self.value.partition(":")[0].split("."):
            name = f"{name}.{part}" if name else part
            # As an import looks, without the import: each finder in turn.
            finders = (finder.find_spec for finder in sys.meta_path if hasattr(finder, "find_spec"))
            spec = next(filter(None, (find(name, path) for find in finders)), None)
            if spec is None:
                return None
            path = spec.submodule_search_locations
        return spec.origin if spec else None

    @property
    def qualified_name(self) -> str:
        """``distribution:name``, which chooses between two plugins of one name."""
        return f"{self.distribution}:{self.name}"


class Registry:
    """The plugins of one environment.

    Args:
        allow: Names that may be used; ``None`` takes ``TRACELOC_PLUGINS`` or, without it, all.
        strict: Make any broken plugin fatal; ``None`` takes ``TRACELOC_STRICT_PLUGINS``.
    """

    def __init__(self, *, allow: frozenset[str] | None = None, strict: bool | None = None) -> None:
        if allow is None and (listed := os.environ.get("TRACELOC_PLUGINS")) is not None:
            allow = frozenset(name.strip() for name in listed.split(",") if name.strip())
        if strict is None:
            strict = os.environ.get("TRACELOC_STRICT_PLUGINS") == "1"
        self._allow = allow
        self._strict = strict
        self._loaded: dict[tuple[str, str], Any] = {}
        self._broken: dict[tuple[str, str], str] = {}
        self._failures: dict[tuple[str, str], tuple[str, int]] = {}
        """Of plugins that work: the first failure of one, and how many there were."""

    @cached_property
    def _found(self) -> dict[str, tuple[PluginInfo, ...]]:
        return {kind: tuple(self._discover(kind)) for kind in KINDS}

    def _discover(self, kind: str) -> Iterator[PluginInfo]:
        found = entry_points(group=f"{GROUP_PREFIX}{kind}")
        for entry in sorted(set(found), key=lambda e: (e.name, e.value)):
            if self._allow is not None and entry.name not in self._allow:
                continue
            dist = entry.dist
            yield PluginInfo(
                kind=kind,
                name=entry.name,
                distribution=dist.name if dist else "unknown",
                version=dist.version if dist else "unknown",
                value=entry.value,
                entry_point=entry,
            )

    def list(self, kind: str | None = None, *, load: bool = False) -> tuple[PluginInfo, ...]:
        """All plugins, or those of one kind, without importing them.

        Args:
            kind: A key of :data:`~traceloc.contracts.KINDS`, or one of it such as ``loader``.
            load: Import each one too, so that broken plugins show their error.
        """
        kinds = KINDS if kind is None else (self._known_kind(kind),)
        infos = [info for each in kinds for info in self._found[each]]
        look = self._with_error if load else _with_missing_module
        return tuple(look(info) for info in infos)

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of one kind, sorted."""
        return tuple(sorted({info.name for info in self._found[self._known_kind(kind)]}))

    def get(self, kind: str, name: str) -> Any:
        """The plugin called ``name`` (or ``distribution:name``).

        Raises:
            PluginError: If there is no such plugin, two share the name, or it is broken.
        """
        infos = self._found[self._known_kind(kind)]
        matches = [info for info in infos if name == info.name or name == info.qualified_name]
        if not matches:
            raise self._unknown(kind, name)
        if len(matches) > 1:
            choices = ", ".join(repr(info.qualified_name) for info in matches)
            raise PluginError(
                f"{len(matches)} {kind} are called {name!r}",
                code="TL302",
                hint=f"name the distribution too: {choices}",
            )
        return self._load(matches[0])

    def all(self, kind: str) -> tuple[Any, ...]:
        """Every working plugin of a kind, by name; broken ones are kept in :meth:`broken`.

        Raises:
            PluginError: If two plugins share a name, or one is broken and strictness is asked for.
        """
        plugins = []
        for name in self.names(kind):
            try:
                plugins.append(self.get(kind, name))
            except PluginError as error:
                if error.code == "TL302" or self._strict:
                    raise
        return tuple(plugins)

    def broken(self, kind: str) -> dict[str, str]:
        """Errors of the plugins of this kind that were tried and failed, by qualified name."""
        return {name: error for (k, name), error in self._broken.items() if k == kind}

    def failing(self, kind: str) -> dict[str, str]:
        """What was noted by :meth:`note_failure`, with how often, by qualified name."""
        return {
            name: f"plugin {name!r} failed {say_count(count, 'time')}: {first}"
            for (k, name), (first, count) in self._failures.items()
            if k == kind
        }

    def note_failure(self, kind: str, name: str, message: str) -> None:
        """Note that a plugin failed in use, where the work goes on without it.

        Raises:
            PluginError: If strictness is asked for.
        """
        info = next((info for info in self._found.get(kind, ()) if info.name == name), None)
        qualified = info.qualified_name if info else name
        if self._strict:
            raise PluginError(
                f"plugin {qualified!r} failed: {message}",
                code="TL308",
                hint="leave it out with TRACELOC_PLUGINS, or go on without strictness",
            )
        first, count = self._failures.get((kind, qualified), (message, 0))
        self._failures[kind, qualified] = first, count + 1

    def _with_error(self, info: PluginInfo) -> PluginInfo:
        try:
            self._load(info)
        except PluginError as error:
            return replace(info, error=str(error))
        return replace(info, error=None)

    def _load(self, info: PluginInfo) -> Any:
        key = (info.kind, info.qualified_name)
        if key not in self._loaded:
            try:
                self._loaded[key] = check_plugin(info.kind, self._import(info), name=info.name)
            except PluginError as error:
                self._broken[key] = str(error)
                raise
        return self._loaded[key]

    def _import(self, info: PluginInfo) -> Any:
        if info.entry_point is None:
            raise PluginError(f"plugin {info.qualified_name!r} has no entry point", code="TL303")
        try:
            value = info.entry_point.load()
            return value() if inspect.isclass(value) else value
        except Exception as error:  # the plugin boundary: whatever it raises becomes a record
            raise PluginError(
                f"plugin {info.qualified_name!r} ({info.value}) cannot be imported: "
                f"{type(error).__name__}: {error}",
                code="TL303",
                hint=f"reinstall or remove {info.distribution!r}, or name others in "
                "TRACELOC_PLUGINS",
            ) from error

    def _known_kind(self, kind: str) -> str:
        for known in KINDS:
            if kind in (known, singular(known)):
                return known
        raise PluginError(
            f"there is no plugin kind {kind!r}", hint=f"kinds: {', '.join(sorted(KINDS))}"
        )

    def _unknown(self, kind: str, name: str) -> PluginError:
        names = self.names(kind)
        listed = f"there are: {', '.join(names) or 'none'}"
        if os.environ.get("TRACELOC_PLUGINS"):
            listed += "; TRACELOC_PLUGINS leaves out the others"
        return PluginError(
            f"there is no {singular(kind)} called {name!r}",
            code="TL301",
            hint=suggest(name, names, listed=listed),
        )


def _with_missing_module(info: PluginInfo) -> PluginInfo:
    """Broken for certain, before anybody asks for it, is what has no module."""
    if info.file is not None:
        return info
    return replace(info, error=f"there is no module {info.value.partition(':')[0]!r}")


def singular(kind: str) -> str:
    """``loader`` for ``loaders``, ``memory`` for ``memories``."""
    return kind[:-3] + "y" if kind.endswith("ies") else kind[:-1]


def check_plugin(kind: str, plugin: Any, *, name: str) -> Any:
    """Return ``plugin`` if it satisfies the contract of its kind.

    A runtime ``Protocol`` looks only at names, so parameters are compared here as well.

    Raises:
        PluginError: Naming what is missing or different, and what to write instead.
    """
    protocol = KINDS[kind]
    for member in sorted(_members(protocol)):
        if not hasattr(plugin, member):
            raise PluginError(
                f"{singular(kind)} {name!r} has no {member!r}",
                code="TL304",
                hint=f"{protocol.__name__} in traceloc.contracts says what it must be",
            )
        expected = getattr(protocol, member, None)
        if inspect.isfunction(expected):
            _check_signature(kind, name, member, expected, getattr(plugin, member))
    version = plugin.api_version
    if version not in SUPPORTED_API_VERSIONS:
        low, high = SUPPORTED_API_VERSIONS.start, SUPPORTED_API_VERSIONS.stop - 1
        raise PluginError(
            f"{singular(kind)} {name!r} is written for api_version {version!r}; "
            f"this traceloc supports {low} to {high}",
            code="TL305",
            hint="update the plugin or traceloc",
        )
    if plugin.name != name:
        raise PluginError(
            f"{singular(kind)} entry point {name!r} gives a plugin that calls itself "
            f"{plugin.name!r}",
            code="TL304",
            hint="use one name in both places",
        )
    return plugin


def _members(protocol: type) -> set[str]:
    own = set(protocol.__annotations__)
    return own | {n for n, v in vars(protocol).items() if inspect.isfunction(v) and n[0] != "_"}


def _check_signature(kind: str, name: str, member: str, expected: Any, actual: Any) -> None:
    wanted = [p for p in inspect.signature(expected).parameters.values() if p.name != "self"]
    try:
        given = inspect.signature(actual)
        args = [p for p in wanted if p.kind is not p.KEYWORD_ONLY]
        keywords = {p.name: None for p in wanted if p.kind is p.KEYWORD_ONLY}
        given.bind(*args, **keywords)
    except (TypeError, ValueError) as error:
        listed = ", ".join(str(p) for p in wanted)
        raise PluginError(
            f"{singular(kind)} {name!r}: {member}{_signature(actual)} "
            f"cannot be called as {member}({', '.join(p.name for p in wanted)})",
            code="TL304",
            hint=f"write it as {member}({listed})",
        ) from error


def _signature(actual: Any) -> str:
    try:
        return str(inspect.signature(actual))
    except (TypeError, ValueError):
        return ""
