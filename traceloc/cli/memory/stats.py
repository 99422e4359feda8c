"""``traceloc memory stats``: how much is remembered, and where it may vote."""

from __future__ import annotations

import sys

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_for_reading, where
from traceloc.cli.options import Debug


def stats_command(memory: Memory = None, debug: Debug = False) -> None:
    """Count what is remembered of each system, and say whether its memory votes in rankings."""
    from traceloc.reporting.memory import describe_stats

    found = open_for_reading(memory)
    if found is None:
        return
    sizes = found.sizes()
    gates = {system: found.gate(system) for system, *_ in sizes if system != "any"}
    told = describe_stats(
        sizes,
        gates,
        questions={system: found.questions(system) for system in gates},
        needed=found.settings.gate_groups,
        address=where(memory),
    )
    console.write_pieces(told, sys.stdout)
