"""The index over a memory in a file: small and large, whole and damaged."""

from __future__ import annotations

import json
import os
import shutil
import stat

import numpy as np
import pytest

from tests.memory.conftest import STAMP, make_row, make_vectors
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.vectors import bulk_build, index
from traceloc.memory.vectors.bulk_file import index_path, read_head, vectors_path
from traceloc.memory.vectors.exact import MARGIN, find_candidates, normalize

DIMENSION = 32
ROWS, CLUSTERS = 1500, 40


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    """A thousand rows are many."""
    monkeypatch.setattr("traceloc.memory.vectors.index.BULK_FROM", 300)
    monkeypatch.setattr("traceloc.memory.vectors.index.TAIL_ROWS", 100)
    monkeypatch.setattr("traceloc.memory.vectors.bulk.EXACT_ROWS", 200)
    monkeypatch.setattr("traceloc.memory.vectors.bulk_build.ROWS_A_CLUSTER", 16)


def clustered(count, *, seed):
    """Unit vectors around a few centres, which are the same for each seed."""
    centres = np.random.default_rng(0).normal(size=(CLUSTERS, DIMENSION))
    source = np.random.default_rng(seed)
    vectors = centres[source.integers(0, CLUSTERS, count)]
    vectors = vectors + 0.7 * source.normal(size=vectors.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS = clustered(ROWS, seed=1)
QUERIES = clustered(30, seed=2)
NUMBERED = [
    make_row(
        f"r{n:04}",
        shelf="ordinary" if n % 3 == 0 else "schema",
        system="abbbbbbbbb"[n % 10],
        trace=f"t{n // 5}",
    )
    for n in range(ROWS)
]


def learn(store, begin, end):
    store.apply("learn", put=NUMBERED[begin:end], vectors=VECTORS[begin:end], stamp=STAMP)


def recall(store, rows, *, k=10, **where):
    """Share of the true neighbours that are found."""
    found = store.nearest(QUERIES, k=k, **where)
    fits = {"shelf": "schema"} | {key: value for key, value in where.items() if key == "system"}
    fits["shelf"] = where.get("shelf", "schema")
    left_out = where.get("exclude_trace")
    places = [
        n
        for n in rows
        if all(getattr(NUMBERED[n], key) == value for key, value in fits.items())
        and NUMBERED[n].trace != left_out
    ]
    best = np.argsort(-(QUERIES @ VECTORS[places].T), axis=1)[:, :k]
    hits = 0
    for true, near in zip(best, found, strict=True):
        assert [each.id for each in near] == [
            each.id for each in sorted(near, key=lambda each: (-each.similarity, each.id))
        ]
        assert len(near) == min(k, len(places))
        assert {each.id for each in near} <= {NUMBERED[n].id for n in places}
        hits += len({NUMBERED[places[n]].id for n in true} & {each.id for each in near})
    return hits / best.size


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "memory.db")


def test_a_small_memory_has_no_files_beside_it(store):
    learn(store, 0, 200)
    assert recall(store, range(200)) == 1.0
    assert [file.name for file in store.path.parent.iterdir()] == ["memory.db"]


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"shelf": "ordinary"},
        {"system": "a"},
        {"system": "b"},
        {"system": "b", "exclude_trace": "t7"},
        {"exclude_trace": "t7"},
    ],
    ids=str,
)
def test_a_large_memory_finds_what_an_exact_search_finds(store, where):
    learn(store, 0, ROWS)
    assert index_path(store.path).exists()
    for each in (store, SqliteStore(store.path)):
        assert recall(each, range(ROWS), **where) >= 0.95
    assert store.check() == []


def test_the_files_beside_a_memory_belong_to_their_owner(store):
    learn(store, 0, ROWS)
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_new_rows_join_without_new_clusters(store, monkeypatch):
    learn(store, 0, 1000)
    trained = read_head(store.path).trained
    learn(store, 1000, 1090)
    assert read_head(store.path).count == 1000, "few rows wait"
    assert recall(store, range(1090)) >= 0.95
    store.apply("evict", remove=[row.id for row in NUMBERED[:50]])
    monkeypatch.setattr(bulk_build, "_SAMPLE", "clusters must not be found again")
    learn(store, 1090, 1200)
    head = read_head(store.path)
    assert (head.count, head.last, head.trained) == (1200, 1200, trained)
    assert head.version == store.version()
    for each in (store, SqliteStore(store.path)):
        assert recall(each, range(50, 1200)) >= 0.95
    assert store.check() == []


def test_clusters_are_found_again_when_the_memory_is_another(store):
    learn(store, 0, 600)
    learn(store, 600, 1300)
    assert read_head(store.path).trained == 1300, "it has doubled"
    store.apply("evict", remove=[row.id for row in NUMBERED[:700]])
    learn(store, 1300, 1500)
    assert read_head(store.path).trained == 800, "half of it was dead"
    assert recall(store, range(700, 1500)) >= 0.95


def test_a_process_sees_what_another_built(store):
    learn(store, 0, 400)
    other = SqliteStore(store.path)
    assert recall(other, range(400)) >= 0.95
    learn(store, 400, 1500)
    store.apply("evict", remove=[row.id for row in NUMBERED[100:200]])
    rows = [*range(100), *range(200, 1500)]
    assert recall(other, rows) >= 0.95
    store.undo()
    assert recall(other, range(1500)) >= 0.95


def cut(path):
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


def scribble(path):
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(size // 2)
        stream.write(os.urandom(min(8192, size // 2)))


def lie(path):
    """Say that there are more rows, in a file of the right length."""
    content = bytearray(path.read_bytes())
    begin = content.index(b"{")
    head = json.loads(content[begin:4096].rstrip(b" "))
    text = json.dumps(head | {"count": head["count"] * 10**6}).encode()
    content[begin:4096] = text.ljust(4096 - begin)
    path.write_bytes(content)


@pytest.mark.parametrize("which", [index_path, vectors_path])
@pytest.mark.parametrize(
    "harm",
    [
        cut,
        scribble,
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00" * path.stat().st_size),
        lambda path: path.write_bytes(b"traceloc vectors\n{" + b" " * 5000),
    ],
    ids=["cut", "scribbled", "missing", "empty", "zeros", "no head"],
)
def test_a_damaged_index_is_made_again_from_the_rows(store, which, harm):
    learn(store, 0, ROWS)
    harm(which(store.path))
    again = SqliteStore(store.path)
    assert recall(again, range(ROWS)) >= 0.95
    assert read_head(store.path).count == ROWS
    assert again.check() == []


def test_a_head_that_lies_is_not_believed(store):
    learn(store, 0, ROWS)
    lie(vectors_path(store.path))
    assert recall(SqliteStore(store.path), range(ROWS)) >= 0.95


def test_an_index_of_another_past_is_not_used(store, tmp_path):
    learn(store, 0, 400)
    copy = tmp_path / "copy.db"
    shutil.copy(store.path, copy)
    learn(store, 400, 800)
    shutil.copy(copy, store.path)
    other = SqliteStore(store.path)
    assert recall(other, range(400)) >= 0.95, "the index knows changes that never were"
    learn(other, 900, 1400)
    assert recall(other, [*range(400), *range(900, 1400)]) >= 0.95
    assert other.check() == []


def test_an_open_memory_follows_a_copy_put_back_in_its_place(store, tmp_path):
    learn(store, 0, 50)
    copy = tmp_path / "copy.db"
    shutil.copy(store.path, copy)
    learn(store, 50, 100)
    assert recall(store, range(100)) == 1.0
    shutil.copy(copy, store.path)
    assert recall(store, range(50)) == 1.0


def test_another_embedder_makes_another_index(store):
    learn(store, 0, 500)
    store.restamp("other/1", lambda texts: make_vectors(len(texts), dimension=8))
    assert read_head(store.path).dimension == 8
    assert len(store.nearest(make_vectors(3, dimension=8), k=4)[2]) == 4
    assert store.check() == []


def test_check_finds_an_index_that_holds_other_vectors(store, monkeypatch):
    # A large file is not read whole when it is opened: as if this were between the samples.
    monkeypatch.setattr("traceloc.memory.vectors.bulk_file._sample", lambda *_: "unchanged")
    learn(store, 0, ROWS)
    assert store.check() == []
    mapped = np.memmap(vectors_path(store.path), "<f2", "r+")
    mapped[-DIMENSION * 3 : -DIMENSION * 2] = 0.5
    mapped.flush()
    (fault,) = SqliteStore(store.path).check()
    assert fault.startswith("1 vectors in")
    index_path(store.path).unlink()
    assert store.check() == []


def test_many_equals_come_by_id_from_a_large_memory_too(store):
    learn(store, 0, 1000)
    same = np.repeat(clustered(1, seed=9), 150, axis=0)
    ids = [f"x{n * 37 % 150:03}" for n in range(150)]
    store.apply("learn", put=[make_row(each) for each in ids], vectors=same, stamp=STAMP)
    assert read_head(store.path).count == 1150
    (found,) = store.nearest(same[:1], k=12)
    assert [each.id for each in found] == [f"x{n:03}" for n in range(12)]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_index_that_cannot_be_written_is_kept_in_memory(store, monkeypatch):
    learn(store, 0, 250)
    monkeypatch.setattr(index, "BULK_FROM", 100)
    store.path.parent.chmod(0o500)
    try:
        other = SqliteStore(store.path)
        assert recall(other, range(250)) == 1.0
        assert recall(other, range(250)) == 1.0
    finally:
        store.path.parent.chmod(0o700)


def test_no_space_for_an_index(store, monkeypatch):
    learn(store, 0, 250)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index, "BULK_FROM", 100)
    monkeypatch.setattr("traceloc.memory.vectors.index.build_bulk", full)
    assert recall(store, range(250)) == 1.0
    learn(store, 250, 290)
    assert recall(store, range(290)) == 1.0


@pytest.mark.parametrize("count", [1, 9, 10, 11, 200])
def test_candidates_hold_the_best_and_all_equals_of_the_last(count):
    matrix = normalize(make_vectors(count, dimension=8))
    matrix[count // 2 :] = matrix[-1]
    queries = normalize(make_vectors(5, seed=3, dimension=8))
    for query, near in zip(queries, find_candidates(queries, matrix, 10), strict=True):
        scores = matrix @ query
        last = np.sort(scores)[::-1][: min(10, count)][-1]
        assert set(np.flatnonzero(scores > last + MARGIN)) <= set(near.tolist())
        assert set(np.flatnonzero(np.abs(scores - last) < MARGIN / 4)) <= set(near.tolist())


def test_a_trace_is_left_out_where_every_row_is_of_the_part(tmp_path):
    rows = [make_row(f"r{n:04}", shelf="schema", trace=str(n % 2)) for n in range(400)]
    store = SqliteStore(tmp_path / "memory.db")
    store.apply("learn", put=rows, vectors=VECTORS[:400], stamp=STAMP)
    (found,) = store.nearest(VECTORS[:1], k=10, exclude_trace="0")
    assert len(found) == 10 and all(int(each.id[1:]) % 2 for each in found)
