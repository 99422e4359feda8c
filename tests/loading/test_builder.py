"""What the builder knows on behalf of every loader: how results find their calls."""

from __future__ import annotations

from traceloc.loading import TraceBuilder
from traceloc.loading.tool_errors import infer_error
from traceloc.trace import ToolCall, Trace


def call(*names: str, id: str | None = None) -> list[ToolCall]:
    return [ToolCall(name=name, id=id) for name in names]


def chat(*steps: list[ToolCall] | tuple[str | None, str | None]) -> Trace:
    """A trace of calls (lists) and results (id and tool)."""
    builder = TraceBuilder(format="made")
    for number, made in enumerate(steps):
        if isinstance(made, list):
            builder.step(
                kind="action", role="assistant", agent="clerk", native_index=number, calls=made
            )
        else:
            builder.step(
                kind="result",
                role="tool",
                agent="tool",
                native_index=number,
                text="12",
                call_id=made[0],
                tool=made[1],
            )
    return builder.build()


def test_calls_of_one_step_that_share_an_id_are_answered_in_order() -> None:
    trace = chat(call("ask", "tell", id="1"), ("1", "ask"), ("1", "tell"))
    assert [each.result_step for each in trace.steps[0].tool_calls] == [1, 2]
    assert not trace.diagnostics


def test_an_id_that_comes_again_means_the_later_call() -> None:
    trace = chat(call("ask", id="1"), call("ask", id="1"), ("1", "ask"))
    assert trace.steps[0].tool_calls[0].result_step is None
    assert trace.steps[1].tool_calls[0].result_step == 2


def test_an_answer_too_many_is_noted() -> None:
    trace = chat(call("ask", id="1"), ("1", "ask"), ("1", "ask"))
    assert trace.steps[2].tool_result is not None and trace.steps[2].tool_result.call_step is None
    assert [note.kind for note in trace.diagnostics] == ["missing"]


def test_an_exit_code_may_have_any_number_of_digits() -> None:
    error = infer_error("exit code: " + "9" * 5000)
    assert error is not None and not error.declared
    assert infer_error("exit code: 0") is None


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
