"""Tokens and money, in whatever type they were written."""

from __future__ import annotations

from typing import Any

from traceloc.trace import Usage


def make_usage(**fields: Any) -> Usage | None:
    """Usage of what is there; counts that are no numbers count as missing."""
    found = {}
    for key, raw in fields.items():
        if isinstance(raw, bool) or raw is None:
            continue
        try:
            number = float(raw)
        except (TypeError, ValueError, OverflowError):
            continue
        if number == number and 0 <= number < 1e15:
            found[key] = number if key == "cost_usd" else int(number)
    return Usage(**found) if found else None
