"""ATIF out: a trajectory the format allows, and the same steps when it is read again."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceloc import Trace, load
from traceloc.converting import write_atif
from traceloc.exporting.atif import from_atif, to_atif
from traceloc.loading import Source
from traceloc.trace import (
    Agent,
    InputMessage,
    Outcome,
    Step,
    StepError,
    ToolCall,
    ToolResult,
    ToolSpec,
    Truth,
    Usage,
)
from traceloc_plugins.atif.loader import AtifLoader

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MAYBE = st.none() | TEXT
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
COUNT = st.none() | st.integers(0, 2**40)
MOMENTS = st.none() | st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001  # the zone comes beside it
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Any trace at all, also such as no loader would build."""
    n = draw(st.integers(0, 6))
    place = st.none() | st.integers(0, max(n - 1, 0))
    ids = st.none() | st.sampled_from(["c1", "c2", ""])
    calls = st.builds(ToolCall, name=TEXT, id=ids, arguments=JSON, result_step=place)
    results = st.builds(ToolResult, name=MAYBE, call_id=ids, call_step=place)
    inputs = st.builds(InputMessage, role=st.just("user"), step=place)
    usage = st.builds(Usage, input=COUNT, output=COUNT, cache_write=COUNT, cost_usd=st.none())
    fields: dict[str, Any] = {
        "native_index": st.integers(0, 9),
        "kind": st.sampled_from(
            ["message", "thought", "action", "result", "handoff", "system", "event"]
        ),
        "role": st.sampled_from(["system", "user", "assistant", "tool", "other"]),
        "agent": TEXT,
        "text": TEXT,
        "to": st.lists(TEXT, max_size=2).map(tuple),
        "reasoning": MAYBE,
        "tool_calls": st.lists(calls, max_size=3).map(tuple),
        "tool_result": st.none() | results,
        "error": st.none() | st.builds(StepError, kind=st.just("tool"), message=TEXT),
        "inputs": st.none() | st.lists(inputs, max_size=2).map(tuple),
        "timestamp": MOMENTS,
        "model": MAYBE,
        "usage": st.none() | usage,
        "flags": st.sampled_from([(), ("copied_context",), ("duplicate", "demo")]),
        "attributes": st.dictionaries(TEXT, JSON, max_size=2),
    }
    steps = tuple(Step(index=i, **draw(st.fixed_dictionaries(fields))) for i in range(n))
    return Trace(
        id=draw(TEXT) or "t",
        format="made up",
        session_id=draw(MAYBE),
        task=draw(MAYBE),
        agents=(Agent(name=draw(TEXT), kind="worker", instructions=draw(MAYBE)),),
        steps=steps,
        tools=(ToolSpec(name=draw(TEXT), parameters=draw(st.none() | st.just({"a": [1]}))),),
        outcome=Outcome(status="failed", source="score", score=0.5),
        truth=Truth(expected=draw(JSON)),
        attributes=draw(st.dictionaries(TEXT, JSON, max_size=2)),
    )


def written(*many: Trace) -> bytes:
    return "".join(write_atif(many)).encode()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trace=traces())
def test_there_and_back(trace: Trace) -> None:
    back = from_atif(json.loads(written(trace)))
    assert back is not None
    assert back.model_copy(update={"format": trace.format, "dialect": trace.dialect}) == trace
    assert (back.format, back.dialect) == ("atif", "made up")
    if trace.steps:
        (loaded,) = AtifLoader().load([Source("-", content=written(trace))])
        assert loaded.steps == trace.steps
        assert written(loaded) == written(
            *AtifLoader().load([Source("-", content=written(loaded))])
        )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trace=traces())
def test_what_the_format_demands(trace: Trace) -> None:
    document = to_atif(trace)
    assert [step["step_id"] for step in document["steps"]] == list(
        range(1, len(document["steps"]) + 1)
    )
    assert document["steps"] and document["agent"].keys() >= {"name", "version"}
    assert document["final_metrics"]["total_steps"] == len(document["steps"])
    results = 0
    for step in document["steps"]:
        assert step["source"] in ("system", "user", "agent") and isinstance(step["message"], str)
        if step["source"] != "agent":
            assert step.keys().isdisjoint(
                ("model_name", "reasoning_content", "tool_calls", "metrics")
            )
        ids = {call["tool_call_id"] for call in step.get("tool_calls", ())}
        assert all(isinstance(id, str) for id in ids)
        assert all(isinstance(call["arguments"], dict) for call in step.get("tool_calls", ()))
        for result in step.get("observation", {}).get("results", ()):
            assert result.get("source_call_id") in {None, *ids}
            results += 1
    assert results == sum(step.kind == "result" for step in trace.steps)


def test_a_result_stands_in_the_step_that_called(talk: Any, call: Any) -> None:
    trace = talk(
        ("user", "How many?"),
        ("Clerk", "I look.", {"calls": [call("stock", id="c1", sku=7)]}),
        ("tool.stock", "Error: none", {"call_id": "c1"}),
        ("Clerk", "None."),
    )
    document = to_atif(trace)
    assert [step["source"] for step in document["steps"]] == ["user", "agent", "agent"]
    (result,) = document["steps"][1]["observation"]["results"]
    assert (result["source_call_id"], result["content"]) == ("c1", "Error: none")
    assert result["extra"]["is_error"] is True
    assert document["agent"]["name"] == "Clerk"


def test_usage_of_one_response_is_summed_once() -> None:
    def step(index: int, call: str | None, tokens: int) -> Step:
        common: dict[str, Any] = {"kind": "message", "role": "assistant", "agent": "a"}
        usage = Usage(input=tokens)
        return Step(index=index, native_index=index, usage=usage, llm_call_id=call, **common)

    steps = (step(0, "r", 5), step(1, "r", 5), step(2, None, 1), step(3, None, 1))
    totals = to_atif(Trace(id="t", format="x", steps=steps))["final_metrics"]
    assert totals == {"total_prompt_tokens": 7, "total_steps": 4}


def test_what_is_no_number_survives() -> None:
    trace = Trace(id="t", format="x", attributes={"x": math.nan})
    back = from_atif(json.loads(written(trace)))
    assert back is not None and math.isnan(back.attributes["x"])  # type: ignore[arg-type]


def test_a_changed_trajectory_is_read_like_any_other(talk: Any, tmp_path: Any) -> None:
    trace = talk(("user", "How many?"), ("Clerk", "Twelve."), truth={"expected": "11"})
    document = to_atif(trace)
    del document["steps"][0]
    path = tmp_path / "t.json"
    path.write_text(json.dumps(document))
    (back,) = load(path, strict=True)
    assert [(step.agent, step.text) for step in back.steps] == [("Clerk", "Twelve.")]
    assert any("changed" in note.message for note in back.diagnostics)
    assert "11" not in back.model_dump_json()


@pytest.mark.parametrize("count", [1, 3])
def test_several_traces_are_a_list(talk: Any, count: int) -> None:
    many = [talk(("user", f"{i}")).model_copy(update={"id": f"t{i}"}) for i in range(count)]
    back = list(AtifLoader().load([Source("-", content=written(*many))]))
    assert [trace.id for trace in back] == [trace.id for trace in many]
