"""What only a file can have: owners, foreign contents, damage, a full disk."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.memory.conftest import STAMP, learn, make_schema_row, make_vectors
from traceloc.errors import StoreError
from traceloc.labels.events import Subject
from traceloc.labels.store import LabelStore
from traceloc.memory.sqlite_store import SqliteStore


@pytest.fixture
def store(tmp_path):
    return SqliteStore(tmp_path / "home" / "memory.db")


def uses(store):
    """Everything that can be done with a memory."""
    return [
        lambda: learn(store, "new"),
        store.undo,
        store.log,
        store.version,
        store.stamp,
        store.state,
        store.cursor,
        lambda: store.get(["a"]),
        lambda: list(store.rows("schema")),
        lambda: store.count("schema"),
        lambda: store.vectors(["a"]),
        lambda: store.nearest(make_vectors(1), k=1),
        lambda: store.restamp("other/1", lambda texts: make_vectors(len(texts))),
    ]


def execute(path, *statements):
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(*statement if isinstance(statement, tuple) else (statement,))
    db.commit()
    db.close()


def test_nothing_is_created_by_looking(store):
    assert store.nearest(make_vectors(1), k=1) == [[]]
    assert store.check() == []
    assert not store.path.parent.exists()


def test_only_the_owner_may_read(store):
    learn(store, "a")
    assert [file.name for file in store.path.parent.iterdir()] == ["memory.db"]
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    keeper = sqlite3.connect(store.path)
    keeper.execute("SELECT COUNT(*) FROM rows").fetchone()
    learn(store, "b")
    journals = [file for file in store.path.parent.iterdir() if file != store.path]
    assert journals, "a reader keeps the journal open"
    assert {stat.S_IMODE(file.stat().st_mode) for file in journals} == {0o600}
    keeper.close()


def foreign_database(path):
    execute(path, "CREATE TABLE rows (mine TEXT)")


def label_store(path):
    where = {"locator": "run.json#1", "native_index": 1, "step": 1, "agent": "Writer"}
    names = {"system": "bot", "trace_id": "t", "content_hash": "h", "group": "g"}
    LabelStore(path).add("label", Subject(**names, **where))


@pytest.mark.parametrize(
    "make",
    [
        foreign_database,
        lambda path: path.write_text("my diary, which nobody may touch " * 9),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"SQLite format 3\x00" + bytes(10)),
        label_store,
    ],
    ids=["database", "text", "empty", "short", "label store"],
)
def test_a_file_that_is_no_memory_is_left_alone(tmp_path, make):
    path = tmp_path / "memory.db"
    make(path)
    before = path.read_bytes()
    store = SqliteStore(path)
    for use in uses(store):
        with pytest.raises(StoreError, match="is not a failure memory") as caught:
            use()
        assert caught.value.code == "TL520"
        assert str(path) in str(caught.value)
    assert store.check() == [f"{path}: is not a failure memory"]
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["memory.db"]


def test_a_newer_memory_is_left_alone(store):
    learn(store, "a")
    data = bytearray(store.path.read_bytes())
    data[60:64] = (99).to_bytes(4, "big")
    store.path.write_bytes(data)
    for use in uses(store):
        with pytest.raises(StoreError, match="schema version 99; this traceloc knows 1") as caught:
            use()
        assert caught.value.code == "TL522"
    assert store.path.read_bytes() == bytes(data)


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.6, 0.9])
def test_a_file_that_was_cut_says_so_and_is_left_alone(store, keep):
    for number in range(40):
        learn(store, *(f"r{number}-{more}" for more in range(10)), seed=number)
    data = store.path.read_bytes()
    damaged = data[: int(len(data) * keep)]
    store.path.write_bytes(damaged)
    codes = set()
    for use in uses(SqliteStore(store.path)):
        try:
            use()
        except StoreError as error:
            codes.add(error.code)
    assert codes == {"TL521"}
    assert SqliteStore(store.path).check() != []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (("UPDATE rows SET body = ? WHERE id = 'a'", (b"junk",)), "cannot be decompressed"),
        (("UPDATE rows SET body = ?", (zlib.compress(b"{}"),)), "no valid id"),
        (("UPDATE rows SET body = ?", (zlib.compress(bytes(2**24)),)), "too large"),
        (("UPDATE rows SET body = substr(body, 1, 20)",), "breaks off"),
        (("UPDATE rows SET vector = ?", (b"ab",)), "2 bytes, expected 32"),
        (("UPDATE rows SET vector = ?", (b"\x00\x7e" * 16,)), "length nan"),
        (("UPDATE rows SET vector = ?", (b"\x00\x44" * 16,)), "length 16.000"),
        (("UPDATE rows SET shelf = 2",), "another than it is"),
        (("UPDATE rows SET id = 'b'",), "another than it is"),
        (("DELETE FROM meta",), "no embedder is named"),
        (("UPDATE meta SET value = ? WHERE key = 'epoch'", (b"x",)), "cannot be read"),
        (("INSERT INTO images (change, id, removed) VALUES (77, 'x', 0)",), "refers to none"),
        (("DROP TABLE images",), "'images' is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_check_finds_what_a_memory_cannot_hold(store, statement, fault):
    learn(store, "a")
    assert store.check() == []
    execute(store.path, "PRAGMA foreign_keys = OFF", statement)
    again = SqliteStore(store.path)
    assert fault in " ".join(again.check())
    for use in uses(again):
        try:
            use()
        except StoreError:
            continue  # never anything else


def test_a_row_that_cannot_be_read_names_the_file(store):
    learn(store, "a")
    execute(store.path, ("UPDATE rows SET body = ?", (b"junk",)))
    with pytest.raises(StoreError, match="is damaged: a row") as caught:
        store.get(["a"])
    assert caught.value.code == "TL521"
    assert str(store.path) in str(caught.value)


def test_a_folder_in_place_of_the_file(tmp_path):
    for use in uses(SqliteStore(tmp_path)):
        with pytest.raises(StoreError) as caught:
            use()
        assert caught.value.code == "TL523"


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        learn(SqliteStore(tmp_path / "file" / "memory.db"), "a")
    assert caught.value.code == "TL523"


def test_a_memory_kept_busy(store):
    learn(store, "a")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    patient = SqliteStore(store.path, busy_seconds=0.05)
    assert patient.count("schema") == 1, "readers need not wait"
    assert len(patient.nearest(make_vectors(1), k=1)[0]) == 1
    with pytest.raises(StoreError, match=r"other writers kept it for 0\.05 s") as caught:
        learn(patient, "b")
    assert caught.value.code == "TL524"
    other.execute("ROLLBACK")
    other.close()
    learn(patient, "b")
    assert store.count("schema") == 2


def test_a_full_disk_loses_nothing(store):
    learn(store, *(f"r{n}" for n in range(50)))
    script = Path(__file__).with_name("filling.py")
    command = [sys.executable, str(script), str(store.path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("TL523 ")
    assert "cannot be written" in done.stdout
    assert store.count("schema") == 50
    assert store.check() == []
    learn(store, "after")
    assert store.count("schema") == 51


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written(store):
    learn(store, "a")
    store.path.chmod(0o400)
    with pytest.raises(StoreError) as caught:
        learn(store, "b")
    assert caught.value.code == "TL523"
    store.path.parent.chmod(0o500)
    try:
        again = SqliteStore(store.path)
        assert again.count("schema") == 1
        assert len(again.nearest(make_vectors(1), k=1)[0]) == 1
        with pytest.raises(StoreError) as caught:
            learn(again, "b")
        assert caught.value.code == "TL523"
    finally:
        store.path.parent.chmod(0o700)


def test_a_schema_takes_less_than_two_kibibytes_beyond_its_vector(tmp_path, monkeypatch):
    monkeypatch.setattr("traceloc.memory.vectors.index.BULK_FROM", 1000)
    store = SqliteStore(tmp_path / "memory.db")
    rows = [make_schema_row(number) for number in range(2000)]
    vectors = make_vectors(2000, dimension=384)
    store.apply("learn", put=rows, vectors=vectors, stamp=STAMP)
    total = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert {"memory.db-faiss", "memory.db-vectors"} <= {file.name for file in tmp_path.iterdir()}
    beyond = total / len(rows) - vectors[0].nbytes
    assert beyond <= 2048, f"{beyond:.0f} bytes"
