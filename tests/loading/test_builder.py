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


def test_an_exit_code_decides_before_the_words():
    log = "Traceback (most recent call last):\n  File 'a.py'\nValueError: of yesterday"
    assert infer_error(log) is not None
    assert infer_error(f"exitcode: 0 (execution succeeded)\n{log}") is None
    assert infer_error(f"<returncode>0</returncode>\n<output>{log}") is None
    assert infer_error(f"exit code: 01{log}") is not None
    builder = TraceBuilder(format="x")
    for code in (0, 124, None):
        builder.step(
            kind="result", role="tool", agent="sh", native_index=0, text=log, exit_code=code
        )
    errors = [step.error for step in builder.steps]
    assert errors[0] is None
    assert (errors[1].kind, errors[1].message) == ("timeout", "exit code 124")
    assert errors[2].type == "ValueError"


def test_truth_may_have_any_name():
    builder = TraceBuilder(format="x")
    builder.truth(**{"self": 1, "expected": 2})
    truth = builder.build().truth
    assert (truth.fields, truth.expected) == ({"self": 1}, 2)


def test_what_is_told_of_a_tool_later_is_added():
    builder = TraceBuilder(format="x")
    builder.tool("stock")
    builder.tool("stock", description="counts", parameters={"type": "object"})
    builder.tool("stock", description="other", parameters={"type": "array"})
    (tool,) = builder.build().tools
    assert (tool.description, tool.parameters) == ("counts", {"type": "object"})
