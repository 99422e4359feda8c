from __future__ import annotations

import json

import pytest


def test_simulation(load_one, documents):
    trace = load_one(documents["tau2"])
    assert (trace.format, trace.id, trace.system) == ("tau2", "sim-1", "shop")
    assert [(s.native_index, s.kind, s.role, s.agent) for s in trace.steps] == [
        (0, "message", "assistant", "assistant"),
        (1, "action", "user", "user"),
        (2, "result", "tool", "look"),
        (3, "action", "assistant", "assistant"),
        (4, "result", "tool", "stock"),
        (4, "result", "tool", "stock"),
        (5, "message", "assistant", "assistant"),
    ]
    used, made = trace.steps[1], trace.steps[3]
    assert used.tool_calls[0].result_step == 2
    assert [call.result_step for call in made.tool_calls] == [4, 5]
    assert made.usage.cost_usd == 0.01 and made.usage.input == 5
    assert [bool(s.error) for s in trace.steps[4:6]] == [True, False]
    assert trace.steps[4].error.declared
    assert trace.agent("assistant").instructions == "Be kind."
    assert trace.attributes["termination_reason"] == "user_stop"


def test_reviews_and_rewards_are_truth(load_one, documents):
    trace = load_one(documents["tau2"])
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "score")
    (label,) = trace.truth.labels
    # The gravest error, by the message that has its turn's number and not by that number.
    assert (label.native_index, label.agent, label.category) == (3, "assistant", "wrong_tool")
    assert trace.truth.expected == {"actions": [{"name": "refund"}]}
    blind = trace.blind().model_dump_json()
    for secret in ("31415", "wrong lamp", "refund", "reward", "review"):
        assert secret not in blind
    bare = documents["tau2"]
    for key in ("review", "reward_info"):
        bare["simulations"][0].pop(key)
    assert load_one(bare).steps == trace.steps


def test_no_label_for_what_went_well(load_one, documents):
    run = documents["tau2"]["simulations"][0]
    run["reward_info"]["reward"] = 1.0
    trace = load_one(documents["tau2"])
    assert trace.outcome.status == "passed" and trace.truth.labels == ()
    assert "review" in trace.truth.fields


@pytest.mark.parametrize("shape", ["one", "lines", "list", "far"])
def test_shapes(load_all, documents, shape):
    document = documents["tau2"]
    run = document["simulations"][0]
    if shape == "far":  # the simulations stand behind what is looked at
        document["tasks"] *= 3000
    text = {
        "one": run,
        "lines": f"{json.dumps(run)}\n{json.dumps(run)}\n",
        "list": [run, run],
        "far": document,
    }[shape]
    traces = load_all(text)
    assert len(traces) == (2 if shape in ("lines", "list") else 1)
    assert all(trace.format == "tau2" and len(trace.steps) == 7 for trace in traces)
