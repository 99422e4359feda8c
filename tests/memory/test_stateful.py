"""A store against a plain dictionary, whatever is done to it in whatever order."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.memory.conftest import make_row, make_store, make_vectors
from traceloc.errors import StoreError
from traceloc.memory.vectors import bulk, index

VECTORS = {dimension: make_vectors(12, seed=1, dimension=dimension) for dimension in (4, 6)}
IDS = st.sampled_from([f"r{n}" for n in range(14)])
SHELVES = st.sampled_from(["schema", "ordinary"])
SYSTEMS = st.sampled_from(["a", "b", None])
TEXTS = st.integers(0, 11)


class Machine(RuleBasedStateMachine):
    """Holds what the memory should hold."""

    address = ""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    """A folder that costs no waiting for a disk."""
    fresh = 0

    @initialize()
    def begin(self):
        Machine.fresh += 1
        self.folder = tempfile.TemporaryDirectory(dir=self.memory)
        self.where = self.address or str(Path(self.folder.name, "memory.db"))
        if "://" in self.where:
            self.where += f"_{Machine.fresh}"
        self.store = make_store(self.where)
        self.rows = {}
        self.history = []
        self.dimension = 4
        self.epoch = 0
        self.stamped = False
        self.version = 0

    def teardown(self):
        if hasattr(self, "store"):
            assert self.store.check() == []
            self.store.close()
            self.folder.cleanup()

    def _stamp(self):
        return f"test/{self.epoch}"

    def _vectors(self, rows):
        return VECTORS[self.dimension][[int(row.text) for row in rows]].reshape(len(rows), -1)

    def _changed(self, change, before):
        # A server leaves out the numbers of changes that failed.
        assert change.id > self.version
        self.version = change.id
        self.history.append((change.id, change.kind, before))

    @rule(
        ids=st.lists(IDS, min_size=1, max_size=5, unique=True),
        shelf=SHELVES,
        system=SYSTEMS,
        text=TEXTS,
        remove=st.lists(IDS, max_size=3),
    )
    def put(self, ids, shelf, system, text, remove):
        rows = [
            make_row(each, shelf=shelf, system=system, text=str((text + n) % 12), trace=each[-1])
            for n, each in enumerate(ids)
        ]
        remove = [each for each in remove if each not in ids]
        change = self.store.apply(
            "learn", put=rows, vectors=self._vectors(rows), stamp=self._stamp(), remove=remove
        )
        assert change.put == tuple(ids)
        assert set(change.removed) == set(remove) & set(self.rows)
        self._changed(change, dict(self.rows))
        self.stamped = True
        for each in remove:
            self.rows.pop(each, None)
        self.rows |= {row.id: row for row in rows}

    @rule(
        ids=st.lists(IDS, min_size=1, max_size=4, unique=True),
        kind=st.sampled_from(["hit", "confirm"]),
        group=st.text(max_size=3),
    )
    def count(self, ids, kind, group):
        rows = [
            self.rows[each].model_copy(update={"group": group}) for each in ids if each in self.rows
        ]
        if len(rows) < len(ids):
            with pytest.raises(StoreError):
                self.store.apply(kind, put=[make_row(each) for each in ids])
            return
        self._changed(self.store.apply(kind, put=rows), dict(self.rows))
        self.rows |= {row.id: row for row in rows}

    @rule(ids=st.lists(IDS, max_size=6))
    def evict(self, ids):
        self._changed(self.store.apply("evict", remove=ids), dict(self.rows))
        for each in ids:
            self.rows.pop(each, None)

    @precondition(lambda self: self.history and all(kind != "hit" for _, kind, _ in self.history))
    @rule()
    def undo(self):
        number, _, before = self.history.pop()
        change = self.store.undo()
        assert change.undoes == number
        self.version = change.id
        self.rows = before

    @rule(dimension=st.sampled_from([4, 6]))
    def embed_anew(self, dimension):
        self.dimension, self.epoch, self.stamped = dimension, self.epoch + 1, True

        def embed(texts):
            numbers = [int(text or 0) for text in texts]
            return VECTORS[dimension][numbers].reshape(len(texts), dimension)

        self.store.restamp(self._stamp(), embed, state=b"state")

    @rule()
    def open_again(self):
        self.store.close()
        self.store = make_store(self.where)

    @rule(
        shelf=SHELVES,
        system=SYSTEMS,
        text=TEXTS,
        k=st.integers(1, 20),
        trace=st.sampled_from([None, "1", "7"]),
    )
    def search(self, shelf, system, text, k, trace):
        query = VECTORS[self.dimension][text]
        (found,) = (
            self.store.nearest(
                query.reshape(1, -1), k=k, shelf=shelf, system=system, exclude_trace=trace
            )
            if self.stamped
            else [[]]
        )
        fits = [
            row
            for row in self.rows.values()
            if row.shelf == shelf
            and system in (None, row.system)
            and (trace is None or row.trace != trace)
        ]
        true = {row.id: float(VECTORS[self.dimension][int(row.text)] @ query) for row in fits}
        assert len(found) == min(k, len(fits))
        for each in found:
            assert abs(each.similarity - true[each.id]) < 2e-3
        assert found == sorted(found, key=lambda each: (-each.similarity, each.id))
        if found and len(found) < len(fits):
            rest = [value for id, value in true.items() if id not in {each.id for each in found}]
            assert max(rest) <= found[-1].similarity + 2e-3

    @invariant()
    def same_rows(self):
        if not hasattr(self, "store"):
            return
        assert self.store.version() == self.version
        for shelf in ("schema", "ordinary", "remembered"):
            expected = sorted(
                (r for r in self.rows.values() if r.shelf == shelf), key=lambda r: r.id
            )
            assert list(self.store.rows(shelf)) == expected
            assert self.store.count(shelf) == len(expected)
        if self.rows:
            ids = sorted(self.rows)
            kept = self._vectors([self.rows[each] for each in ids])
            np.testing.assert_allclose(self.store.vectors(ids), kept, atol=1e-3)


def test_a_file_behaves_like_a_dictionary():
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=15, stateful_step_count=15, deadline=None)
    )


def test_a_file_with_an_index_beside_it_behaves_like_a_dictionary(monkeypatch):
    monkeypatch.setattr(index, "BULK_FROM", 4)
    monkeypatch.setattr(index, "TAIL_ROWS", 2)
    monkeypatch.setattr(bulk, "EXACT_ROWS", 2)
    monkeypatch.setattr(bulk, "PROBES", 100)
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=15, stateful_step_count=15, deadline=None)
    )


def test_a_server_behaves_like_a_dictionary(server):
    class Served(Machine):
        address = f"{server}#state"

    run_state_machine_as_test(
        Served, settings=settings(max_examples=8, stateful_step_count=15, deadline=None)
    )
