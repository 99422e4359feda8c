"""Checks of how sure a loader is: of its own files, of others, and twice the same."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

from traceloc.loading.sniffing import MIN_SCORE
from traceloc.loading.source import Source
from traceloc.testing.files import prepare
from traceloc.testing.foreign import FORMATS, NO_TRACES
from traceloc.testing.violation import ContractViolation

GENERIC = 0.3
"""The most a loader may give to a shape that many formats share."""


def check_sniff_knows_its_own(plugin: Any, samples: Sequence[Any]) -> None:
    """A valid file gets a score from 0.1 to 1, as a float."""
    for number, files in enumerate(prepare(samples)):
        score = _sniff(plugin, files.first, f"sample {number}")
        if score < MIN_SCORE:
            raise ContractViolation(
                f"sniff gives sample {number} {score}; below {MIN_SCORE} a file is no trace",
                mend="look for what the format's documents have in common, in head.records",
            )


def check_sniff_leaves_others_alone(plugin: Any, samples: Sequence[Any]) -> None:
    """What is no trace gets nearly nothing, and another format at most 0.3."""
    for how, data in NO_TRACES.items():
        if (score := _sniff(plugin, data, how)) >= MIN_SCORE:
            raise ContractViolation(
                f"sniff gives {how} {score}; it is no trace",
                mend=f"ask for more marks of the format; give less than {MIN_SCORE} without them",
            )
    for name, data in FORMATS.items():
        if name != plugin.name and (score := _sniff(plugin, data, name)) > GENERIC:
            raise ContractViolation(
                f"sniff gives a file of {name!r} {score}; a shape that several formats share gets "
                f"at most {GENERIC}",
                mend="ask for marks that no other format has, and take off for foreign ones",
            )


def check_sniff_changes_nothing(plugin: Any, samples: Sequence[Any]) -> None:
    """Sniffing twice gives the same, and leaves the head as it was for the next loader."""
    for number, files in enumerate(prepare(samples)):
        head = Source("-", content=files.first).head()
        before = copy.deepcopy(head.documents)
        scores = [plugin.sniff(head), plugin.sniff(head)]
        if head.documents != before:
            raise ContractViolation(
                f"sniff changes what was parsed of sample {number}",
                mend="copy a record before taking keys out of it",
            )
        if scores[0] != scores[1]:
            raise ContractViolation(
                f"sniff gives sample {number} {scores[0]}, then {scores[1]}",
                mend="let the score depend on the head alone",
            )


def _sniff(plugin: Any, data: bytes, how: str) -> float:
    score = plugin.sniff(Source("-", content=data).head())
    if isinstance(score, bool) or not isinstance(score, float | int) or not math.isfinite(score):
        raise ContractViolation(
            f"sniff gives {how} {score!r}", mend="return a float from 0.0 to 1.0, not a bool"
        )
    if not 0.0 <= score <= 1.0:
        raise ContractViolation(f"sniff gives {how} {score}", mend="stay within 0.0 and 1.0")
    return float(score)
