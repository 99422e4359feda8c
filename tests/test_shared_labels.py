"""The labelled traces others published: all load, and their labels join on the native index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceloc import load

SETS = {
    "who_and_when_ag": "who_and_when",
    "who_and_when_hc": "who_and_when",
    "promas_aqua": "who_and_when",
    "tracertraj_code": "who_and_when",
    "agentrx_magentic": "magentic_one",
    "agentrx_tau": "tau_bench",
    "agentprocessbench": "openai_chat",
    "evoagentops_langgraph_sql": "evoagentops",
    "evoagentops_agno_rca": "evoagentops",
}
TRUTH = (
    "answer_text",
    "ground_truth",
    "is_correct",
    "is_corrected",
    "labels",
    "mistake_agent",
    "mistake_reason",
    "mistake_step",
    "mistake_type",
    "reward",
    "info",
)
"""``info`` holds the simulated user's script, the expected actions and the reward's parts."""


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", SETS)
def test_labels_join(shared, name):
    folder = shared / "data" / name
    matches, misses = 0, []
    for row in rows(folder):
        (trace,) = load(folder / row["file"], strict=True)
        assert trace.format == SETS[name]
        assert trace.steps and trace.task
        if row["step"] is None:
            continue
        agents = [step.agent for step in trace.steps if step.native_index == row["step"]]
        if agents and agents[0].lower() == row["agent"].lower():
            matches += 1
        else:
            misses.append((row["file"], row["step"], row["agent"], agents))
    rate = matches / (matches + len(misses))
    assert rate >= 0.95, f"{rate:.1%} of labels join; the others: {misses}"


@pytest.mark.parametrize("name", SETS)
def test_native_index_is_the_position_in_the_source(shared, name):
    folder = shared / "data" / name
    for row in rows(folder):
        document = json.loads((folder / row["file"]).read_text())
        if isinstance(document, dict):
            document = next(document[k] for k in ("history", "traj", "messages") if k in document)
        (trace,) = load(folder / row["file"])
        places = list(dict.fromkeys(step.native_index for step in trace.steps))
        assert places == list(range(len(document)))
        assert not [note for note in trace.diagnostics if note.kind == "skipped"]


@pytest.mark.parametrize("name", SETS)
def test_reads_the_same_without_ground_truth(shared, name, tmp_path):
    folder = shared / "data" / name
    for number, row in enumerate(rows(folder)):
        document = json.loads((folder / row["file"]).read_text())
        if not isinstance(document, dict):
            pytest.skip("files of this set hold no ground truth")
        bare = tmp_path / f"{number}.json"
        kept = {key: value for key, value in document.items() if key not in TRUTH}
        bare.write_text(json.dumps(kept))
        (with_truth,) = load(folder / row["file"])
        (without,) = load(bare)
        assert with_truth.blind() == without.blind()
        assert with_truth.truth is not None
        assert without.truth is None and without.outcome.status == "unknown"
