"""What the builder makes of calls and results that a source does not tie together."""

from __future__ import annotations

from traceloc.loading import TraceBuilder
from traceloc.trace import ToolCall


def test_a_result_without_an_id_answers_the_call_of_its_own_turn():
    builder = TraceBuilder(format="test")
    act = {"kind": "action", "role": "assistant", "agent": "a"}
    builder.step(**act, native_index=0, calls=[ToolCall(name="f")])
    builder.step(kind="message", role="user", agent="u", native_index=1, text="again")
    builder.step(**act, native_index=2, calls=[ToolCall(name="f")])
    builder.step(kind="result", role="tool", agent="f", native_index=3, tool="f", text="done")
    trace = builder.build()
    assert trace.steps[3].tool_result.call_step == 2
    assert trace.steps[0].tool_calls[0].result_step is None


def test_results_without_ids_answer_the_calls_of_one_turn_in_order():
    builder = TraceBuilder(format="test")
    act = {"kind": "action", "role": "assistant", "agent": "a"}
    builder.step(**act, native_index=0, calls=[ToolCall(name="f")])
    builder.step(**act, native_index=1, calls=[ToolCall(name="f")])
    for index in (2, 3):
        builder.step(kind="result", role="tool", agent="f", native_index=index, text="done")
    assert [step.tool_result.call_step for step in builder.build().steps[2:]] == [0, 1]
