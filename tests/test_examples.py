"""The shipped examples: all load, their labels join, and the demo shows them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from traceloc import Localizer, Trace, load

EXAMPLES = Path(__file__).parent.parent / "examples"
LABELS = [json.loads(line) for line in (EXAMPLES / "labels.jsonl").read_text().splitlines()]
RIGHT_AT_ONCE = 1
"""Examples that must be found, far below what is reached: this is no place to measure accuracy."""

needs_weights = pytest.mark.skipif(
    not resources.files("traceloc.ranking").joinpath("weights.json").is_file(),
    reason="no ranking model is shipped yet",
)


def read(label: dict[str, Any]) -> Trace:
    (trace,) = load(EXAMPLES / label["file"], strict=True)
    return trace


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["group"])
def test_labels_join(label: dict[str, Any]) -> None:
    trace = read(label)
    assert [step.index for step in trace.steps] == list(range(len(trace.steps)))
    assert trace.task or trace.spans
    if trace.spans:
        assert trace.id == label["trace"]
    if label["step"] is None:
        assert (label["outcome"], label["agent"]) == ("passed", None)
        return
    taken = [step for step in trace.steps if step.native_index == label["step"]]
    assert label["agent"] in [step.agent for step in taken]
    if label["span_id"]:
        assert label["span_id"] in [step.span_id for step in taken]


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["group"])
def test_nothing_was_lost(label: dict[str, Any]) -> None:
    trace = read(label)
    assert [note for note in trace.diagnostics if note.kind == "skipped"] == []
    assert Trace.model_validate_json(trace.model_dump_json()) == trace


def test_every_example_is_labelled_and_described() -> None:
    folders = {path.parent.name for path in EXAMPLES.glob("*/trace.*")}
    assert folders == {label["group"] for label in LABELS}
    page = (EXAMPLES / "README.md").read_text()
    for label in LABELS:
        step = "none" if label["step"] is None else f"{label['step']} ({label['agent']})"
        (row,) = [line for line in page.splitlines() if line.startswith(f"| [{label['group']}]")]
        assert step in row


@needs_weights
def test_some_are_found() -> None:
    localizer = Localizer()
    right = 0
    for label in LABELS:
        answer = localizer.localize(read(label))
        assert answer.status in ("located", "abstained"), answer.reason
        top = answer.candidates[0]
        assert top.evidence
        right += answer.status == "located" and top.native_index == label["step"]
    assert right >= RIGHT_AT_ONCE


@needs_weights
def test_the_demo_works() -> None:
    program = "from traceloc.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "scan", "examples", "--jobs", "1"],
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(LABELS)} traces read" in done.stdout
    done = subprocess.run(
        [sys.executable, "-P", str(EXAMPLES / "compare.py")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = done.stdout.splitlines()[3:]
    assert lines[0].split() == "example expected found place of the expected step".split()
    assert [line.split()[0] for line in lines[1 : len(LABELS) + 1]] == [
        label["group"] for label in LABELS
    ]
    assert "not read" not in done.stdout
