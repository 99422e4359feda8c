"""Checks of loaders against files that are damaged or meant to do damage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from traceloc.errors import TraceFormatError
from traceloc.loading.source import Source
from traceloc.testing import damage
from traceloc.testing.bounds import within
from traceloc.testing.files import Files, placed, prepare
from traceloc.testing.soundness import require_sound
from traceloc.testing.violation import ContractViolation

MUTATIONS = 120
"""Random variants of a small sample."""
FEWEST = 40
MUTATED_BYTES = 500_000
"""About how much of a sample is read in all its variants; a large one has fewer of them."""


def check_cut_off_files(plugin: Any, samples: Sequence[Any]) -> None:
    """A file that breaks off anywhere gives traces or a TraceFormatError."""
    for number, files in enumerate(prepare(samples)):
        _throw(plugin, files, damage.truncate(files.first), f"sample {number}")


def check_mutated_files(plugin: Any, samples: Sequence[Any]) -> None:
    """A file with random damage gives traces or a TraceFormatError."""
    for number, files in enumerate(prepare(samples)):
        count = min(MUTATIONS, max(FEWEST, MUTATED_BYTES // max(1, len(files.first))))
        _throw(plugin, files, damage.mutate(files.first, count=count), f"sample {number}")


def check_strange_files(plugin: Any, samples: Sequence[Any]) -> None:
    """Empty, huge, wrongly encoded, deeply nested or circular files do no harm."""
    for number, files in enumerate(prepare(samples)):
        _throw(plugin, files, damage.distort(files.first), f"sample {number}")


def check_damage_is_told(plugin: Any, samples: Sequence[Any]) -> None:
    """Half a file is never passed off as a whole one."""
    for number, files in enumerate(prepare(samples)):
        if len(files.content) > 1 or damage.parse(files.first) is None:
            continue
        half = files.first.rstrip()
        half = half[: max(1, len(half) - 3)]
        if damage.parse(half) is not None:
            continue
        with placed(files.with_first(half)) as sources:
            try:
                traces = list(plugin.load(sources))
            except TraceFormatError:
                continue
            told = any(trace.diagnostics for trace in traces) if traces else True
            if not sources[0].problems and not told:
                raise ContractViolation(
                    f"sample {number} without its last 3 bytes is loaded without a word",
                    mend="read through Source, which notes what breaks off, or report it: "
                    "source.report(...)",
                )


def _throw(plugin: Any, files: Files, variants: Iterable[damage.Damaged], what: str) -> None:
    known: set[str] = set()
    # One folder for all: making and removing one takes longer than reading what is in it.
    with placed(files) as whole:
        for how, data in variants:
            Path(whole[0].path).write_bytes(data)
            with within(f"{what}, {how}"):
                _try(plugin, [Source(each.path) for each in whole], f"{what}, {how}", known)


def _try(plugin: Any, sources: list[Source], what: str, known: set[str]) -> None:
    """Read one variant.

    Args:
        plugin: The loader.
        sources: The files.
        what: The variant, for the message.
        known: Traces that were found sound before; most damage changes nothing in a trace.
    """
    try:
        score = plugin.sniff(sources[0].head())
        traces = list(plugin.load(sources))
    except TraceFormatError:
        return
    except ContractViolation:
        raise
    except (Exception, SystemExit) as error:
        raise ContractViolation(
            f"{what}: {type(error).__name__} was raised: {error}",
            mend="check the type of every value before use; skip what does not fit with "
            "builder.note('skipped', ...) or raise source.error(...)",
        ) from error
    if not math.isfinite(score) or not 0.0 <= score <= 1.0:
        raise ContractViolation(f"{what}: sniff gives {score!r}", mend="stay within 0.0 and 1.0")
    for trace in traces:
        require_sound(trace, what=what, damaged=True, known=known)


CHECKS = (check_damage_is_told, check_cut_off_files, check_mutated_files, check_strange_files)
