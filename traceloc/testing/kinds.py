"""Which module checks which kind of plugin, and of which kind a plugin is."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from typing import Any, Protocol, cast

from traceloc.contracts import KINDS
from traceloc.errors import UsageError
from traceloc.registry import singular


class KindModule(Protocol):
    """What each module of checks offers beside its checks."""

    CHECKS: tuple[Any, ...]
    """Functions ``check_xxx(plugin, samples)``."""
    NEEDS_SAMPLES: bool
    """Whether the author must give samples; without, the kit's own are enough."""

    def prepare(self, samples: Sequence[Any]) -> tuple[Any, ...]:
        """The author's samples as the checks use them, with the kit's own where it has some."""
        ...

    def exercise(self, plugin: Any, samples: Sequence[Any]) -> list[str]:
        """Use the plugin on prepared samples; what came out of each, as text to be compared."""
        ...

    def pack(self, samples: Sequence[Any]) -> Any:
        """Prepared samples as JSON, for another process."""
        ...

    def unpack(self, packed: Any) -> tuple[Any, ...]:
        """The samples that :meth:`pack` packed."""
        ...


def module_of(kind: str) -> KindModule:
    """The module that checks a kind.

    Raises:
        UsageError: ``TL200`` if there is no such kind.
    """
    return cast("KindModule", importlib.import_module(f"traceloc.testing.{known_kind(kind)}"))


def known_kind(kind: str) -> str:
    """``loaders`` for ``loader`` or ``loaders``.

    Raises:
        UsageError: ``TL200`` if there is no such kind.
    """
    for name in KINDS:
        if kind in (name, singular(name)):
            return name
    listed = ", ".join(singular(name) for name in KINDS)
    raise UsageError(f"there is no plugin kind {kind!r}", hint=f"kinds: {listed}")


def kind_of(plugin: Any) -> str:
    """The kind whose contract a plugin comes nearest to, by the methods it has.

    Raises:
        UsageError: ``TL200`` if it has no method of any contract.
    """
    shares = {kind: _share(plugin, protocol) for kind, protocol in KINDS.items()}
    best = max(shares, key=lambda kind: shares[kind])
    if not shares[best]:
        raise UsageError(
            f"{type(plugin).__name__} has no method of any plugin contract",
            hint=f"kinds: {', '.join(map(singular, KINDS))}; see traceloc.contracts",
        )
    return best


def _share(plugin: Any, protocol: type) -> float:
    methods = [n for n, v in vars(protocol).items() if inspect.isfunction(v) and n[0] != "_"]
    return sum(hasattr(plugin, name) for name in methods) / len(methods)
