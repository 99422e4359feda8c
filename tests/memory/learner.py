"""Run by a test in several processes: learns some of the injected failures into one memory."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from injector import KINDS, clean_runs, inject
from teaching_kit import LESSON, sketch

from traceloc.memory.opening import open_memory


def main(address: str, mine: int, of: int, total: int) -> None:
    hosts = clean_runs(20)
    memory = open_memory(address)
    for number in range(mine, total, of):
        injected = inject(hosts[number % 20], KINDS[number % 3], seed=number)
        memory.learn(sketch(injected.trace), [injected.native], LESSON)


if __name__ == "__main__":
    main(sys.argv[1], *(int(each) for each in sys.argv[2:]))
