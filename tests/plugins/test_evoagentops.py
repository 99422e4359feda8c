from __future__ import annotations


def test_an_item_is_a_step_and_its_results(load_one, documents):
    trace = load_one(documents["evoagentops"])

    assert trace.format == "evoagentops"
    assert [(step.native_index, step.kind, step.agent) for step in trace.steps] == [
        (0, "action", "counter"),
        (0, "result", "stock"),
        (1, "message", "writer"),
    ]
    assert trace.steps[0].tool_calls[0].result_step == 1
    assert trace.steps[0].usage.input == 5 and trace.steps[0].model == "m"
    assert trace.steps[0].timestamp.year == 2026
    assert trace.task == "How many lamps?"
    assert [span.id for span in trace.spans] == ["0x1", "0x2"]


def test_inputs_are_kept_and_point_to_what_they_repeat(load_one, documents):
    trace = load_one(documents["evoagentops"])
    assert trace.steps[0].inputs[0].text == "How many lamps?"
    assert (trace.steps[2].inputs[0].step, trace.steps[2].inputs[0].text) == (1, "")


def test_the_position_counts_and_not_the_number(load_one, documents):
    first, second = documents["evoagentops"]
    trace = load_one(["noise", second | {"step": 40}, first | {"step": 7}])
    assert [step.native_index for step in trace.steps] == [1, 2, 2]


def test_a_span_recorded_twice_is_flagged(load_one, documents):
    first, second = documents["evoagentops"]
    trace = load_one([first, second, second])
    assert trace.steps[-1].flags == ("duplicate",)
