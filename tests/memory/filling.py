"""Writes to a memory where no file may grow beyond 200 kB, as on a full disk: PATH."""

from __future__ import annotations

import resource
import signal
import sys

import numpy as np

from traceloc.errors import StoreError
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.store import Row

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
rows = [Row(id=f"n{n}", shelf="schema", system="s", text=f"{n} " * 900) for n in range(3000)]
vectors = np.random.default_rng(0).normal(size=(len(rows), 16)).astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
try:
    SqliteStore(sys.argv[1]).apply("learn", put=rows, vectors=vectors, stamp="test/1")
except StoreError as error:
    sys.stdout.write(f"{error.code} {error}")
