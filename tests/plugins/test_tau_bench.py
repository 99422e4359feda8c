from __future__ import annotations


def test_reward_and_script_stay_out_of_sight(load_one, documents):
    trace = load_one(documents["tau_bench"])

    assert (trace.format, trace.id) == ("tau_bench", "4.1")
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "score")
    assert trace.task == "How many lamps are left?"
    assert trace.truth.expected == {"actions": [{"name": "refund"}]}
    assert "angry" not in trace.blind().model_dump_json()
    assert "refund" not in trace.blind().model_dump_json()
    assert trace.agent("user").kind == "human"
    assert trace.steps[3].error is not None


def test_a_list_of_trials(load_all, documents):
    run = documents["tau_bench"]
    passed = run | {"trial": 2, "reward": 1.0}
    assert [(trace.id, trace.outcome.status) for trace in load_all([run, passed])] == [
        ("4.1", "failed"),
        ("4.2", "passed"),
    ]


def test_published_runs(shared):
    from traceloc import load

    traces = list(load(shared / "samples" / "tau_bench"))
    assert len(traces) == 200
    assert sum(trace.outcome.status == "failed" for trace in traces) == 116
    assert all(trace.steps[0].kind == "system" for trace in traces)
