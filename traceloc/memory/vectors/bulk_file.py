"""Two files beside a large memory: its vectors, and a faiss index over them.

Both derive from the rows and can be deleted at any time. They are written aside and moved into
place, so a process that maps them keeps what it has. The first says which rows it holds (the
number of the last, and the hash of the log up to there), by which embedder, and what the second
must look like; anything else than that is no bulk, and is made anew.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from traceloc.memory.vectors.table import Loaded
from traceloc.trace import Document

_MAGIC = b"traceloc vectors\n"
_HEAD_BYTES = 4096
_SAMPLES, _SAMPLE_BYTES = 64, 4096
VECTOR = np.dtype("<f2")


class BulkHead(Document):
    """What the files hold."""

    format: int = 1
    stamp: str
    """Fingerprint of the embedder."""
    epoch: int
    dimension: int = Field(gt=0, le=65536)
    version: int
    """Newest change that was taken in."""
    chain: str
    """Hash of the log up to that change."""
    count: int = Field(gt=0)
    """Rows, dead ones included."""
    last: int
    """Highest number of a row."""
    trained: int
    """Rows for which the clusters were found."""
    index_bytes: int
    checksum: str
    """Of samples of both files."""
    byteorder: str = sys.byteorder


class Mapped(NamedTuple):
    """The files, opened."""

    head: BulkHead
    rows: Loaded
    """Its vectors are in half precision, and not of exactly unit length."""
    alive: NDArray[np.bool_]
    index: Any
    """A faiss index whose ids are places in ``rows``."""


class _Layout(NamedTuple):
    """Where each array begins."""

    rows: int
    dimension: int

    def columns(self) -> Iterator[tuple[int, np.dtype[Any], tuple[int, ...]]]:
        place = _HEAD_BYTES
        shapes: list[tuple[Any, tuple[int, ...]]] = [
            (np.int64, (self.rows,)),
            (np.int64, (self.rows,)),
            (np.int64, (self.rows,)),
            (np.int8, (self.rows,)),
            (np.bool_, (self.rows,)),
            (VECTOR, (self.rows, self.dimension)),
        ]
        for kind, shape in shapes:
            yield place, np.dtype(kind), shape
            place += -(-np.dtype(kind).itemsize * int(np.prod(shape)) // 64) * 64

    def size(self) -> int:
        place, kind, shape = list(self.columns())[-1]
        return place + kind.itemsize * int(np.prod(shape))


def vectors_path(database: Path) -> Path:
    """Where the vectors of a database lie."""
    return database.with_name(f"{database.name}-vectors")


def index_path(database: Path) -> Path:
    """Where the faiss index of a database lies."""
    return database.with_name(f"{database.name}-faiss")


def read_head(database: Path) -> BulkHead | None:
    """What the files of a database claim to hold; ``None`` if there are none, or damaged ones."""
    try:
        with vectors_path(database).open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return None
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
        return None
    try:
        found = BulkHead.model_validate_json(head[len(_MAGIC) :].rstrip(b"\0 "))
    except ValidationError:
        return None
    return found if found.format == 1 and found.byteorder == sys.byteorder else None


def open_bulk(database: Path) -> Mapped | None:
    """Map the files of a database; ``None`` if they are not whole."""
    head = read_head(database)
    if head is None:
        return None
    vectors, index = vectors_path(database), index_path(database)
    layout = _Layout(head.count, head.dimension)
    try:
        sizes = (vectors.stat().st_size, index.stat().st_size)
        if sizes != (layout.size(), head.index_bytes):
            return None
        if _sample(vectors, index) != head.checksum:
            return None
        # Plain arrays over the map: numpy's own class makes each access slower.
        arrays = [
            np.asarray(np.memmap(vectors, kind, "r", place, shape))
            for place, kind, shape in layout.columns()
        ]
        found = _read_index(index)
    except (OSError, ValueError, RuntimeError):
        return None
    if found.ntotal != head.count or found.d != head.dimension:
        return None
    numbers, systems, traces, shelves, alive, kept = arrays
    rows = Loaded(numbers, shelves, systems, traces, kept)
    return Mapped(head, rows, np.array(alive), found)


@contextmanager
def new_vectors(
    database: Path, *, count: int, dimension: int
) -> Iterator[tuple[Path, Loaded, Any]]:
    """A file aside with room for rows, which are written through the arrays that are given.

    Gives its path, the arrays, and that of the rows alive. It is deleted if it is still there.
    """
    layout = _Layout(count, dimension)
    handle, name = tempfile.mkstemp(prefix=f".{database.name}-vectors.", dir=database.parent)
    aside = Path(name)
    try:
        os.ftruncate(handle, layout.size())
        os.close(handle)
        arrays = [
            np.memmap(aside, kind, "r+", place, shape) for place, kind, shape in layout.columns()
        ]
        numbers, systems, traces, shelves, alive, vectors = arrays
        yield aside, Loaded(numbers, shelves, systems, traces, vectors), alive
    finally:
        aside.unlink(missing_ok=True)


def publish(database: Path, aside: Path, index: Any, head: dict[str, Any]) -> None:
    """Write the index and the head, and move both files into place."""
    import faiss

    handle, name = tempfile.mkstemp(prefix=f".{database.name}-faiss.", dir=database.parent)
    os.close(handle)
    index_aside = Path(name)
    try:
        faiss.write_index(index, name)
        claim = BulkHead(
            **head, index_bytes=index_aside.stat().st_size, checksum=_sample(aside, index_aside)
        )
        content = _MAGIC + claim.model_dump_json().encode()
        with aside.open("r+b") as stream:
            stream.write(content.ljust(_HEAD_BYTES, b" "))
            stream.flush()
            os.fsync(stream.fileno())
        with index_aside.open("rb") as stream:
            os.fsync(stream.fileno())
        # Between these two lines they do not fit each other, and whoever looks sees it.
        index_aside.replace(index_path(database))
        aside.replace(vectors_path(database))
    finally:
        index_aside.unlink(missing_ok=True)


@contextmanager
def building(database: Path) -> Iterator[None]:
    """Wait until nobody else builds; the system lets go of the lock of a process that dies."""
    try:
        import fcntl
    except ImportError:  # Windows: two may build, and the second's files stay
        yield
        return
    path = database.with_name(f"{database.name}-building")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for kind in ("vectors", "faiss"):
            for left in database.parent.glob(f".{glob.escape(database.name)}-{kind}.*"):
                left.unlink(missing_ok=True)  # by a builder that was killed
        yield
    finally:
        os.close(handle)


def _read_index(path: Path) -> Any:
    import faiss

    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)


def _sample(vectors: Path, index: Path) -> str:
    """A hash of pieces spread over both files: enough to see a torn write, at once for any size."""
    digest = hashlib.blake2b(digest_size=16)
    for path, begin in ((vectors, _HEAD_BYTES), (index, 0)):
        size = path.stat().st_size
        digest.update(json.dumps(size).encode())
        with path.open("rb") as stream:
            for step in range(_SAMPLES + 1):
                last = max(size - _SAMPLE_BYTES, begin)
                stream.seek(begin + (last - begin) * step // _SAMPLES)
                digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()
