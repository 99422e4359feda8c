"""Langfuse: exports of every age, with any framework inside."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from traceloc import load
from traceloc.loading import Head
from traceloc_plugins.langfuse.loader import LangfuseLoader

AGENTS = {
    "agno-2025-06-11": "agent",
    "beeai-2025-08-01": "ReActAgent",
    "claude-agent-2025-12-22": "agent",
    "crewai-2025-07-11": "Software developer",
    "google-adk-2025-08-28": "hello_agent",
    "openai-agents-2025-09-30": "Hello world",
    "pydantic-ai-tools-2025-12-04": "joke_agent",
}
"""Who acts first in some of the samples."""


def test_a_trace_with_its_observations(load_one, documents) -> None:
    trace = load_one(documents["langfuse"])
    told = [(s.kind, s.agent, s.text, s.native_index) for s in trace.steps]
    assert told == [
        ("message", "user", "How many lamps are left?", 1),
        ("action", "clerk", "", 1),
        ("result", "stock", "no such sku", 2),
        ("message", "clerk", "Twelve.", 3),
    ]
    action, failed = trace.steps[1:3]
    assert action.tool_calls[0].arguments == {"sku": 8}
    assert action.tool_calls[0].result_step == failed.index
    assert failed.error is not None and failed.error.declared
    assert action.usage is not None and (action.usage.input, action.usage.output) == (9, 2)
    assert action.model == "m"
    assert (trace.id, trace.system, trace.session_id) == ("t-7", "shop", "s-1")
    assert trace.agent("clerk").attribution == "ancestor"  # the observation above says it
    assert all(s.timestamp is not None and s.timestamp.tzinfo for s in trace.steps)
    assert [given.step for given in trace.steps[3].inputs or ()] == [0, 1]


def test_scores_and_expected_answers_are_out_of_reach(load_one, documents) -> None:
    trace = load_one(documents["langfuse"])
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "label")
    assert trace.truth is not None and trace.truth.fields["metadata"] == {
        "expected_answer": "Eleven."
    }
    seen = trace.blind().model_dump_json()
    assert "Eleven" not in seen and "is correct" not in seen
    bare = copy.deepcopy(documents["langfuse"])
    bare["trace"]["scores"] = []
    bare["trace"]["metadata"] = None
    assert load_one(bare).steps == trace.steps


def test_what_an_evaluator_says_is_no_step(load_one, documents) -> None:
    document = documents["langfuse"]
    judge, call = copy.deepcopy(document["observations"][:2])
    judge |= {"id": "o8", "type": "EVALUATOR", "name": "judge", "input": "x", "output": "bad"}
    call |= {"id": "o9", "parentObservationId": "o8", "output": "It is wrong."}
    document["observations"] += [judge, call]
    trace = load_one(document)
    assert len(trace.steps) == 4 and len(trace.spans) == 6
    assert trace.truth is not None and "It is wrong." in str(trace.truth.fields["o9"])
    assert "It is wrong." not in trace.blind().model_dump_json()


def as_api(document: dict) -> str:
    """``GET /api/public/traces/ID``: the observations inside the trace."""
    return json.dumps({**document["trace"], "observations": document["observations"]})


def as_rows(document: dict) -> str:
    """Rows of observations, one a line, in an export to files."""
    names = {"traceId": "trace_id", "parentObservationId": "parent_observation_id"}
    names |= {"startTime": "start_time", "endTime": "end_time", "usageDetails": "usage_details"}
    names |= {"statusMessage": "status_message"}
    return "".join(
        json.dumps({names.get(key, key): value for key, value in row.items()}) + "\n"
        for row in document["observations"]
    )


def as_page(document: dict) -> str:
    """``GET /api/public/observations``: a page of them."""
    return json.dumps({"data": document["observations"], "meta": {"page": 1}})


@pytest.mark.parametrize("shape", [as_api, as_rows, as_page])
def test_other_exports_tell_the_same(load_one, documents, shape) -> None:
    document = documents["langfuse"]
    whole = load_one(document)
    other = load_one(shape(document))
    assert (other.format, other.id) == ("langfuse", "t-7")
    without_line = {"line": None}
    assert [s.model_copy(update=without_line) for s in other.steps] == [
        s.model_copy(update=without_line) for s in whole.steps
    ]


def test_a_download_without_contents_is_structure_only(load_one, documents) -> None:
    """Trap 6: the user interface leaves inputs and outputs out."""
    for row in documents["langfuse"]["observations"]:
        del row["input"], row["output"]
        row["level"] = "DEFAULT"
    trace = load_one(documents["langfuse"])
    (missing,) = [d.message for d in trace.diagnostics if "structure only" in d.message]
    assert "/api/public/traces" in missing


def test_a_trace_without_observations_still_says_what_was_asked(load_one, documents) -> None:
    document = documents["langfuse"]
    document["trace"] |= {"input": "How many?", "output": "Twelve."}
    document["observations"] = []
    trace = load_one(document)
    assert [s.text for s in trace.steps] == ["How many?", "Twelve."]
    assert any("observations" in d.message for d in trace.diagnostics)
    # A page of the list of traces names the observations and nothing more.
    row = {**document["trace"], "projectId": "p", "observations": ["o1", "o2"]}
    assert load_one({"data": [row], "meta": {}}).steps == trace.steps


def test_a_handoff_raised_as_an_exception_is_no_error(load_one, documents) -> None:
    """Trap 1: Langfuse marks LangGraph's hand-offs as errors."""
    row = documents["langfuse"]["observations"][2]
    row |= {"name": "transfer_to_buyer", "statusMessage": "ParentCommand(Command(graph='__p'))"}
    call = json.dumps({"role": "assistant", "tool_calls": [{"name": row["name"], "args": {}}]})
    documents["langfuse"]["observations"][1]["output"] = call
    trace = load_one(documents["langfuse"])
    assert not any(step.error for step in trace.steps)
    assert (trace.steps[1].kind, trace.steps[1].to) == ("handoff", ("buyer",))


def test_sniffing_wants_observations(documents) -> None:
    def score(value: object) -> float:
        return LangfuseLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    assert score(documents["langfuse"]) > 0.9
    assert score({"trace": {}, "observations": [{"step": 1}]}) == 0.0
    assert score({"observations": ["a", "b"]}) == 0.0
    assert score({"data": [{"traceID": "1", "spans": []}]}) == 0.0


def test_every_sample(shared: Path) -> None:
    paths = sorted((shared / "samples" / "langfuse").rglob("*.json"))
    assert paths
    for path in paths:
        (trace,) = load(path, strict=True)
        assert trace.format == "langfuse", path
        assert trace.steps and trace.task, path
        native = {step.native_index for step in trace.steps}
        assert native <= set(range(len(trace.spans)))
        workers = [a.name for a in trace.agents if a.kind in ("worker", "orchestrator")]
        assert workers and not {"OpenAI Agent", "ai.generateText", "LangGraph"} & set(workers)
        for framework, name in AGENTS.items():
            if framework in path.name:
                assert workers[0] == name, path
        for step in trace.steps:
            result = step.tool_result
            assert result is None or (result.call_step is not None), (path, step.index)
        asked = {call.name for step in trace.steps for call in step.tool_calls}
        assert asked <= {tool.name for tool in trace.tools} | {"final_result"}, path


def test_a_conversation_in_one_text(shared: Path) -> None:
    """Trap 7 and more: inputs that were turned into text on the way."""
    name = "framework-traces__autogen-2025-06-06.trace.json"
    (trace,) = load(shared / "samples" / "langfuse" / name, strict=True)
    assert [step.role for step in trace.steps] == ["system", "user", "assistant"]
    assert trace.steps[1].text == "Say 'Hello World!'"


def test_scores_of_a_sample_are_truth(shared: Path) -> None:
    name = "framework-traces__microsoft-agent-2025-12-17.trace.json"
    (trace,) = load(shared / "samples" / "langfuse" / name, strict=True)
    assert trace.outcome.status == "passed"
    assert trace.truth is not None and trace.truth.fields["scores"]
    assert "correctness" not in trace.blind().model_dump_json()
