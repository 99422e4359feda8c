"""How the numbers of a model are rounded, so that a fit gives the same bytes on every machine."""

from __future__ import annotations

DIGITS = 6
"""Significant digits of the numbers in a model, fewer than the rounding of any machine changes."""


def tidy(value: float) -> float:
    """A number with six significant digits, the same on every machine."""
    return float(f"{value:.{DIGITS}g}") + 0.0
