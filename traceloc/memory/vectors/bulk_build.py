"""Makes the files of :mod:`~traceloc.memory.vectors.bulk_file` from the rows, whole or in part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.ledger import Database, read_meta, read_version
from traceloc.memory.vectors.bulk_file import (
    VECTOR,
    BulkHead,
    Mapped,
    index_path,
    new_vectors,
    open_bulk,
    publish,
)
from traceloc.memory.vectors.exact import normalize
from traceloc.memory.vectors.reading import read_chain, read_dead, read_rows
from traceloc.memory.vectors.table import Loaded

MOST_CLUSTERS = 4096
ROWS_A_CLUSTER = 64
"""On average, in a memory too small for ``MOST_CLUSTERS``."""
_SAMPLE = 32
"""Rows a cluster from which the clusters are found."""
_ROUNDS = 8
_BATCH = 50_000
_MANY_CLUSTERS = 1024


def build_bulk(database: Path, db: Database) -> None:
    """Write the files anew; clusters are kept as long as they fit.

    Args:
        database: Path of the database.
        db: A snapshot of it, with at least one row.

    Raises:
        OSError: If they cannot be written.
        Damage: If the rows hold what cannot be a vector.
    """
    meta, version = read_meta(db), read_version(db)
    old = open_bulk(database)
    if old is not None and not fits(old.head, db):
        old = None
    after = 0
    if old is not None:
        alive = old.alive.copy()
        alive[np.isin(old.rows.numbers, read_dead(db, after=old.head.version))] = False
        after = int(old.rows.numbers[-1])
    (more,) = db.execute("SELECT COUNT(*) FROM rows WHERE n > ?", (after,)).fetchone()
    if old is not None and _outgrown(old, int(alive.sum()), more):
        old, after = None, 0
        (more,) = db.execute("SELECT COUNT(*) FROM rows").fetchone()
    kept = 0 if old is None else old.head.count
    with new_vectors(database, count=kept + more, dimension=meta.dimension) as (
        aside,
        rows,
        living,
    ):
        if old is not None:
            _copy(old.rows, rows, kept)
            living[:kept] = alive
        place = kept
        for batch in read_rows(db, after=after, dimension=meta.dimension):
            place = _fill(rows, living, place, batch)
        index = _make_index(database, rows.vectors, kept)
        trained = kept + more if old is None else old.head.trained
        head = {
            "stamp": meta.stamp,
            "epoch": meta.epoch,
            "dimension": meta.dimension,
            "version": version,
            "chain": read_chain(db, version),
            "count": kept + more,
            "last": int(rows.numbers[-1]),
            "trained": trained,
        }
        arrays: tuple[Any, ...] = (*rows, living)
        for array in arrays:
            array.flush()
        publish(database, aside, index, head)


def fits(head: BulkHead, db: Database) -> bool:
    """Whether files were made from this memory's past, and by its embedder."""
    meta = read_meta(db)
    same = (head.stamp, head.epoch, head.dimension) == (meta.stamp, meta.epoch, meta.dimension)
    return same and head.chain == read_chain(db, head.version)


def find_strangers(database: Path, db: Database) -> Iterator[str]:
    """Where whole files that belong to a database hold other vectors than its rows."""
    bulk = open_bulk(database)
    if bulk is None or not fits(bulk.head, db):
        return  # made again when they are needed
    wrong = 0
    for batch in read_rows(db, after=0, dimension=bulk.head.dimension):
        places = np.searchsorted(bulk.rows.numbers, batch.numbers)
        there = places < bulk.head.count
        there[there] = bulk.rows.numbers[places[there]] == batch.numbers[there]
        differs = bulk.rows.vectors[places[there]] != batch.vectors[there]
        wrong += int(differs.any(axis=1).sum())
    if wrong:
        yield f"{wrong} vectors in {index_path(database)} are not those of the rows; delete it"


def _outgrown(old: Mapped, alive: int, more: int) -> bool:
    """A quarter dead, or twice the rows for which the clusters were found."""
    return alive < old.head.count * 3 // 4 or alive + more > 2 * old.head.trained


def _copy(old: Loaded, new: Loaded, count: int) -> None:
    pairs: Iterator[tuple[Any, Any]] = zip(old, new, strict=True)
    for source, target in pairs:
        for begin in range(0, count, _BATCH):
            target[begin : begin + _BATCH][: count - begin] = source[begin : begin + _BATCH]


def _fill(rows: Loaded, alive: NDArray[np.bool_], place: int, batch: Loaded) -> int:
    end = place + len(batch.numbers)
    pairs: Iterator[tuple[Any, Any]] = zip(rows, batch, strict=True)
    for target, values in pairs:
        target[place:end] = values
    alive[place:end] = batch.vectors.any(axis=1)
    return end


def _make_index(database: Path, vectors: NDArray[Any], kept: int) -> Any:
    """An index over all vectors; ``kept`` of them are in the old one."""
    import faiss

    count, dimension = vectors.shape
    index: Any
    if kept:
        index = faiss.read_index(str(index_path(database)))
    else:
        clusters = max(1, min(MOST_CLUSTERS, count // ROWS_A_CLUSTER))
        index = faiss.index_factory(dimension, f"IVF{clusters},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.by_residual = False
        index.cp.niter = _ROUNDS
        index.cp.min_points_per_centroid = 1
        index.cp.max_points_per_centroid = _SAMPLE
        step = max(1, count // (clusters * _SAMPLE))
        index.train(_unit(vectors[::step][: clusters * _SAMPLE]))
    assign = _assigner(index) if count - kept > _BATCH else None
    for begin in range(kept, count, _BATCH):
        part = _unit(vectors[begin : begin + _BATCH])
        if assign is None:
            index.add(part)
        else:
            nearest = np.ascontiguousarray(assign.search(part, 1)[1][:, 0])
            index.add_core(len(part), faiss.swig_ptr(part), None, faiss.swig_ptr(nearest), None)
    return index


def _assigner(index: Any) -> Any:
    """Of many clusters the nearest is found through a graph: ten times faster, as good."""
    import faiss

    if index.nlist < _MANY_CLUSTERS:
        return None
    graph = faiss.IndexHNSWFlat(index.d, 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = graph.hnsw.efSearch = 64
    graph.add(index.quantizer.reconstruct_n(0, index.nlist))
    return graph


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    assert vectors.dtype == VECTOR  # noqa: S101 - else normalize would round once more
    return np.ascontiguousarray(normalize(vectors))
