from __future__ import annotations

import pytest

TRUTH = ("is_correct", "ground_truth", "mistake_agent", "mistake_step", "mistake_reason")


def test_answers_become_truth(load_one, documents):
    trace = load_one(documents["who_and_when"])

    assert trace.format == "who_and_when"
    assert [(step.agent, step.kind) for step in trace.steps] == [
        ("Planner", "message"),
        ("Shell", "result"),
        ("Clerk", "message"),
    ]
    assert trace.steps[1].error is not None
    assert trace.agent("Shell").kind == "tool"
    assert trace.agent("Clerk").instructions == "You count."
    (label,) = trace.truth.labels
    assert (label.native_index, label.agent, label.reason) == (2, "Clerk", "made up")
    assert trace.truth.expected == "11"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "label")
    assert not trace.attributes


def test_reads_the_same_without_answers(load_one, documents):
    run = documents["who_and_when"]
    bare = {key: value for key, value in run.items() if key not in TRUTH}
    with_truth, without = load_one(run), load_one(bare)
    assert without.truth is None and without.outcome.status == "unknown"
    assert with_truth.blind() == without.blind()


@pytest.mark.parametrize("author", ["name", "agent", "speaker", "role"])
@pytest.mark.parametrize("words", ["content", "text"])
def test_variants_of_keys(load_one, documents, author, words):
    run = documents["who_and_when"]
    history = [{author: item["name"], words: item["content"]} for item in run["history"]]
    trace = load_one({"history": history, "question": run["question"]})
    assert trace.format == "who_and_when"
    assert [step.agent for step in trace.steps] == ["Planner", "Shell", "Clerk"]
    assert trace.agent("Shell").kind == "tool"
    assert trace.agent("Clerk").kind == "worker"


@pytest.mark.parametrize("author", ["role", "name", "speaker"])
def test_orders_in_parentheses(load_one, documents, author):
    history = [
        {author: item["role"], "content": item["content"]} for item in documents["magentic_one"]
    ]
    trace = load_one({"history": history, "question": "How many?", "mistake_step": "3"})
    assert trace.steps[2].to == ("Clerk",)
    assert trace.agent("Boss").kind == "orchestrator"
    assert trace.truth.labels[0].native_index == 3
