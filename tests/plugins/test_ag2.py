from __future__ import annotations

import tarfile
from pathlib import Path

from traceloc import load


def test_names_attribute_and_fill_by_alternation(load_one, documents):
    trace = load_one(documents["ag2"])

    assert trace.format == "ag2"
    assert [(step.native_index, step.agent, step.kind) for step in trace.steps] == [
        (0, "desk", "message"),
        (1, "clerk", "action"),
        (2, "desk", "result"),
        (2, "desk", "result"),
        (3, "clerk", "message"),
    ]
    assert [call.result_step for call in trace.steps[1].tool_calls] == [2, 3]
    assert trace.steps[2].error is None and trace.steps[3].error is not None
    assert trace.agent("clerk").attribution == "alternation"
    assert trace.agent("desk").kind == "tool"


def test_who_executes_code_shows_in_its_messages(load_one):
    trace = load_one(
        [
            {"role": "user", "name": "Ann", "content": "Count."},
            {"role": "user", "name": "Bea", "content": "```python\nprint(1)\n```"},
            {"role": "user", "name": "Carl", "content": "exitcode: 1 (execution failed)\nboom"},
            {"role": "user", "name": "Bea", "content": "One."},
        ]
    )
    assert trace.format == "ag2"
    assert {agent.name: agent.kind for agent in trace.agents} == {
        "Ann": "human",
        "Bea": "worker",
        "Carl": "tool",
    }
    assert trace.steps[2].kind == "result" and trace.steps[2].error is not None


def test_published_run_keeps_its_answers_apart(load_one):
    trace = load_one(
        {
            "instance_id": "q1",
            "problem_statement": ["How many", "lamps?"],
            "other_data": {"correct": False, "answer": "31415"},
            "trajectory": [
                {"role": "assistant", "name": "proxy", "content": ["How many", "", "lamps?"]},
                {"role": "user", "name": "solver", "content": ["Twelve."]},
            ],
            "note": {"options": {"Step repetition": "yes"}},
        }
    )
    assert trace.task == "How many\nlamps?"
    assert trace.steps[0].text == "How many\n\nlamps?"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "label")
    assert trace.truth.expected == "31415"
    assert "31415" not in trace.blind().model_dump_json()
    assert "repetition" not in trace.model_copy(update={"truth": None}).model_dump_json()


def test_library_output(shared):
    folder = shared / "samples" / "ag2"
    result, group = load(folder / "ag2_chat_result.json", folder / "ag2_groupchat_messages.json")
    assert [step.agent for step in result.steps] == [
        "executor", "researcher", "executor", "executor", "researcher",
    ]  # fmt: skip
    assert [agent.kind for agent in group.agents] == ["human", "worker", "worker"]


def test_published_math_runs(shared, tmp_path: Path):
    archive = shared / "data" / "mathchat_runs" / "runs.tar.xz"
    with tarfile.open(archive) as members:
        # Python 3.11.2 of Debian 12 has no filters yet.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        members.extractall(tmp_path, **safely)
    traces = list(load(tmp_path, strict=True))
    assert len(traces) == 4644
    assert {trace.outcome.source for trace in traces} == {"label"}
    assert sum(trace.outcome.status == "failed" for trace in traces) == 506
