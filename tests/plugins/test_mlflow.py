"""MLflow: traces of both versions, rows of ``search_traces``, and the team story."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from traceloc import load
from traceloc.loading import Head
from traceloc_plugins.mlflow.loader import MLflowLoader


def test_a_trace(load_one, documents) -> None:
    trace = load_one(documents["mlflow"])
    told = [(s.kind, s.agent, s.text, s.native_index) for s in trace.steps]
    assert told == [
        ("message", "user", "How many lamps are left?", 1),
        ("action", "clerk", "", 1),
        ("result", "stock", "no such sku", 2),
        ("message", "clerk", "Twelve.", 3),
    ]
    assert (trace.id, trace.system, trace.session_id) == ("tr-7", "shop", "s-1")
    assert trace.steps[1].tool_calls[0].result_step == 2
    assert trace.steps[1].model == "m"
    failed = trace.steps[2].error
    assert failed is not None and failed.declared
    assert trace.attributes["mlflow.source.name"] == "shop.py"


def test_openai_s_agents_say_it_in_their_own_words(load_one, documents) -> None:
    """The span of a response has instructions and usage as the SDK calls them."""
    document = copy.deepcopy(documents["mlflow"])
    about = document["data"]["spans"][1]["attributes"]
    about["instructions"] = json.dumps("You keep the stock.")
    about["usage"] = json.dumps({"input_tokens": 21, "output_tokens": 4, "total_tokens": 25})
    trace = load_one(document)
    assert [(s.kind, s.text, s.to) for s in trace.steps[:2]] == [
        ("system", "You keep the stock.", ("clerk",)),
        ("message", "How many lamps are left?", ("clerk",)),
    ]
    assert [(s.usage.input, s.usage.output) for s in trace.steps if s.usage] == [(21, 4)]
    assert trace.agent("clerk").instructions == "You keep the stock."


def test_assessments_are_out_of_reach(load_one, documents) -> None:
    trace = load_one(documents["mlflow"])
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "label")
    assert trace.truth is not None and trace.truth.expected == "Eleven."
    assert "Eleven" not in trace.blind().model_dump_json()
    bare = copy.deepcopy(documents["mlflow"])
    del bare["info"]["assessments"]
    assert load_one(bare).steps == trace.steps


def as_version_2(document: dict) -> str:
    """Ids in hex in a context of their own, the trace's id called the request's."""
    spans = []
    for number, span in enumerate(document["data"]["spans"], 1):
        context = {"trace_id": "0x1f", "span_id": f"0x{number:x}"}
        parent = None if span["parent_span_id"] is None else "0x1"
        times = {"start_time": span["start_time_unix_nano"], "end_time": span["end_time_unix_nano"]}
        status = span["status"]
        code = {"status_code": status["code"].removeprefix("STATUS_CODE_")}
        plain = {key: span[key] for key in ("name", "events", "attributes")}
        spans.append({**plain, **times, **code, "context": context, "parent_id": parent})
        spans[-1]["status_message"] = status["message"]
    info = dict(document["info"])
    info["request_id"], info["status"] = info.pop("trace_id"), info.pop("state")
    info["request_metadata"] = info.pop("trace_metadata")
    return json.dumps({"info": info, "data": {"spans": spans, "request": "", "response": ""}})


def as_row(document: dict) -> str:
    """A row of ``search_traces``: the trace as one text, and most of it in columns again."""
    info = document["info"]
    row = {"trace_id": info["trace_id"], "trace": json.dumps(document), "state": "OK"}
    row |= {"trace_metadata": info["trace_metadata"], "tags": info["tags"]}
    return json.dumps({**row, "spans": document["data"]["spans"], "assessments": []}) + "\n"


def as_columns(document: dict) -> str:
    """A row whose column with the whole trace was dropped."""
    row = json.loads(as_row(document))
    del row["trace"]
    return json.dumps({**row, "assessments": document["info"]["assessments"]}) + "\n"


@pytest.mark.parametrize("shape", [as_version_2, as_row, as_columns])
def test_other_shapes_tell_the_same(load_one, documents, shape) -> None:
    whole, other = load_one(documents["mlflow"]), load_one(shape(documents["mlflow"]))
    assert (other.format, other.id, other.outcome) == ("mlflow", "tr-7", whole.outcome)
    assert (other.system, other.session_id) == (whole.system, whole.session_id)
    elsewhere = {"line": None, "span_id": None}
    assert [s.model_copy(update=elsewhere) for s in other.steps] == [
        s.model_copy(update=elsewhere) for s in whole.steps
    ]


def test_several_traces_in_a_file(load_all, documents) -> None:
    second = copy.deepcopy(documents["mlflow"])
    second["info"]["trace_id"] = "tr-8"
    lines = json.dumps(documents["mlflow"]) + "\n" + json.dumps(second) + "\n"
    assert [trace.id for trace in load_all(lines)] == ["tr-7", "tr-8"]
    listed = json.dumps([documents["mlflow"], second])
    assert [trace.id for trace in load_all(listed)] == ["tr-7", "tr-8"]


def test_a_cut_trace_is_read_as_far_as_it_goes(load_one, documents, tmp_path: Path) -> None:
    """Trap 10."""
    path = tmp_path / "cut.json"
    text = json.dumps(documents["mlflow"])
    path.write_text(text[: text.index("no such sku")])
    (trace,) = load(path)
    assert [step.kind for step in trace.steps[:2]] == ["message", "action"]


def test_sniffing_wants_the_info_of_a_trace(documents) -> None:
    def score(value: object) -> float:
        return MLflowLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    assert score(documents["mlflow"]) > 0.9
    assert score({"info": {"reward_info": {}}, "data": {}}) == 0.0
    assert score({"trace_id": "1", "span_id": "2", "attributes": {}}) == 0.0
    assert score({"trace_id": "1", "trace": "a note"}) == 0.0


@pytest.mark.parametrize("name", ["mlflow_trace_0.json", "mlflow_search_traces.jsonl"])
def test_the_team_story(shared: Path, name: str) -> None:
    (trace,) = load(shared / "samples" / "mlflow" / name, strict=True)
    ((booking, made),) = [(s, c) for s in trace.steps for c in s.tool_calls if c.name == "book"]
    assert (booking.agent, made.arguments) == ("booker", {"flight_id": "LH123"})
    assert made.result_step is not None and trace.steps[made.result_step].text == "booked LH123"
    failed = [s for s in trace.steps if s.error]
    assert [s.tool_result.name for s in failed if s.tool_result] == ["get_fx_rate"]
    (edge,) = [s for s in trace.steps if "booker" in s.to and s.kind == "handoff"]
    assert edge.agent == "researcher"
    # Trap 1: the hand-off was raised as an exception, and MLflow calls that an error.
    assert {s.name for s in trace.spans if s.status == "control_flow"} >= {"researcher"}
    assert trace.outcome.status == "unknown"
    assert sum(s.usage.input or 0 for s in trace.steps if s.usage) == 460
    workers = [a.name for a in trace.agents if a.kind in ("worker", "orchestrator")]
    assert workers == ["researcher", "booker"]
    assert (trace.system, trace.session_id) == ("travel_desk", "thread-42")
