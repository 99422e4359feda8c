"""Rows and vectors of every backend: what holds for a file holds for a server."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.memory.conftest import DIMENSION, STAMP, fails, learn, make_row, make_vectors
from traceloc.memory.schema import ErrorSchema, Signature

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def near(store, query, **options):
    (found,) = store.nearest(np.asarray(query).reshape(1, -1), **({"k": 3} | options))
    return [each.id for each in found]


def test_nothing_is_there_before_something_is_learned(store):
    assert store.version() == 0 == store.count("schema") == store.cursor()
    assert store.log() == [] == store.get(["a"]) == list(store.rows("schema")) == store.check()
    assert store.nearest(make_vectors(2), k=3) == [[], []]
    assert (store.stamp(), store.state()) == (None, b"")
    fails("TL526", store.undo)
    fails("TL531", store.vectors, ["a"])


def test_what_is_written_is_read_back(store, address, open_store):
    schema = ErrorSchema(
        id="b",
        system="bot",
        signature=Signature(text="hall\u00e5 \U0001f600 \x00"),
        origin="confirmed",
        created=AT,
    )
    rows = [make_row("b", schema_=schema, group="q1"), make_row("a", system=None, trace="t\x00t")]
    vectors = make_vectors(2)
    change = store.apply(
        "learn", put=rows, vectors=vectors, stamp=STAMP, note="two", who="ann", at=AT
    )
    again = open_store(address)
    assert again.get(["a", "missing", "b", "a"]) == [rows[1], rows[0], rows[1]]
    assert list(again.rows("schema")) == [rows[1], rows[0]]
    assert list(again.rows("schema", system="bot")) == [rows[0]]
    assert (again.count("schema"), again.count("schema", system="bot")) == (2, 1)
    assert again.count("ordinary") == 0
    np.testing.assert_allclose(again.vectors(["b", "a"]), vectors, atol=1e-3)
    assert again.log() == [change]
    assert (change.id, change.at, change.who, change.note) == (1, AT, "ann", "two")
    assert (change.put, change.removed, again.version()) == (("b", "a"), (), 1)
    assert again.stamp() == STAMP
    assert again.check() == []


def test_names_sort_by_their_bytes(store):
    learn(store, "b", "B", "a", "\u00e4", "Z")
    assert [row.id for row in store.rows("schema")] == ["B", "Z", "a", "b", "\u00e4"]


def test_more_rows_than_fit_one_batch(store):
    ids = [f"r{number:04}" for number in range(1203)]
    learn(store, *ids)
    assert [row.id for row in store.rows("schema")] == ids
    assert len(store.get(ids)) == 1203
    assert store.vectors(ids).shape == (1203, DIMENSION)
    assert store.apply("evict", remove=ids[1:]).removed == tuple(ids[1:])
    assert store.undo().put == tuple(ids[1:])
    assert store.count("schema") == 1203
    assert store.check() == []


def test_neighbours_come_by_similarity_and_equals_by_id(store):
    learn(store, "far")
    same = np.repeat(make_vectors(1, seed=5), 4, axis=0)
    ids = ["d", "a", "c", "b"]
    store.apply("learn", put=[make_row(each) for each in ids], vectors=same, stamp=STAMP)
    (found,) = store.nearest(same[:1], k=3)
    assert [each.id for each in found] == ["a", "b", "c"]
    assert [each.similarity for each in found] == [1.0, 1.0, 1.0]
    (found,) = store.nearest(same[:1], k=50)
    assert [each.id for each in found] == ["a", "b", "c", "d", "far"], "and no padding"
    assert store.nearest(same[:1], k=0) == [[]]


def test_similarity_is_the_cosine(store):
    vectors = make_vectors(40)
    store.apply(
        "learn", put=[make_row(f"r{i:02}") for i in range(40)], vectors=vectors, stamp=STAMP
    )
    queries = make_vectors(7, seed=1)
    for query, found in zip(queries, store.nearest(queries, k=5), strict=True):
        cosines = vectors @ query
        best = np.argsort(-cosines)[:5]
        assert [each.id for each in found] == [f"r{i:02}" for i in best]
        np.testing.assert_allclose([each.similarity for each in found], cosines[best], atol=1e-3)


def test_a_search_keeps_to_shelf_system_and_other_traces(store):
    vector = make_vectors(1)
    for id, fields in {
        "a": {"trace": "t1"},
        "b": {"system": "other", "trace": "t1"},
        "c": {"system": None},
        "d": {"shelf": "ordinary"},
        "e": {"trace": "t2"},
    }.items():
        store.apply("learn", put=[make_row(id, **fields)], vectors=vector, stamp=STAMP)
    assert near(store, vector, k=9) == ["a", "b", "c", "e"]
    assert near(store, vector, shelf="ordinary") == ["d"]
    assert near(store, vector, shelf="remembered") == []
    assert near(store, vector, system="bot") == ["a", "e"]
    assert near(store, vector, system="unknown") == []
    assert near(store, vector, exclude_trace="t1") == ["c", "e"]
    assert near(store, vector, system="bot", exclude_trace="t1", k=1) == ["e"]


def test_what_has_no_content_is_like_nothing(store):
    vectors = make_vectors(2)
    vectors[0] = 0
    store.apply("learn", put=[make_row("a"), make_row("b")], vectors=vectors, stamp=STAMP)
    assert near(store, vectors[1]) == ["b"]
    assert near(store, vectors[0]) == []
    assert store.check() == []
    assert store.vectors(["a"]).any() == np.False_


def test_a_search_sees_every_change(store, address, open_store):
    learn(store, "a", "b")
    other = open_store(address)
    query = make_vectors(3, seed=9)[2]
    assert near(store, query) == near(other, query)
    other.apply("learn", put=[make_row("c")], vectors=query.reshape(1, -1), stamp=STAMP)
    assert near(store, query, k=1) == ["c"]
    other.apply("evict", remove=["c"])
    assert "c" not in near(store, query)
    other.undo()
    assert near(store, query, k=1) == ["c"]
    moved = make_row("c", system="other")
    other.apply("merge", put=[moved])
    assert near(store, query, system="other") == ["c"]
    assert "c" not in near(store, query, system="bot")


def test_counts_and_prose_change_without_a_vector(store):
    learn(store, "a")
    before = store.vectors(["a"])
    change = store.apply("hit", put=[make_row("a", group="seen")])
    assert change.put == ("a",)
    assert store.get(["a"])[0].group == "seen"
    np.testing.assert_array_equal(store.vectors(["a"]), before)
    fails("TL531", store.apply, "merge", put=[make_row("a", text="another")])
    fails("TL531", store.apply, "learn", put=[make_row("new")])
    assert store.version() == change.id, "what failed was never there"
    assert store.check() == []


def test_a_row_that_is_replaced_is_there_once(store):
    learn(store, "a", "b")
    vector = make_vectors(1, seed=3)
    store.apply("merge", put=[make_row("a", text="new")], vectors=vector, stamp=STAMP)
    assert near(store, vector, k=9)[0] == "a"
    assert sorted(near(store, vector, k=9)) == ["a", "b"]
    assert [row.text for row in store.rows("schema")] == ["new", "text of b"]


def test_removing_what_is_not_there(store):
    learn(store, "a")
    assert store.apply("evict", remove=["x", "a", "a"]).removed == ("a",)
    assert store.apply("evict", remove=["x"]).removed == ()


def test_spaces_are_never_mixed(store, address, open_store):
    learn(store, "a")
    vectors = make_vectors(1)
    other = open_store(address)
    for wrong in ({"stamp": "other/1"}, {"stamp": STAMP, "dimension": 8}):
        dimension = wrong.pop("dimension", DIMENSION)
        given = make_vectors(1, dimension=dimension)
        error = fails("TL525", other.apply, "learn", put=[make_row("b")], vectors=given, **wrong)
        assert STAMP in str(error)
        fails("TL525", other.nearest, given, k=1, **wrong)
    assert other.nearest(vectors, k=1, stamp=STAMP) != [[]]
    with pytest.raises(ValueError, match="stamp"):
        store.apply("learn", put=[make_row("b")], vectors=vectors)
    assert store.count("schema") == 1


@pytest.mark.parametrize(
    "vectors",
    [np.full((1, 4), np.nan), np.full((1, 4), 1e9), np.ones((2, 4)), np.ones(4)],
    ids=["nan", "huge", "two", "flat"],
)
def test_vectors_that_are_none(store, vectors):
    with pytest.raises(ValueError, match="vector"):
        store.apply("learn", put=[make_row("a")], vectors=vectors, stamp=STAMP)
    with pytest.raises(ValueError, match="twice"):
        store.apply("learn", put=[make_row("a")] * 2, vectors=np.ones((2, 1)), stamp=STAMP)
    assert store.version() == 0


def embed(texts):
    """Another space, of another dimension."""
    rows = [np.random.default_rng(list(text.encode())).normal(size=8) for text in texts]
    vectors = np.array(rows, np.float32).reshape(len(texts), 8)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_another_embedder_replaces_every_vector(store, address, open_store):
    learn(store, "a", "b", trace="t")
    learn(store, "c", shelf="ordinary")
    store.apply("evict", remove=["a"])
    near(store, make_vectors(1))
    told = []
    version = store.version()
    store.restamp("other/1", embed, state=b"\x00weights", on_progress=lambda *n: told.append(n))
    assert told[-1] == (3, 3)
    for each in (store, open_store(address)):
        assert (each.stamp(), each.state(), each.version()) == ("other/1", b"\x00weights", version)
        assert near(each, embed(["text of b"]), k=9) == ["b"]
        assert near(each, embed(["text of c"]), shelf="ordinary") == ["c"]
        np.testing.assert_allclose(each.vectors(["b"]), embed(["text of b"]), atol=1e-3)
        fails("TL525", learn, each, "d")
    store.undo()
    assert near(store, embed(["text of a"]), k=1) == ["a"], "before-images are embedded too"
    assert store.check() == []


def test_an_empty_memory_is_stamped(store):
    store.restamp("other/1", embed)
    assert store.stamp() == "other/1"
    assert store.nearest(embed(["x"]), k=1) == [[]]
    fails("TL525", learn, store, "a")
    store.apply("learn", put=[make_row("a")], vectors=embed(["x"]), stamp="other/1")
    assert store.check() == []


def test_an_embedder_that_fails_changes_nothing(store):
    learn(store, "a")
    before = store.vectors(["a"])
    with pytest.raises(RuntimeError, match="no model"):
        store.restamp("other/1", lambda texts: (_ for _ in ()).throw(RuntimeError("no model")))
    with pytest.raises(ValueError, match="shape"):
        store.restamp("other/1", lambda texts: np.zeros((5, 8), np.float32))
    assert store.stamp() == STAMP
    np.testing.assert_array_equal(store.vectors(["a"]), before)
