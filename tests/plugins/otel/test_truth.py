"""What judges a run is no part of what a signal may read."""

from __future__ import annotations

OPERATION = "gen_ai.operation.name"


def test_what_judges_the_run_is_out_of_reach(otel) -> None:
    run = otel.small_run()
    run[3]["attributes"] += otel.pairs(
        {
            "feedback.score": 1,
            "ground_truth": "18",
            "langfuse.trace.metadata.expected_output": "18",
            "reference_answer": "18",
        }
    )
    run[3]["events"] = [
        {
            "name": "gen_ai.evaluation.result",
            "attributes": otel.pairs({"gen_ai.evaluation.name": "ok"}),
        }
    ]
    trace = otel.read(otel.otlp(*run))
    assert trace.truth is not None and "ground_truth" in str(trace.truth.fields)
    seen = trace.blind().model_dump_json()
    words = ("ground_truth", "evaluation", "feedback", "expected_output", "reference_answer")
    assert not [word for word in words if word in seen]
