"""Vectors that a slow model made, kept between runs; no text is kept, only its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.sqlite_file import Codes, FileKind, SqliteFile

MAX_VECTORS = 50_000
"""The oldest go first; at 384 dimensions that is 45 MB."""
_BATCH = 500
_KIND = FileKind(
    noun="cache of embeddings",
    application_id=0x74_6C_65_6D,  # tlem
    version=1,
    schema="""
CREATE TABLE vectors (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    vector BLOB NOT NULL
) STRICT;
""",
    codes=Codes(foreign="TL520", damaged="TL521", newer="TL522", unusable="TL523", busy="TL524"),
    elsewhere="move it away",
)


class EmbeddingCache:
    """A cache in one file; where it cannot be used, everything is simply not in it.

    Args:
        path: The file.
        limit: How many vectors are kept.
    """

    def __init__(self, path: Path, *, limit: int = MAX_VECTORS) -> None:
        self._file = SqliteFile(path, _KIND, busy_seconds=1.0)
        self._limit = limit

    def get(self, fingerprint: str, texts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """The vectors that are known, by text."""
        keys = {_key(fingerprint, text): text for text in texts}
        found: dict[str, NDArray[np.float16]] = {}
        with suppress(StoreError, ValueError), self._file.reading() as db:
            for batch in _batches(list(keys)) if db is not None else ():
                assert db is not None  # noqa: S101 - for the type checker
                marks = ", ".join("?" * len(batch))
                query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, vector in db.execute(query, batch):
                    found[keys[key]] = np.frombuffer(vector, "<f2")
        # Another dimension than the rest's cannot come from the same model.
        widths = {len(vector) for vector in found.values()}
        return found if len(widths) <= 1 else {}

    def put(self, fingerprint: str, vectors: Mapping[str, NDArray[np.float16]]) -> None:
        """Remember vectors by text."""
        rows = [
            (_key(fingerprint, text), np.asarray(vector, "<f2").tobytes())
            for text, vector in vectors.items()
        ]
        with suppress(StoreError), self._file.writing() as db:
            db.executemany("INSERT OR IGNORE INTO vectors (key, vector) VALUES (?, ?)", rows)
            (count,) = db.execute("SELECT COUNT(*) FROM vectors").fetchone()
            if count > self._limit:
                # A tenth more than must go, so that not every call has to tidy up.
                gone = count - self._limit + self._limit // 10
                db.execute(
                    "DELETE FROM vectors WHERE n IN (SELECT n FROM vectors ORDER BY n LIMIT ?)",
                    (gone,),
                )


def _key(fingerprint: str, text: str) -> bytes:
    content = f"{fingerprint}\x1f{text}".encode("utf-8", "replace")
    return hashlib.blake2b(content, digest_size=16).digest()


def _batches(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for begin in range(0, len(keys), _BATCH):
        yield keys[begin : begin + _BATCH]
