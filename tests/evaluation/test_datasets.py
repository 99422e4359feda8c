from __future__ import annotations

import json

import pytest

from traceloc.errors import UsageError
from traceloc.evaluation.datasets import read_datasets

LONG = "this sentence is long enough to tell one run from another because nobody else says it "


def test_labels_beside_the_traces(make_folder):
    reading = read_datasets([make_folder("d", traces=3)])
    assert [item.labels[0].native_index for item in reading.items] == [1, 2, 3]
    assert [item.group for item in reading.items] == ["d-0", "d-1", "d-2"]
    assert {(item.dataset, item.system, item.passed) for item in reading.items} == {
        ("d", "d", False)
    }
    assert (reading.unmatched, reading.errors) == ((), ())


def test_labels_inside_the_traces(make_folder):
    reading = read_datasets([make_folder("d", traces=3, inside=True)])
    assert [item.labels[0].native_index for item in reading.items] == [1, 2, 3]
    assert len({item.group for item in reading.items}) == 3
    assert all(item.group.startswith("task:") for item in reading.items)


def test_a_folder_of_folders(make_folder, tmp_path):
    make_folder("one", traces=2)
    make_folder("two", traces=2)
    (tmp_path / "LICENSES").mkdir()
    assert [item.dataset for item in read_datasets([tmp_path]).items] == ["one"] * 2 + ["two"] * 2


def test_a_row_without_a_trace_is_told(make_folder):
    folder = make_folder("d", traces=2, rows=lambda i, row: row | {"file": f"{i + 1:02}.json"})
    reading = read_datasets([folder])
    assert reading.unmatched == (f"{folder / 'labels.jsonl'}:2",)
    assert [len(item.labels) for item in reading.items] == [0, 1]


def test_passed_runs_blame_nothing(make_folder):
    folder = make_folder("d", traces=2, rows=lambda i, row: row | {"outcome": "passed"})
    assert [(item.labels, item.passed) for item in read_datasets([folder]).items] == [
        ((), True)
    ] * 2


def test_a_failed_run_without_a_root_is_not_scored(make_folder):
    folder = make_folder(
        "d", traces=1, rows=lambda i, row: row | {"step": None, "outcome": "failed"}
    )
    (item,) = read_datasets([folder]).items
    assert (item.labels, item.passed) == ((), False)


def test_several_rows_are_several_labels(make_folder):
    folder = make_folder("d", traces=1)
    row = json.loads((folder / "labels.jsonl").read_text())
    with (folder / "labels.jsonl").open("a") as file:
        file.write(json.dumps(row | {"step": 4}) + "\n")
    assert [x.native_index for x in read_datasets([folder]).items[0].labels] == [1, 4]


def test_sets_with_the_same_traces_are_one_system_and_share_groups(make_folder):
    def same(i, j):
        return f"{LONG} {i} {j}"

    def other(i, j):
        return f"{LONG} of another system {i} {j}"

    paths = [
        make_folder("first", traces=4, texts=same, groups=["x0", "x1", "x2", "x3"]),
        make_folder("second", traces=3, texts=same, groups=["y0", "y1", "y2"]),
        make_folder("third", traces=3, texts=other),
    ]
    items = read_datasets(paths).items
    assert [item.system for item in items] == ["first"] * 7 + ["third"] * 3
    assert [item.group for item in items[:7]] == ["x0", "x1", "x2", "x3", "x0", "x1", "x2"]


def test_a_stated_system_stays(make_folder):
    def same(i, j):
        return f"{LONG} {i} {j}"

    paths = [make_folder(name, traces=2, texts=same) for name in ("first", "second")]
    items = read_datasets(paths, systems={"first": "S", "second": "T"}).items
    assert [item.system for item in items] == ["S", "S", "T", "T"]


def test_a_row_may_name_the_system(make_folder):
    folder = make_folder("d", traces=1, rows=lambda i, row: row | {"system": "shop"})
    assert read_datasets([folder]).items[0].system == "shop"


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"step": 1}'])
def test_labels_that_are_none(make_folder, line):
    folder = make_folder("d", traces=1)
    (folder / "labels.jsonl").write_text(line)
    with pytest.raises(UsageError) as raised:
        read_datasets([folder])
    assert "labels.jsonl:1" in str(raised.value.hint)


def test_a_missing_path():
    with pytest.raises(UsageError, match="no such file"):
        read_datasets(["/no/where"])
