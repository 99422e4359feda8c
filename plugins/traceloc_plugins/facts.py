"""Times, counts and words as sources write them, read without trusting any of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from traceloc.trace import Usage

_LATEST = 4e9
"""Seconds since 1970 beyond this (the year 2096) are taken for a finer unit."""


def word(value: Any) -> str | None:
    """The value if it is a text that is not empty."""
    return value if isinstance(value, str) and value else None


def moment(value: Any) -> datetime | None:
    """A time in UTC, from ISO 8601 or a count since 1970 in s, ms, µs or ns.

    A time without a zone is taken for UTC: nothing in the file says otherwise.
    """
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
        while abs(seconds) > _LATEST and math.isfinite(seconds):
            seconds /= 1000
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def count(value: Any) -> int | None:
    """A number of tokens; nothing else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Neither what is no number nor an integer too large for a float is within.
    return int(value) if 0 <= value < 2**53 else None


def amount(value: Any) -> float | None:
    """An amount of money or a score; nothing else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def usage_from(raw: Any, names: Mapping[str, str]) -> Usage | None:
    """Usage from an object, by the names it gives to the fields of :class:`Usage`.

    Args:
        raw: The object; anything else gives ``None``.
        names: Our field by the source's.
    """
    if not isinstance(raw, dict):
        return None
    found: dict[str, Any] = {}
    for theirs, ours in names.items():
        value = amount(raw.get(theirs)) if ours == "cost_usd" else count(raw.get(theirs))
        if value is not None:
            found.setdefault(ours, value)
    return Usage(**found) if found else None
