from __future__ import annotations

import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from traceloc.errors import StoreError
from traceloc.labels.store import LabelStore

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def said(events):
    return [(e.action, e.trace_id, e.native_index) for e in events]


def test_nothing_is_created_by_looking(store):
    assert store.events() == [] == store.standing()
    assert store.versions() == {} == store.groups()
    assert store.answers("bot", signals_hash="x") == ((), 0, 0)
    assert not store.path.parent.exists()


def test_what_is_written_is_read_back(store, subject):
    first = store.add("label", subject(), category="loop", note="so it is", who="ann", at=AT)
    again = LabelStore(store.path)
    assert again.events() == [first]
    assert (first.id, first.who, first.at, first.category) == (1, "ann", AT, "loop")
    assert (first.locator, first.agent, first.note) == ("runs/t.json#1", "Writer", "so it is")
    assert again.versions() == {"bot": 1}


def test_only_the_owner_may_read(store, subject):
    store.add("label", subject())
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert [file.name for file in store.path.parent.iterdir()] == ["labels.db"]


def test_the_newest_label_of_a_trace_counts(store, subject):
    store.add("label", subject("t", 1))
    store.add("confirm", subject("t", 3))
    store.add("label", subject("u", 2))
    assert said(store.standing()) == [("confirm", "t", 3), ("label", "u", 2)]


def test_a_rejection_takes_a_label_of_that_step_back_and_a_label_a_rejection(store, subject):
    store.add("label", subject("t", 1))
    store.add("reject", subject("t", 1))
    assert said(store.standing()) == [("reject", "t", 1)]
    store.add("reject", subject("t", 2))
    store.add("label", subject("t", 2))
    assert said(store.standing()) == [("reject", "t", 1), ("label", "t", 2)]


def test_undo_takes_back_one_answer_after_the_other_and_forgets_nothing(store, subject):
    store.add("label", subject("t", 1))
    store.add("label", subject("t", 2))
    assert store.undo(who="ann").native_index == 2
    assert said(store.standing()) == [("label", "t", 1)]
    assert store.undo().native_index == 1
    assert store.standing() == []
    with pytest.raises(StoreError, match="nothing to undo") as caught:
        store.undo()
    assert caught.value.code == "TL506"
    log = store.events()
    assert [(e.action, e.undoes) for e in log] == [
        ("label", None),
        ("label", None),
        ("undo", 2),
        ("undo", 1),
    ]
    assert log[2].who == "ann"
    assert store.versions() == {"bot": 4}, "an undo changes what a model learns from"


def test_a_listener_reads_on_from_where_it_was(store, subject):
    store.add("label", subject("t"))
    (last,) = store.events()
    store.add("label", subject("u"))
    store.add("label", subject("v", system="other"))
    assert [e.trace_id for e in store.events(after=last.id)] == ["u", "v"]
    assert [e.trace_id for e in store.events(system="other")] == ["v"]


def test_the_log_cannot_be_rewritten(store, subject):
    store.add("label", subject())
    db = sqlite3.connect(store.path)
    for query in ("UPDATE events SET step = 9", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="events are never"):
            db.execute(query)
    db.close()


def test_answers_say_what_may_be_the_error(store, subject, measured):
    kept = measured()
    store.add("label", subject("t", 1), measurements=kept)
    store.add("reject", subject("u", 0), measurements=kept)
    store.add("reject", subject("u", 2), measurements=kept)
    found = store.answers("bot", signals_hash=kept.signals_hash)
    by_group = {each.group: each for each in found.usable}
    assert by_group["group of t"].possible.tolist() == [False, True, False, False]
    assert by_group["group of u"].possible.tolist() == [False, True, False, True]
    np.testing.assert_array_equal(by_group["group of t"].features, kept.features)
    assert (found.stale, found.outside) == (0, 0)
    assert store.answers("other", signals_hash=kept.signals_hash).usable == ()


def test_measurements_of_other_signals_are_counted_and_left_out(store, subject, measured):
    store.add("label", subject("t", 1), measurements=measured(version="1"))
    store.add("label", subject("u", 1), measurements=measured(version="2"))
    store.add("label", subject("v", 1))
    store.add("label", subject("w", 9), measurements=measured(version="2"))
    found = store.answers("bot", signals_hash=measured(version="2").signals_hash)
    assert [each.group for each in found.usable] == ["group of u"]
    assert (found.stale, found.outside) == (2, 1)


def test_measurements_that_lie_about_their_size_are_left_out(store, subject, measured):
    kept = measured()
    store.add("label", subject("t", 1), measurements=kept)
    db = sqlite3.connect(store.path)
    db.execute("UPDATE measurements SET n_rows = 1")
    db.commit()
    db.close()
    found = store.answers("bot", signals_hash=kept.signals_hash)
    assert (found.usable, found.stale) == ((), 1)


def test_no_text_of_a_trace_is_kept(store, subject, measured):
    store.add("label", subject(), measurements=measured())
    db = sqlite3.connect(store.path)
    columns = {
        row[1]
        for table in ("events", "measurements")
        for row in db.execute(f"PRAGMA table_info({table})")
    }
    db.close()
    assert columns.isdisjoint({"text", "content", "quote", "task"})


def foreign_database(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE events (mine TEXT)")
    db.commit()
    db.close()


@pytest.mark.parametrize(
    "make",
    [
        foreign_database,
        lambda path: path.write_text("my diary, which nobody may touch " * 9),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"SQLite format 3\x00" + bytes(10)),
    ],
)
def test_a_file_that_is_no_label_store_is_left_alone(tmp_path, subject, make):
    path = tmp_path / "labels.db"
    make(path)
    before = path.read_bytes()
    store = LabelStore(path)
    for use in (store.events, store.versions, lambda: store.add("label", subject()), store.undo):
        with pytest.raises(StoreError, match="is not a label store") as caught:
            use()
        assert caught.value.code == "TL501"
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["labels.db"]


def test_a_newer_store_is_left_alone(store, subject):
    store.add("label", subject())
    data = bytearray(store.path.read_bytes())
    data[60:64] = (99).to_bytes(4, "big")
    store.path.write_bytes(data)
    for use in (store.events, lambda: store.add("label", subject())):
        with pytest.raises(StoreError, match="schema version 99; this traceloc knows 1") as caught:
            use()
        assert caught.value.code == "TL503"
    assert store.path.read_bytes() == bytes(data)


@pytest.mark.parametrize("keep", [0.3, 0.6])
def test_a_damaged_store_says_so_and_is_left_alone(store, subject, measured, keep):
    for number in range(60):
        store.add("label", subject(f"t{number}"), measurements=measured(200, seed=number))
    data = store.path.read_bytes()
    damaged = data[: int(len(data) * keep)]
    store.path.write_bytes(damaged)
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.add("label", subject("new"), measurements=measured(200))
        store.answers("bot", signals_hash="x")
        store.events()
    assert caught.value.code == "TL502"


def test_a_folder_in_place_of_the_store(tmp_path, subject):
    store = LabelStore(tmp_path)
    with pytest.raises(StoreError) as caught:
        store.events()
    assert caught.value.code == "TL504"


def test_a_folder_that_cannot_be_made(tmp_path, subject):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        LabelStore(tmp_path / "file" / "labels.db").add("label", subject())
    assert caught.value.code == "TL504"


def test_a_store_kept_busy(store, subject):
    store.add("label", subject())
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    patient = LabelStore(store.path, busy_seconds=0.05)
    assert len(patient.events()) == 1, "readers need not wait"
    with pytest.raises(StoreError, match=r"other writers kept it for 0\.05 s") as caught:
        patient.add("label", subject("u"))
    assert caught.value.code == "TL505"
    other.execute("ROLLBACK")
    other.close()
    patient.add("label", subject("u"))
    assert len(store.events()) == 2


def test_a_change_that_fails_leaves_no_trace(store, subject, measured):
    store.add("label", subject("t"), measurements=measured())
    with pytest.raises(StoreError):
        store.add("praise", subject("u"), measurements=measured())
    assert said(store.events()) == [("label", "t", 1)]
    assert set(store.groups()) == {"hash of t"}
