"""What only a server can have: no connection, secrets in its address, other people's schemas."""

from __future__ import annotations

import socket
import sys

import numpy as np
import pytest

from tests.memory.conftest import STAMP, learn, make_row, make_vectors
from traceloc.errors import StoreError
from traceloc.memory.home import find_memory
from traceloc_plugins.postgres.backend import PostgresStore
from traceloc_plugins.postgres.connecting import read_address

psycopg = pytest.importorskip(
    "psycopg", reason="psycopg is not installed: pip install psycopg[binary]"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def everything(error):
    """All that a traceback would print."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), str(getattr(error, "hint", ""))]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(texts)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:s3cr%2Ft@127.0.0.1:{port}/team",
        "postgres://ann:s3cr%2Ft@127.0.0.1:{port}/team?connect_timeout=2",
        "postgresql://127.0.0.1:{port}/team?user=ann&password=s3cr%2Ft",
        "postgresql://ann:s3cr%2Ft@127.0.0.1:{port}/team?nonsense=1",
        "postgresql://ann:s3cr%2Ft@127.0.0.1:99999999/team",
        "postgresql://ann:s3cr%2Ft@[::1/team",
    ],
)
def test_a_password_is_never_printed(address):
    with pytest.raises(StoreError) as caught:
        PostgresStore(address.format(port=free_port())).count("schema")
    assert caught.value.code == "TL529"
    assert "s3cr" not in everything(caught.value)


def test_a_refused_password_is_not_printed(server):
    with psycopg.connect(server, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS ann")
        db.execute("CREATE ROLE ann NOLOGIN PASSWORD 's3cret'")
    parts = read_address(server)
    folder = parts.target.partition("host=")[2]
    with pytest.raises(StoreError) as caught:
        PostgresStore(f"postgresql://ann:s3cret@/postgres?host={folder}").version()
    assert caught.value.code == "TL529"
    assert "not permitted to log in" in str(caught.value)
    assert "s3cret" not in everything(caught.value)


def test_an_address_shows_where_but_not_who():
    shown = read_address("postgresql://ann:secret@db.example:5433/team?sslmode=require#web").shown
    assert shown == "postgresql://db.example:5433/team#web"


@pytest.mark.parametrize("name", ["a b", 'x"; DROP TABLE y; --', "A", "x" * 41])
def test_names_of_memories_are_plain(name):
    with pytest.raises(StoreError, match="cannot be called") as caught:
        PostgresStore(f"postgresql:///team#{name}")
    assert caught.value.code == "TL529"


def test_memories_of_one_database_are_apart(server):
    first, second = PostgresStore(f"{server}#apart_1"), PostgresStore(f"{server}#apart_2")
    learn(first, "a")
    assert (first.count("schema"), second.count("schema")) == (1, 0)
    learn(second, "b", "c")
    assert [row.id for row in first.rows("schema")] == ["a"]
    assert first.nearest(make_vectors(1), k=5)[0][0].id == "a"
    assert len(first.nearest(make_vectors(1), k=5)[0]) == 1
    first.close()
    second.close()


def test_nothing_is_created_by_looking(server):
    store = PostgresStore(f"{server}#looked_at")
    assert store.nearest(make_vectors(1), k=1) == [[]]
    assert store.check() == []
    store.close()
    with psycopg.connect(server) as db:
        query = "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'traceloc_looked_at'"
        assert db.execute(query).fetchone() == (0,)


def test_a_schema_of_somebody_else_is_left_alone(server):
    with psycopg.connect(server, autocommit=True) as db:
        db.execute("CREATE SCHEMA traceloc_theirs")
        db.execute("CREATE TABLE traceloc_theirs.rows (mine TEXT)")
    store = PostgresStore(f"{server}#theirs")
    for use in (store.version, lambda: learn(store, "a"), store.undo):
        with pytest.raises(StoreError, match="not a failure memory") as caught:
            use()
        assert caught.value.code == "TL520"
    store.close()


def test_a_newer_memory_is_left_alone(server):
    store = PostgresStore(f"{server}#newer")
    learn(store, "a")
    with psycopg.connect(server, autocommit=True) as db:
        db.execute("UPDATE traceloc_newer.meta SET value = '99' WHERE key = 'version'")
    with pytest.raises(StoreError, match="version 99") as caught:
        learn(store, "b")
    assert caught.value.code == "TL522"
    store.close()


def test_a_row_that_was_tampered_with(server):
    store = PostgresStore(f"{server}#tampered")
    learn(store, "a")
    with psycopg.connect(server, autocommit=True) as db:
        db.execute("UPDATE traceloc_tampered.rows SET body = 'junk'")
        db.execute("DELETE FROM traceloc_tampered.neighbours")
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.get(["a"])
    assert caught.value.code == "TL521"
    found = " ".join(store.check())
    assert "cannot be decompressed" in found
    assert "1 rows are not among the vectors" in found
    store.close()


def test_a_memory_kept_busy(server):
    store = PostgresStore(f"{server}#busy", busy_seconds=0.2)
    learn(store, "a")
    with psycopg.connect(server) as other:
        other.execute("LOCK TABLE traceloc_busy.changes IN EXCLUSIVE MODE")
        assert store.count("schema") == 1, "readers need not wait"
        with pytest.raises(StoreError, match=r"other writers kept it for 0\.2 s") as caught:
            learn(store, "b")
        assert caught.value.code == "TL524"
    learn(store, "b")
    store.close()


def test_a_connection_that_died_is_replaced(server):
    store = PostgresStore(f"{server}#died")
    learn(store, "a")
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != "
            "pg_backend_pid() AND application_name = 'traceloc'"
        )
    assert store.count("schema") == 1
    store.close()


@pytest.mark.parametrize("where", [{}, {"system": "a"}, {"exclude_trace": "t1"}], ids=str)
def test_a_large_memory_is_searched_through_an_index(server, where):
    store = PostgresStore(f"{server}#large", exact_rows=150)
    vectors = make_vectors(800, dimension=24)
    if not store.count("schema"):
        rows = [make_row(f"r{n:03}", system="abbb"[n % 4], trace=f"t{n // 9}") for n in range(800)]
        store.apply("learn", put=rows[:500], vectors=vectors[:500], stamp=STAMP)
        store.apply("learn", put=rows[500:], vectors=vectors[500:], stamp=STAMP)
    fits = [
        n
        for n in range(800)
        if where.get("system") in (None, "abbb"[n % 4])
        and where.get("exclude_trace") != f"t{n // 9}"
    ]
    queries = make_vectors(20, seed=4, dimension=24)
    best = np.argsort(-(queries @ vectors[fits].T), axis=1)[:, :10]
    hits = 0
    for true, near in zip(best, store.nearest(queries, k=10, **where), strict=True):
        assert len(near) == 10
        hits += len({f"r{fits[n]:03}" for n in true} & {each.id for each in near})
    assert hits / 200 >= 0.95
    with psycopg.connect(server) as db:
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'traceloc_large'"
        assert any("hnsw" in row[0] for row in db.execute(query))
    store.close()


def test_another_dimension_in_a_large_memory(server):
    store = PostgresStore(f"{server}#reshaped", exact_rows=50)
    rows = [make_row(f"r{n:03}") for n in range(120)]
    store.apply("learn", put=rows, vectors=make_vectors(120, dimension=24), stamp=STAMP)
    store.restamp("other/1", lambda texts: make_vectors(len(texts), dimension=6))
    assert len(store.nearest(make_vectors(1, dimension=6), k=7)[0]) == 7
    assert store.check() == []
    store.close()


def test_the_address_chooses_the_backend(server, monkeypatch):
    monkeypatch.setenv("TRACELOC_MEMORY", f"{server}#chosen")
    store = find_memory()
    assert isinstance(store, PostgresStore)
    learn(store, "a")
    assert find_memory(f"{server}#chosen").count("schema") == 1
    store.close()


def test_without_its_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="a package that is missing") as caught:
        PostgresStore("postgresql://localhost/x").version()
    assert caught.value.code == "TL532"
    assert "traceloc[postgres]" in caught.value.hint
