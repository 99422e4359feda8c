"""Broken plugins by the check that must find what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bound=type)

WORDS = {f"word{i}" for i in range(40)}
"""In an order that no other process shares."""


class Flaws:
    """Collects classes by check."""

    def __init__(self) -> None:
        self.found: dict[str, type] = {}

    def of(self, check: str) -> Callable[[T], T]:
        """A decorator: this class breaks that check."""

        def keep(broken: T) -> T:
            self.found[check] = broken
            return broken

        return keep
