"""Changes of every backend: undone, counted, refused, and made by many at once."""

from __future__ import annotations

import threading

from tests.memory.conftest import STAMP, fails, learn, make_row, make_vectors
from traceloc.errors import StoreError
from traceloc.memory.ledger import UNDO_DEPTH


def test_undo_takes_back_one_change_after_the_other(store):
    learn(store, "a")
    learn(store, "b", seed=1)
    old = store.get(["a"])
    store.apply("merge", put=[make_row("a", text="new")], vectors=make_vectors(1), stamp=STAMP)
    store.apply("evict", remove=["b"])
    assert store.undo(who="ann").undoes == 4
    assert store.get(["b"])[0].id == "b"
    assert store.undo().undoes == 3
    assert store.get(["a"]) == old
    assert store.undo().undoes == 2
    assert store.undo().undoes == 1
    assert store.count("schema") == 0
    fails("TL526", store.undo)
    log = store.log()
    assert [(each.kind, each.undoes, each.undone) for each in log] == [
        ("learn", None, True),
        ("learn", None, True),
        ("merge", None, True),
        ("evict", None, True),
        ("undo", 4, False),
        ("undo", 3, False),
        ("undo", 2, False),
        ("undo", 1, False),
    ]
    assert log[4].who == "ann"
    assert [each.id for each in store.log(after=5, limit=2)] == [6, 7]
    assert store.check() == []


def test_undo_of_a_change_on_which_others_rest(store):
    learn(store, "a")
    learn(store, "b")
    store.apply("merge", put=[make_row("a", group="x")])
    error = fails("TL527", store.undo, 1)
    assert "(3)" in str(error)
    assert store.undo(2).removed == ("b",)
    store.undo(3)
    assert store.undo(1).removed == ("a",), "what rested on it was undone"
    fails("TL526", store.undo, 1)
    fails("TL526", store.undo, 99)
    fails("TL526", store.undo, 4)


def test_hits_are_passed_over_and_keep_nothing_from_being_undone(store):
    learn(store, "a")
    store.apply("hit", put=[make_row("a", group="hit")])
    assert store.undo().undoes == 1
    assert store.count("schema") == 0
    fails("TL527", store.undo, 2)


def test_old_changes_keep_their_line_in_the_log_and_no_more(store, monkeypatch):
    monkeypatch.setattr("traceloc.memory.ledger.UNDO_DEPTH", 3)
    assert UNDO_DEPTH >= 100
    for number in range(5):
        learn(store, f"r{number}")
    fails("TL528", store.undo, 1)
    fails("TL528", store.undo, 2)
    assert store.log()[0].put == ("r0",)
    assert store.undo(3).removed == ("r2",)


def test_what_rests_on_an_older_version_is_refused(store, address, open_store):
    change = store.apply(
        "learn", put=[make_row("a")], vectors=make_vectors(1), stamp=STAMP, after=0
    )
    seen = store.version()
    open_store(address).apply("hit", put=[make_row("a", group="theirs")])
    error = fails("TL534", store.apply, "hit", put=[make_row("a", group="mine")], after=seen)
    assert "not 1" in str(error)
    assert store.get(["a"])[0].group == "theirs"
    store.apply("hit", put=[make_row("a", group="mine")], after=store.version())
    assert store.get(["a"])[0].group == "mine"
    assert change.id == 1


def test_no_count_is_lost_between_reading_and_writing(address, open_store):
    store = open_store(address)
    learn(store, "a")
    errors = []

    def count():
        try:
            for _ in range(5):
                while True:
                    version = store.version()
                    (row,) = store.get(["a"])
                    more = make_row("a", group=str(int(row.group or 0) + 1))
                    try:
                        store.apply("hit", put=[more], after=version)
                        break
                    except StoreError as error:
                        assert error.code == "TL534"
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.get(["a"])[0].group == "20"


def test_a_cursor_moves_with_the_change_that_took_the_labels_in(store):
    store.apply("learn", put=[], cursor=7)
    store.apply("learn", put=[], cursor=3, source="ann")
    assert (store.cursor(), store.cursor("ann"), store.cursor("bob")) == (7, 3, 0)
    fails("TL531", store.apply, "learn", put=[make_row("new")], cursor=99)
    assert store.cursor() == 7
    store.undo()
    assert store.cursor("ann") == 3


def test_threads_write_at_once_and_lose_nothing(address, open_store):
    store = open_store(address)
    errors = []

    def write(name):
        try:
            for number in range(5):
                learn(store, f"{name}{number}", seed=number)
                store.nearest(make_vectors(1), k=2)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.count("schema") == 30
    assert [each.id for each in store.log()] == list(range(1, 31))
    assert len(store.nearest(make_vectors(1), k=99)[0]) == 30
    assert store.check() == []
