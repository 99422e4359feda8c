"""Labels as the benchmarks themselves write them."""

from __future__ import annotations

import json

import pytest

from traceloc.evaluation.datasets import read_datasets
from traceloc.evaluation.native_labels import find_native_labels, normalise_row, read_agentrx
from traceloc.trace import Label, Truth

FAILURES = [
    {"failure_id": "1", "step_number": 3, "failed_agent": "a", "failure_category": "first"},
    {"failure_id": 2, "step_number": "7", "failed_agent": "b", "failure_category": "second"},
]


def test_agentrx_counts_from_one_and_names_its_root():
    (label,) = read_agentrx({"failures": FAILURES, "root_cause": {"failure_id": "2"}})
    assert (label.native_index, label.agent, label.category) == (6, "b", "second")
    (label,) = read_agentrx({"failures": FAILURES, "root_cause_failure_id": 1})
    assert label.native_index == 2


def test_agentrx_without_a_root_is_the_earliest():
    (label,) = read_agentrx({"failures": FAILURES[::-1]})
    assert label.native_index == 2


@pytest.mark.parametrize(
    "failures", [None, "x", [], ["x"], [{"step_number": 0}], [{"step_number": True}], [{}]]
)
def test_what_is_no_annotation_gives_no_label(failures):
    assert read_agentrx({"failures": failures, "root_cause": failures}) == ()


def review(*errors):
    return {"review": {"errors": [*errors]}}


def test_tau2_reviews_blame_the_earliest_critical_turn(trace_of):
    errors = review(
        {"source": "user", "turn_idx": 1, "severity": "minor", "error_type": "x"},
        {"source": "agent", "turn_idx": 4, "severity": "critical", "reasoning": "why"},
        {"source": "agent", "turn_idx": 3, "severity": "critical", "error_type": "y"},
    )
    trace = trace_of(["s"] * 6, truth=Truth(fields=errors))
    (label,) = find_native_labels(trace)
    assert (label.native_index, label.agent, label.category) == (3, "agent", "y")
    (label,) = find_native_labels(trace_of(["s"], truth=Truth(fields=review({"turn_idx": 2}))))
    assert label.native_index == 2


def test_turns_are_found_by_the_number_messages_carry(trace_of):
    trace = trace_of(["s"] * 4, truth=Truth(fields=review({"turn_idx": 11})))
    numbered = [
        s.model_copy(update={"attributes": {"turn_idx": 10 + s.index}}) for s in trace.steps
    ]
    (label,) = find_native_labels(trace.model_copy(update={"steps": tuple(numbered)}))
    assert label.native_index == 1


def test_labels_the_loader_read_come_first(trace_of):
    given = (Label(native_index=5),)
    fields = {"failures": FAILURES}
    trace = trace_of(["s"] * 9, truth=Truth(labels=given, fields=fields))
    assert find_native_labels(trace) == given
    assert find_native_labels(trace_of(["s"])) == ()


def test_rows_in_foreign_words():
    row = normalise_row({"trajectory_id": 12, "failures": FAILURES, "root_cause": "2"})
    assert (row["trace"], row["file"], row["step"], row["agent"]) == ("12", "", 6, "b")
    row = normalise_row({"file": "1.json", "mistake_step": "4", "mistake_agent": "x"})
    assert (row["step"], row["agent"]) == (4, "x")
    own = {"file": "1.json", "step": None, "failures": FAILURES}
    assert normalise_row(own) == own


def test_a_folder_with_agentrx_rows_is_read(make_folder):
    folder = make_folder("d", traces=3)
    rows = [
        {"trajectory_id": f"{i:02}", "failures": [{"step_number": 2 + i, "failed_agent": "a"}]}
        for i in range(4)
    ]
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_datasets([folder])
    assert [item.labels[0].native_index for item in found.items] == [1, 2, 3]
    assert found.unmatched == (f"{folder / 'labels.jsonl'}:4",)


def test_trials_of_one_task_are_one_group(make_folder):
    folder = make_folder("d", traces=4, inside=True)
    for i, path in enumerate(sorted(folder.glob("*.json"))):
        trace = json.loads(path.read_text())
        path.write_text(json.dumps(trace | {"attributes": {"task_id": i // 2}}))
    assert [item.group for item in read_datasets([folder]).items] == [
        "task:d:0", "task:d:0", "task:d:1", "task:d:1",
    ]  # fmt: skip
