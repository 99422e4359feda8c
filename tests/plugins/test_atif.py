"""ATIF in: results, errors, copied context, sub-agents and continuations of several files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from traceloc import load
from traceloc.loading import Head
from traceloc_plugins.atif.loader import AtifLoader


def trajectory(*steps: dict[str, Any], name: str = "boss", **more: Any) -> dict[str, Any]:
    numbered = [{"step_id": i + 1, "message": "", **step} for i, step in enumerate(steps)]
    agent = {"name": name, "version": "1"}
    return {"schema_version": "ATIF-v1.5", "agent": agent, "steps": numbered, **more}


def write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document))


def test_a_trajectory(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["atif"])
    assert [(s.kind, s.agent, s.native_index) for s in trace.steps] == [
        ("system", "system", 0),
        ("message", "user", 1),
        ("action", "clerk", 2),
        ("result", "stock", 2),
        ("result", "stock", 2),
        ("message", "clerk", 3),
    ]
    action = trace.steps[2]
    assert [call.result_step for call in action.tool_calls] == [4, 3]
    assert action.reasoning == "A tool knows." and action.timestamp is not None
    assert action.usage is not None and (action.usage.input, action.usage.cache_read) == (9, 1)
    assert [bool(step.error) for step in trace.steps] == [False] * 3 + [True, False, False]
    assert trace.agent("clerk").instructions == "You count."
    assert (trace.id, trace.session_id, trace.dialect) == ("t-1", "s-1", "ATIF-v1.7")
    assert trace.task == "How many lamps are left?" and trace.tools[0].name == "stock"


def test_an_error_that_the_step_tells_of(load_one: Any) -> None:
    call = {"tool_call_id": "c", "function_name": "sh", "arguments": {}}
    step = {
        "source": "agent",
        "message": "Executed sh c",
        "tool_calls": [call],
        "observation": {"results": [{"source_call_id": "c", "content": "boom"}]},
        "extra": {"tool_result_is_error": True},
    }
    trace = load_one(trajectory(step))
    assert trace.steps[0].text == ""  # the converter's words
    assert trace.steps[1].error is not None and trace.steps[1].error.declared


def test_results_without_an_id_belong_to_their_own_step(load_one: Any) -> None:
    call = {"tool_call_id": "c", "function_name": "sh", "arguments": {}}
    returned = {"results": [{"content": "no"}]}
    trace = load_one(
        trajectory(
            {"source": "agent", "tool_calls": [call]},
            {"source": "agent", "message": "?", "observation": returned},
            {"source": "agent", "tool_calls": [call], "observation": returned},
        )
    )
    joined = [step.tool_result.call_step for step in trace.steps if step.tool_result]
    assert joined == [None, 3]
    assert trace.steps[2].agent == "environment"


def test_one_response_written_as_two_steps(load_one: Any) -> None:
    metrics = {"prompt_tokens": 5}
    trace = load_one(
        trajectory(
            {"source": "agent", "reasoning_content": "Hm.", "metrics": metrics},
            {"source": "agent", "reasoning_content": "Hm.", "message": "Yes."},
            {"source": "agent", "reasoning_content": "Hm.", "metrics": metrics},
        )
    )
    assert [(s.kind, s.native_index) for s in trace.steps] == [("message", 1), ("thought", 2)]
    assert all(step.usage for step in trace.steps)


HELPER = trajectory(
    {"source": "user", "message": "Count.", "is_copied_context": True},
    {"source": "agent", "message": "Twelve.", "metrics": {"prompt_tokens": 2}},
    name="helper",
    session_id="h",
    trajectory_id="h-1",
)


def boss(**reference: Any) -> dict[str, Any]:
    call = {"tool_call_id": "c", "function_name": "ask", "arguments": {}}
    answer = {"source_call_id": "c", "content": "asked", "subagent_trajectory_ref": [reference]}
    return trajectory(
        {"source": "user", "message": "How many?"},
        {"source": "agent", "tool_calls": [call], "observation": {"results": [answer]}},
        {"source": "agent", "message": "Twelve, I hear."},
        session_id="b",
    )


def check_delegation(trace: Any) -> None:
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("message", "user", ("boss",)),
        ("handoff", "boss", ("helper",)),
        ("result", "ask", ()),
        ("handoff", "boss", ("helper",)),
        ("message", "helper", ()),
        ("message", "boss", ()),
    ]
    assert trace.steps[3].flags == ("copied_context",)
    assert [m.step for m in trace.steps[4].inputs or ()] == [3]
    assert [s.native_index for s in trace.steps] == [0, 1, 1, 3, 4, 2]
    assert (trace.agent("helper").parent, trace.agent("boss").kind) == ("boss", "orchestrator")


def test_a_sub_agent_inside_the_file(load_one: Any) -> None:
    check_delegation(load_one({**boss(trajectory_id="h-1"), "subagent_trajectories": [HELPER]}))


def test_a_sub_agent_in_a_file_of_its_own(tmp_path: Path) -> None:
    for reference in ({"trajectory_path": "a.json"}, {"session_id": "h"}, {"trajectory_id": "h-1"}):
        write(tmp_path / "a.json", HELPER)
        write(tmp_path / "b.json", boss(**reference))
        (trace,) = load(tmp_path, strict=True)
        check_delegation(trace)


def test_a_continuation(tmp_path: Path) -> None:
    first = trajectory(
        {"source": "user", "message": "Go."}, continued_trajectory_ref="t.cont-1.json"
    )
    again = {"source": "user", "message": "Go.", "is_copied_context": True}
    write(tmp_path / "t.json", first)
    write(tmp_path / "t.cont-1.json", trajectory(again, {"source": "agent", "message": "Done."}))
    (trace,) = load(tmp_path, strict=True)
    assert [(s.text, s.native_index, bool(s.flags)) for s in trace.steps] == [
        ("Go.", 0, False),
        ("Go.", 1, True),
        ("Done.", 2, False),
    ]
    (alone,) = load(tmp_path / "t.json", strict=True)
    assert any("continued" in note.message for note in alone.diagnostics)


def test_runs_that_share_a_session_stay_apart(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name, trajectory({"source": "user", "message": name}, session_id="same"))
    assert [(t.id, t.alone) for t in load(tmp_path, strict=True)] == [("same", True)] * 2


def test_files_that_refer_to_each_other(tmp_path: Path) -> None:
    write(
        tmp_path / "a.json",
        {**boss(trajectory_path="b.json"), "continued_trajectory_ref": "b.json"},
    )
    write(
        tmp_path / "b.json",
        {**boss(trajectory_path="a.json"), "continued_trajectory_ref": "a.json"},
    )
    (trace,) = load(tmp_path, strict=True)
    assert len(trace.steps) == 8


def test_scores_are_no_attributes(load_one: Any, documents: dict[str, Any]) -> None:
    document = copy.deepcopy(documents["atif"])
    document["extra"] = {"reward": 1.0, "host": "h"}
    document["steps"][3]["extra"] = {"grade": "wrong", "tab": 1}
    trace = load_one(document)
    assert trace.truth is not None
    assert trace.truth.fields == {
        "extra": {"reward": 1.0},
        "steps[3]": {"extra": {"grade": "wrong"}},
    }
    assert trace.steps[-1].attributes == {"extra": {"tab": 1}}
    assert trace.attributes["extra"] == {"host": "h"}


def test_sniffing_goes_by_structure() -> None:
    def score(value: Any) -> float:
        return AtifLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    assert score(trajectory({"source": "user"})) > 0.9
    assert score({"schema_version": 1, "agents": [], "steps": []}) == 0.0
    assert score({"agent": "x", "steps": [{"role": "user"}]}) == 0.0


def test_real_samples(shared: Path) -> None:
    folder = shared / "samples" / "atif"
    traces = {Path(t.source).name: t for t in load(folder, strict=True)}
    assert len(traces) == len(list(folder.glob("*.json")))
    for name, trace in traces.items():
        steps = json.loads((folder / name).read_text())["steps"]
        results = [r for s in steps for r in (s.get("observation") or {}).get("results", [])]
        told = [r for r in results if r.get("content")]
        assert trace.format == "atif" and trace.alone
        assert sum(step.kind == "result" for step in trace.steps) == len(told)
        calls = [c["tool_call_id"] for s in steps for c in s.get("tool_calls") or []]
        assert [c.id for s in trace.steps for c in s.tool_calls] == calls
        counted = [s for s in steps if s.get("metrics")]
        assert sum(bool(step.usage) for step in trace.steps) == len(counted)
        copied = {i for i, step in enumerate(steps) if step.get("is_copied_context")}
        assert {s.native_index for s in trace.steps if s.flags} == copied
        joined = [s.tool_result.call_step for s in trace.steps if s.tool_result and calls]
        assert not joined or any(place is not None for place in joined)
    parse = traces["terminus_2__hello-world-invalid-json.trajectory.json"]
    assert parse.steps[2].kind == "result" and parse.steps[2].agent == "environment"
