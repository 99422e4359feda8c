"""Writes to a memory and searches it, in a process of its own: ADDRESS NAME COUNT."""

from __future__ import annotations

import sys

import numpy as np

from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.store import Row


def main(address: str, name: str, count: int) -> None:
    if "://" in address:
        from traceloc_plugins.postgres.backend import PostgresStore

        store = PostgresStore(address)
    else:
        store = SqliteStore(address)
    source = np.random.default_rng(list(name.encode()))
    for number in range(count):
        vector = source.normal(size=(1, 8)).astype(np.float32)
        vector /= np.linalg.norm(vector)
        row = Row(id=f"{name}{number:03}", shelf="schema", system=name, text=f"{name} {number}")
        store.apply("learn", put=[row], vectors=vector, stamp="test/1", who=name)
        (found,) = store.nearest(vector, k=1)
        if store.count("schema", system=name) != number + 1:
            raise SystemExit("a row of mine is gone")
        if [each.id for each in found] != [row.id]:
            raise SystemExit(f"asked for {row.id}, found {found}")
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
