"""smolagents: memories that forget the calls of a step one of whose calls failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from traceloc import load
from traceloc.loading import Head
from traceloc_plugins.smolagents.loader import SmolagentsLoader

TASK = {"task": "Count.", "task_images": None}


def test_a_run(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["smolagents"])
    assert [(s.kind, s.agent, s.native_index, s.flags) for s in trace.steps] == [
        ("message", "user", 0, ()),
        ("thought", "agent", 1, ()),
        ("system", "system", 2, ()),
        ("action", "agent", 2, ()),
        ("result", "rate", 2, ()),
        ("action", "agent", 3, ()),
        ("result", "python_interpreter", 3, ()),
        ("action", "agent", 4, ()),
        ("result", "final_answer", 4, ()),
        ("event", "agent", 5, ("duplicate",)),
    ]
    action = trace.steps[3]
    # The step itself has no calls; what the model wanted tells them.
    assert [(c.name, c.arguments, c.result_step) for c in action.tool_calls] == [
        ("stock", {"sku": 7}, None),
        ("rate", {}, 4),
    ]
    assert [m.step for m in action.inputs or ()] == [2, None]
    assert (action.model, action.llm_call_id) == ("m-1", "r1")
    error = trace.steps[4].error
    assert error is not None and error.declared and error.type == "AgentToolExecutionError"
    assert trace.steps[4].timestamp is not None and action.timestamp is not None
    assert sum(s.usage.input or 0 for s in trace.steps if s.usage) == 13
    assert trace.outcome.status == "unknown"


def test_steps_as_python_literals(load_one: Any, documents: dict[str, Any]) -> None:
    run = documents["smolagents"]
    whole = load_one(run)
    run["steps"] = [run["steps"][0]] + [str(step) for step in run["steps"][1:]]
    assert load_one(run).steps == whole.steps
    run["steps"][1] = "{" + "[" * 50_000
    assert len(load_one(run).steps) == len(whole.steps) - 1


def test_errors(load_one: Any) -> None:
    def failed(number: int, kind: str, **more: Any) -> dict[str, Any]:
        error = {"type": kind, "message": "Error in code parsing: boom"}
        return {"step_number": number, "timing": {}, "error": error, "tool_calls": [], **more}

    trace = load_one(
        {
            "state": "max_steps_error",
            "output": None,
            "steps": [
                TASK,
                failed(1, "AgentParsingError", model_output="no code"),
                failed(2, "AgentGenerationError"),
                failed(3, "AgentMaxStepsError", action_output="Perhaps twelve."),
            ],
        }
    )
    told = [(s.kind, s.text, s.error.kind if s.error else None) for s in trace.steps[1:]]
    boom = "Error in code parsing: boom"
    assert told == [
        ("message", "no code", None),
        ("event", boom, "parse"),
        ("event", boom, "model"),
        ("event", boom, "limit"),
        ("message", "Perhaps twelve.", None),
    ]
    assert (trace.outcome.status, trace.outcome.detail) == ("failed", "max_steps_error")


def test_a_managed_agent(load_one: Any) -> None:
    call = {"id": "c", "function": {"name": "scout", "arguments": {"task": "Look."}}}
    report = "Here is the final answer from your managed agent 'scout':\nTwelve."
    step = {"step_number": 1, "timing": {}, "tool_calls": [call], "observations": report}
    trace = load_one([TASK, step])
    assert (trace.steps[1].kind, trace.steps[1].to) == ("handoff", ("scout",))
    assert trace.agent("scout").parent == "agent" and trace.agent("agent").kind == "orchestrator"
    assert any("managed agent" in note.message for note in trace.diagnostics)


def test_a_managed_agents_own_memory_says_its_name(load_one: Any) -> None:
    task = {"task": "You're a helpful agent named 'scout'.\nLook.", "task_images": None}
    step = {"step_number": 1, "timing": {}, "model_output": "Twelve."}
    trace = load_one([task, step])
    assert [(s.agent, s.to) for s in trace.steps] == [("user", ("scout",)), ("scout", ())]
    assert [a.name for a in trace.agents] == ["scout", "user"]


def test_sniffing_goes_by_structure() -> None:
    def score(value: Any) -> float:
        return SmolagentsLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    assert score([TASK]) > 0.9
    assert score([{"task": "x"}]) == score({"steps": [TASK]}) == 0.0
    assert score([{"step_number": 1, "text": "x"}]) == 0.0


def test_real_samples(shared: Path) -> None:
    folder = shared / "samples" / "smolagents"
    full, result, short = sorted(load(folder, strict=True), key=lambda trace: trace.source)
    assert {trace.format for trace in (full, result, short)} == {"smolagents"}
    assert full.steps == result.steps
    raw = json.loads((folder / "smolagents_run_result.json").read_text())
    for trace in (result, short):
        calls = [(c.name, c.id) for s in trace.steps for c in s.tool_calls]
        assert len(calls) == 8 and len(set(calls)) == 8
        errors = [s for s in trace.steps if s.error]
        assert [s.agent for s in errors] == ["get_fx_rate"] * 4 + ["system"]
        assert all(s.error and s.error.declared for s in errors)
        assert trace.steps[-1].text == raw["output"]
        used = sum(s.usage.output or 0 for s in trace.steps if s.usage)
        assert used == raw["token_usage"]["output_tokens"]
    assert result.outcome.status == "failed" and full.outcome.status == "unknown"
    assert full.agent("agent").instructions
