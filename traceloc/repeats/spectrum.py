"""Spectrum-based fault localization over actions: who fails with them, who passes with them.

Of an action, ``ef`` and ``ep`` count the failing and passing runs that hold it, ``nf`` and ``np``
those that do not. Of actions that are equally suspicious the one that occurs earlier in the run is
named first, as everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Counts(NamedTuple):
    """In how many runs an action occurs."""

    ef: int
    """Failing runs that hold it."""
    ep: int
    """Passing runs that hold it."""
    failing: int
    """Failing runs in all."""
    passing: int
    """Passing runs in all."""


def ochiai(counts: Counts) -> float:
    """``ef / sqrt((ef + nf) * (ef + ep))``, 0 to 1.

    Ochiai (1957), for faults Abreu, Zoeteweij and van Gemund (2006), "An evaluation of similarity
    coefficients for software fault localization".
    """
    below = counts.failing * (counts.ef + counts.ep)
    return counts.ef / math.sqrt(below) if below else 0.0


def tarantula(counts: Counts) -> float:
    """``(ef / F) / (ef / F + ep / P)``, 0 to 1; a side without runs counts 0.

    Jones, Harrold and Stasko (2002), "Visualization of test information to assist fault
    localization".
    """
    failing = counts.ef / counts.failing if counts.failing else 0.0
    passing = counts.ep / counts.passing if counts.passing else 0.0
    return failing / (failing + passing) if failing else 0.0


def dstar(counts: Counts) -> float:
    """``ef^2 / (ep + nf)``; ``F^2 + 1`` in place of infinity, which no finite value reaches.

    Wong, Debroy, Gao and Li (2014), "The DStar method for effective software fault localization",
    with the exponent 2 they recommend.
    """
    below = counts.ep + counts.failing - counts.ef
    if below:
        return counts.ef**2 / below
    return float(counts.failing**2 + 1) if counts.ef else 0.0


FORMULAS: dict[str, Callable[[Counts], float]] = {
    "ochiai": ochiai,
    "tarantula": tarantula,
    "dstar": dstar,
}


def count_actions(
    actions: Iterable[str],
    *,
    failing: Sequence[frozenset[str]],
    passing: Sequence[frozenset[str]],
) -> dict[str, Counts]:
    """Counts of some actions, in the order given.

    Args:
        actions: Symbols to count.
        failing: Symbols of each failing run.
        passing: Symbols of each passing run.
    """
    return {
        action: Counts(
            ef=sum(action in run for run in failing),
            ep=sum(action in run for run in passing),
            failing=len(failing),
            passing=len(passing),
        )
        for action in actions
    }


def rank_actions(
    counts: dict[str, Counts], formula: Callable[[Counts], float] = ochiai
) -> list[str]:
    """Actions by falling suspiciousness; of equals the one that comes first in ``counts``."""
    return sorted(counts, key=lambda action: -round(formula(counts[action]), 12))
