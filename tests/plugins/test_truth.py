"""One vocabulary of ground truth, for fields of records and for attributes of spans."""

from __future__ import annotations

import pytest

from traceloc_plugins.truth import is_truth, is_truth_attribute

EVERYWHERE = ["ground_truth", "expected_answer", "mistake_step", "is_correct", "reward", "verdict"]
EVERYWHERE += ["score", "scores", "feedback", "evaluation", "annotation", "label", "root_cause_id"]
EVERYWHERE += ["golden_output", "step_labels", "failure_mode", "human_feedback", "grades"]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_words_are_truth_wherever_they_stand(name: str) -> None:
    assert is_truth(name)
    assert is_truth_attribute(name)
    assert is_truth_attribute(f"{name}.value") or is_truth_attribute(f"app.metadata.{name}")


@pytest.mark.parametrize("name", ["target", "reference", "answer", "solution", "gt"])
def test_a_bare_word_is_truth_of_a_record_only(name: str) -> None:
    """An event's ``target`` and a request's ``http.target`` are no answers."""
    assert is_truth(name)
    assert not is_truth_attribute(name)
    assert not is_truth_attribute(f"http.{name}")


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.evaluation.score.value",
        "gen_ai.evaluation.name",
        "langfuse.trace.metadata.expected_output",
        "eval.correctness.label",
        "braintrust.expected_result",
    ],
)
def test_dotted_names(name: str) -> None:
    assert is_truth_attribute(name)


@pytest.mark.parametrize(
    "name",
    [
        "retrieval.documents.0.document.score",
        "llm.output_messages.0.message.content",
        "gen_ai.output.messages",
        "tool.parameters",
        "output.value",
        "gen_ai.tool.call.result",
        "session.id",
        "retry_count",
        "labelled",
    ],
)
def test_what_the_agents_saw_is_no_truth(name: str) -> None:
    assert not is_truth_attribute(name)


def test_success_is_an_outcome_of_a_run_only() -> None:
    assert is_truth("success", whole_trace=True)
    assert not is_truth("success")


def test_long_names_are_data() -> None:
    assert not is_truth("score_" + "x" * 80)
    assert not is_truth_attribute("score." + "x" * 300)
