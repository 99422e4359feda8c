"""SWE-agent and mini-SWE-agent: commands in messages, and answers nobody declares to be errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from traceloc import load
from traceloc.loading import Head
from traceloc_plugins.mini_swe_agent.loader import MiniSweAgentLoader
from traceloc_plugins.swe_agent.loader import SweAgentLoader


def test_a_trajectory(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["swe_agent"])
    assert [(s.kind, s.agent, s.native_index, s.flags) for s in trace.steps] == [
        ("system", "system", 0, ()),
        ("event", "demonstration", 1, ("demo",)),
        ("message", "user", 2, ()),
        ("action", "swe-agent", 3, ()),
        ("result", "open", 4, ()),
        ("action", "swe-agent", 5, ()),
        ("result", "submit", 5, ()),
    ]
    first, last = trace.steps[3], trace.steps[6]
    assert first.text == "Look first."
    assert first.tool_calls[0].arguments == {"command": "open lamps.py\n"}
    assert first.attributes == {"state": {"open_file": "n/a"}, "execution_time": 0.5}
    assert last.text == "the patch"  # told to nobody, so only among the turns
    assert trace.task == "How many lamps are left?"
    assert trace.outcome.status == "unknown"


def test_turns_alone(load_one: Any, documents: dict[str, Any]) -> None:
    turns = documents["swe_agent"]["trajectory"]
    turns[0]["observation"] = "Your proposed edit has introduced new syntax error(s)."
    trace = load_one({"trajectory": turns, "info": {"exit_status": "exit_cost"}})
    assert [step.kind for step in trace.steps] == ["action", "result"] * 2
    error = trace.steps[1].error
    assert error is not None and not error.declared
    assert (trace.outcome.status, trace.outcome.detail) == ("failed", "exit_cost")


def test_results_answer_by_id(load_one: Any) -> None:
    def message(role: str, **more: Any) -> dict[str, Any]:
        return {"role": role, "content": "x", "agent": "reviewer", "message_type": "action", **more}

    calls = [{"id": id, "function": {"name": "bash", "arguments": "{}"}} for id in ("a", "b")]
    trace = load_one(
        {
            "history": [
                message("assistant", tool_calls=calls),
                message("tool", tool_call_ids=["b"]),
                message("tool", tool_call_ids=["a"]),
            ]
        }
    )
    assert [call.result_step for call in trace.steps[0].tool_calls] == [2, 1]
    assert trace.steps[0].agent == "reviewer"


def test_mini(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["mini_swe_agent"])
    assert [(s.kind, s.agent) for s in trace.steps] == [
        ("system", "system"),
        ("message", "user"),
        ("action", "mini-swe-agent"),
        ("result", "bash"),
        ("message", "mini-swe-agent"),
        ("event", "system"),
    ]
    action, result = trace.steps[2:4]
    assert action.usage is not None
    assert (action.usage.cost_usd, action.usage.input, action.model) == (0.5, 9, "m-1")
    assert result.error is not None and result.error.message == "exit code 2"
    assert not result.error.declared and result.timestamp is not None
    assert (trace.outcome.status, trace.outcome.detail) == ("failed", "LimitsExceeded")
    ended = trace.steps[-1].error
    assert ended is not None and (ended.kind, ended.type) == ("limit", "LimitsExceeded")


def test_mini_handed_in(load_one: Any, documents: dict[str, Any]) -> None:
    document = documents["mini_swe_agent"]
    document["info"]["exit_status"] = document["messages"][-1]["extra"]["exit_status"] = "Submitted"
    trace = load_one(document)
    assert trace.steps[-1].kind == "event" and trace.steps[-1].error is None
    assert trace.outcome.status == "unknown"


def test_mini_in_code_blocks(load_one: Any) -> None:
    def message(role: str, content: str) -> dict[str, str]:
        return {"role": role, "content": content}

    trace = load_one(
        [
            message("user", "Mend it."),
            message("assistant", "First:\n```bash\nls\n```\nand\n```bash\npwd\n```"),
            message("user", "Please give EXACTLY ONE action, found 2."),
            message("assistant", "THOUGHT: look\n```bash\nls\nwc\n```"),
            message("user", "<returncode>0</returncode>\n<output>\n</output>"),
        ]
    )
    kinds = [step.kind for step in trace.steps]
    assert kinds == ["message", "message", "event", "action", "result"]
    error = trace.steps[2].error
    assert error is not None and (error.kind, error.declared) == ("parse", False)
    assert trace.steps[3].text == "THOUGHT: look"
    assert trace.steps[3].tool_calls[0].arguments == {"command": "ls\nwc"}


@pytest.mark.parametrize("loader", [SweAgentLoader(), MiniSweAgentLoader()])
def test_sniffing_goes_by_structure(loader: Any) -> None:
    def score(value: Any) -> float:
        return float(loader.sniff(Head(json.dumps(value).encode(), complete=True)))

    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "```bash\nls\n```"}]
    assert score(chat) == score({"messages": chat}) == 0.0
    assert score({"history": [{"role": "user", "content": "x", "name": "y"}]}) == 0.0
    assert score({"trajectory": [{"action": {"type": "click"}, "observation": 1}]}) == 0.0


def test_real_trajectories(shared: Path) -> None:
    folder = shared / "samples" / "swe_agent"
    traces = {Path(trace.source).name: trace for trace in load(folder, strict=True)}
    assert len(traces) == len(list(folder.glob("*.traj"))) == 8
    demos = 0
    for name, trace in traces.items():
        raw = json.loads((folder / name).read_text())
        said = [m for m in raw["history"] if m["role"] == "assistant" and not m.get("is_demo")]
        turns = raw.get("trajectory") or said
        steps = [s for s in trace.steps if s.role == "assistant" and not s.flags]
        assert trace.format == "swe_agent"
        # One of the runs has a turn more than messages: the last one, which nobody was told of.
        assert len(steps) == len(turns) >= len(said)
        assert all(step.agent == "swe-agent" and len(step.tool_calls) == 1 for step in steps)
        told = [turn for turn in turns if turn.get("observation", True)]
        assert len(told) <= sum(step.kind == "result" for step in trace.steps) <= len(turns)
        demo = [m for m in raw["history"] if m.get("is_demo")]
        demos += len(demo)
        assert sum(step.flags == ("demo",) for step in trace.steps) == len(demo)
    assert demos


def test_real_mini_trajectories(shared: Path) -> None:
    old, new = sorted(
        load(shared / "samples" / "mini_swe_agent", strict=True), key=lambda t: len(t.attributes)
    )
    assert {old.format, new.format} == {"mini_swe_agent"}
    for trace in (old, new):
        assert [s.native_index for s in trace.steps] == list(range(6))
        assert [c.name for s in trace.steps for c in s.tool_calls] == ["bash", "bash"]
    assert [bool(s.error) for s in new.steps] == [False, False, False, True, False, False]
    assert new.outcome.status == "unknown"  # submitted, which says nothing of whether it is right


@pytest.mark.parametrize("odd", [{}, [], [[]], 1.5, True])
def test_values_that_cannot_be_looked_up(odd: Any, documents: dict[str, Any]) -> None:
    """Where a name is expected, a list or an object is one more thing that is not known."""
    from traceloc.loading import Source

    document = documents["swe_agent"]
    document["history"][4]["tool_call_ids"] = [odd]
    document["history"][3]["agent"] = odd
    (trace,) = SweAgentLoader().load([Source("-", content=json.dumps(document).encode())])
    assert len(trace.steps) == 7
