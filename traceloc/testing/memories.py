"""Checks of memory backends: whole changes or none, undone exactly, ties by id, seen by others.

The kit keeps its stores in files of a temporary folder. A backend that is no file gives samples:
functions without arguments, each call of which gives the address of a new, empty memory.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory.store import Row, SchemaStore
from traceloc.testing.rows import WIDTH, embed_wide, make_rows, make_vectors
from traceloc.testing.violation import CheckSkipped, ContractViolation

NEEDS_SAMPLES = False
_AT = datetime(2026, 3, 1, tzinfo=UTC)
_STAMP = "kit:1"
_FOREIGN = "nosuch-scheme://host/name"

Address = Callable[[], str]


def prepare(samples: Sequence[Address]) -> tuple[Address | None, ...]:
    """Where to make memories: ``None`` is a temporary folder."""
    return tuple(samples) or (None,)


def exercise(plugin: Any, samples: Sequence[Address | None]) -> list[str]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    told = []
    for make in samples:
        with _opened(plugin, make) as store:
            _fill(store)
            found = store.nearest(make_vectors(3), k=5)
            near = [[(n.id, round(n.similarity, 3)) for n in each] for each in found]
            rows = [row.model_dump_json() for row in store.rows("schema")]
            told.append(f"{near} {rows} {store.stamp()} {store.version()}")
    return told


def pack(samples: Sequence[Address | None]) -> Any:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    if any(samples):
        raise CheckSkipped("addresses made by a function cannot be made in another process")
    return len(samples)


def unpack(packed: Any) -> tuple[None, ...]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return (None,) * int(packed)


def check_knows_its_addresses(plugin: Any, samples: Sequence[Address]) -> None:
    """It answers for its own addresses with a bool, and for no stranger's."""
    for make in prepare(samples):
        with _address(plugin, make) as address:
            if plugin.handles(address) is not True:
                raise ContractViolation(
                    f"handles({address!r}) is {plugin.handles(address)!r}",
                    mend="return True for its own addresses, or give the kit one of them: "
                    "samples=[make_address]",
                )
    if plugin.handles(_FOREIGN) is not False:
        raise ContractViolation(
            f"handles({_FOREIGN!r}) is {plugin.handles(_FOREIGN)!r}",
            mend="return False for every scheme that is not its own",
        )


def check_opening_writes_nothing(plugin: Any, samples: Sequence[Address]) -> None:
    """A memory that is not there yet is empty, sound, and made by the first write only."""
    for make in prepare(samples):
        with _address(plugin, make) as address:
            store = plugin.open(address)
            facts = (store.version(), store.stamp(), store.log(), list(store.rows("schema")))
            if facts != (0, None, [], []) or store.count("schema") or store.check():
                raise ContractViolation(
                    f"an empty memory has version, stamp, log and rows {facts}",
                    mend="give version 0, no stamp, no change and no row until one is written",
                )
            if store.nearest(make_vectors(1), k=3) != [[]]:
                raise ContractViolation(
                    "an empty memory has neighbours", mend="give an empty list for each query"
                )
            store.close()
            if make is None and Path(address).exists():
                raise ContractViolation(
                    "opening and asking makes a file", mend="make it with the first write"
                )


def check_gives_back_what_was_put(plugin: Any, samples: Sequence[Address]) -> None:
    """Rows and vectors come back as they were, in the order asked for, after reopening too."""
    for make in prepare(samples):
        with _address(plugin, make) as address:
            store = plugin.open(address)
            rows = _fill(store)
            store.close()
            store = plugin.open(address)
            wanted = [rows[3].id, "nobody", rows[0].id]
            if store.get(wanted) != [rows[3], rows[0]]:
                raise ContractViolation(
                    f"get({wanted}) gives {[row.id for row in store.get(wanted)]}, or other rows",
                    mend="give rows unchanged, in the order asked for, without unknown ids",
                )
            found = [row.id for row in store.rows("schema")]
            if found != sorted(row.id for row in rows) or store.count("schema") != len(rows):
                raise ContractViolation(
                    f"rows gives {found}", mend="give every row of the shelf once, by id"
                )
            ours = [row.id for row in store.rows("schema", system="shop")]
            if ours != sorted(row.id for row in rows if row.system == "shop"):
                raise ContractViolation(
                    f"rows of system 'shop' are {ours}", mend="give only rows of that system"
                )
            kept = store.vectors([rows[1].id, rows[0].id])
            if not np.allclose(kept, make_vectors(len(rows))[[1, 0]], atol=2e-3):
                raise ContractViolation(
                    "vectors come back changed", mend="keep at least half precision"
                )
            if store.check():
                raise ContractViolation(f"check says {store.check()}", mend="see its sentences")
            store.close()


def check_neighbours_are_in_order(plugin: Any, samples: Sequence[Address]) -> None:
    """Nearest first, ties by id, never more than there are, and none for a query of zeros."""
    for make in prepare(samples):
        with _opened(plugin, make) as store:
            rows = make_rows(6)
            same = np.repeat(make_vectors(1), 6, axis=0)
            _learn(store, rows, same)
            queries = np.concatenate([make_vectors(1), np.zeros((1, WIDTH), np.float32)])
            tied, nothing = store.nearest(queries, k=99)
            if [n.id for n in tied] != sorted(row.id for row in rows):
                raise ContractViolation(
                    f"six equal rows come as {[n.id for n in tied]}",
                    mend="sort by similarity, then by id; drop what an index pads with",
                )
            if nothing:
                raise ContractViolation(
                    "a query of zeros has neighbours", mend="give it an empty list"
                )
            if [n.id for n in store.nearest(queries[:1], k=2)[0]] != [n.id for n in tied[:2]]:
                raise ContractViolation(
                    "k=2 gives other rows than the first two of all",
                    mend="take more from the index, sort, then cut",
                )
        with _opened(plugin, make) as store:
            rows = _fill(store)
            _require_true_order(store, rows)


def _require_true_order(store: SchemaStore, rows: list[Row]) -> None:
    vectors = make_vectors(len(rows))
    for number, found in enumerate(store.nearest(vectors, k=3)):
        alike = vectors @ vectors[number]
        best = sorted(range(len(rows)), key=lambda i: (-round(float(alike[i]), 3), rows[i].id))[:3]
        if [n.id for n in found] != [rows[i].id for i in best]:
            raise ContractViolation(
                f"the nearest of row {number} are {[n.id for n in found]}",
                mend="compare by cosine with every row, most similar first",
            )
        if abs(found[0].similarity - 1) > 2e-3:
            raise ContractViolation(
                f"a row is {found[0].similarity} like itself", mend="give the cosine, -1 to 1"
            )
    for found in store.nearest(vectors, k=9, exclude_trace="trace-0"):
        if rows[0].id in [n.id for n in found]:
            raise ContractViolation(
                "exclude_trace leaves a row of that trace in", mend="filter before cutting at k"
            )
    for found in store.nearest(vectors, k=9, system="shop"):
        if {n.id for n in found} != {row.id for row in rows if row.system == "shop"}:
            raise ContractViolation(
                "system='shop' gives other rows than those of that system",
                mend="filter before cutting at k",
            )


def check_changes_are_whole(plugin: Any, samples: Sequence[Address]) -> None:
    """A change that cannot be made leaves nothing behind."""
    for make in prepare(samples):
        with _opened(plugin, make) as store:
            rows = _fill(store)
            version = store.version()
            new = make_rows(8)[6:]
            for vectors, stamp in (
                (np.ones((2, WIDTH + 1), np.float32), _STAMP),
                (np.ones((1, WIDTH), np.float32), _STAMP),
                (make_vectors(2), "kit:other"),
            ):
                try:
                    store.apply(
                        "learn",
                        put=new,
                        vectors=vectors,
                        stamp=stamp,
                        remove=[rows[0].id],
                        at=_AT,
                    )
                except (StoreError, ValueError):
                    pass
                else:
                    raise ContractViolation(
                        f"vectors of shape {vectors.shape} with stamp {stamp!r} are taken for 2 "
                        f"rows of {WIDTH} with stamp {_STAMP!r}",
                        mend="raise StoreError where vectors do not fit",
                    )
            if store.version() != version or store.count("schema") != len(rows):
                raise ContractViolation(
                    "half of a change that failed is there", mend="make it in one transaction"
                )


def check_changes_can_be_undone(plugin: Any, samples: Sequence[Address]) -> None:
    """Undo brings back rows and vectors as they were; the log keeps both and its ids rise."""
    for make in prepare(samples):
        with _opened(plugin, make) as store:
            rows = _fill(store)
            before = ([*store.rows("schema")], store.vectors([row.id for row in rows]).tolist())
            other = rows[0].model_copy(update={"text": "something else"})
            store.apply(
                "merge",
                put=[other],
                vectors=make_vectors(9)[8:],
                stamp=_STAMP,
                remove=[rows[1].id],
                at=_AT,
                who="kit",
            )
            change = store.undo(who="kit")
            after = ([*store.rows("schema")], store.vectors([row.id for row in rows]).tolist())
            if before != after:
                raise ContractViolation(
                    "after undo rows or vectors are not what they were",
                    mend="keep what a change replaces and removes, and put it back",
                )
            ids = [each.id for each in store.log()]
            if ids != sorted(set(ids)) or change.id != ids[-1] or store.version() != ids[-1]:
                raise ContractViolation(
                    f"the log has ids {ids}, undo gave {change.id}, version {store.version()}",
                    mend="append undo to the log as a change of its own",
                )
            if [each.id for each in store.log(after=ids[0], limit=1)] != ids[1:2]:
                raise ContractViolation(
                    "log(after=, limit=) gives other changes", mend="give those behind it, in order"
                )
            store.undo(who="kit")
            try:
                store.undo(who="kit")
            except StoreError:
                continue
            raise ContractViolation(
                "there is nothing left to undo, and undo does not say so", mend="raise StoreError"
            )


def check_another_embedder_is_noticed(plugin: Any, samples: Sequence[Address]) -> None:
    """Vectors carry a stamp, and are replaced by others of any width in one go."""
    for make in prepare(samples):
        with _opened(plugin, make) as store:
            rows = _fill(store)
            store.restamp("kit:2", embed_wide)
            vectors = embed_wide([row.text for row in rows])
            if store.stamp() != "kit:2":
                raise ContractViolation(
                    f"after restamp the stamp is {store.stamp()!r}", mend="keep the new one"
                )
            found = store.nearest(vectors[2:3], k=1)[0]
            if [n.id for n in found] != [rows[2].id]:
                raise ContractViolation(
                    "after restamp the old vectors are searched", mend="build the index anew"
                )


def check_others_see_it(plugin: Any, samples: Sequence[Address]) -> None:
    """Several handles on one memory may write at once, and each sees what the others wrote."""
    for make in prepare(samples):
        with _address(plugin, make) as address:
            first = plugin.open(address)
            _fill(first)
            failed: list[Exception] = []
            threads = [
                threading.Thread(target=_write, args=(plugin, address, number, failed))
                for number in range(3)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for error in failed:
                raise ContractViolation(
                    f"writing from several sides: {type(error).__name__}: {error}",
                    mend="wait for the lock of the others (a busy timeout), then write",
                ) from error
            count = first.count("schema")
            near = len(first.nearest(make_vectors(1), k=99)[0])
            if count != 21 or near != 21:
                raise ContractViolation(
                    f"of 21 rows an open handle sees {count}, and finds {near}",
                    mend="look at version() before trusting an index in memory",
                )
            first.close()


@contextmanager
def _address(plugin: Any, make: Address | None) -> Iterator[str]:
    if make is None and not plugin.handles("memory.db"):
        raise CheckSkipped("its memories are no files: give a function that makes an address")
    with tempfile.TemporaryDirectory(prefix="traceloc-kit-") as folder:
        yield make() if make is not None else str(Path(folder, "memory.db"))


@contextmanager
def _opened(plugin: Any, make: Address | None) -> Iterator[SchemaStore]:
    with _address(plugin, make) as address:
        store = plugin.open(address)
        try:
            yield store
        finally:
            store.close()


def _write(plugin: Any, address: str, number: int, failed: list[Exception]) -> None:
    try:
        store = plugin.open(address)
        for i in range(5):
            _learn(store, make_rows(1, prefix=f"w{number}{i}"), make_vectors(1))
        store.close()
    except Exception as error:  # the plugin boundary: told by who waits for this thread
        failed.append(error)


def _fill(store: SchemaStore) -> list[Row]:
    """Six rows of two systems and six traces, in one change, stamped."""
    rows = make_rows(6)
    _learn(store, rows, make_vectors(6))
    return rows


def _learn(store: SchemaStore, rows: Sequence[Row], vectors: NDArray[np.float32]) -> None:
    store.apply("learn", put=rows, vectors=vectors, stamp=_STAMP, who="kit", at=_AT)


CHECKS = (
    check_knows_its_addresses,
    check_opening_writes_nothing,
    check_gives_back_what_was_put,
    check_neighbours_are_in_order,
    check_changes_are_whole,
    check_changes_can_be_undone,
    check_another_embedder_is_noticed,
    check_others_see_it,
)
