"""Kills writers of a memory at any moment and says what they had committed: PATH KILLS SEED.

Each writer is a fork, so that two hundred cost seconds. It tells of a row only after its change
was committed; every one told of must be there in the end.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import faiss  # noqa: F401, TID253 - here, so that not each fork has to wait for it
import numpy as np

from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.store import Row
from traceloc.memory.vectors import index

# So small that the files beside the database are written all the time, too.
index.BULK_FROM, index.TAIL_ROWS = 60, 20


def write(path: str, name: int, tell: int) -> None:
    """Write until somebody kills this process."""
    store = SqliteStore(path)
    source = np.random.default_rng(name)
    number = 0
    while True:
        ids = [f"{name:03}-{number + more:04}" for more in range(5)]
        vectors = source.normal(size=(5, 16)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = [Row(id=each, shelf="schema", system="s", text=f"text of {each}") for each in ids]
        store.apply("learn", put=rows, vectors=vectors, stamp="test/1")
        os.write(tell, "".join(f"+{each}\n" for each in ids).encode())
        if number % 3 == 2:
            os.write(tell, f"?{ids[0]}\n".encode())
            store.apply("evict", remove=[ids[0]])
            os.write(tell, f"-{ids[0]}\n".encode())
        number += 5


def main(path: str, kills: int, seed: int) -> None:
    source = random.Random(seed)
    for kill in range(kills):
        reading, telling = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            write(path, kill, telling)
        os.close(telling)
        time.sleep(source.uniform(0.002, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading, "rb") as stream:
            sys.stdout.buffer.write(stream.read())
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
