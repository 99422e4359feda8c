"""Several processes teach one memory: nothing is lost, not even a count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from traceloc.memory.opening import find_filled_memory

PROCESSES, FAILURES = 3, 60


def test_no_count_is_lost_between_processes(tmp_path: Path) -> None:
    address = tmp_path / "memory.db"
    script = Path(__file__).parent / "learner.py"
    running = [
        subprocess.Popen(
            [sys.executable, str(script), str(address), str(i), str(PROCESSES), str(FAILURES)]
        )
        for i in range(PROCESSES)
    ]
    assert [process.wait(timeout=240) for process in running] == [0] * PROCESSES
    memory = find_filled_memory(str(address))
    assert memory is not None
    # An even sample of single failures stays; every sighting is counted.
    assert sum(schema.counts.seen for schema in memory.schemata()) == FAILURES
    assert memory.store.check() == []
