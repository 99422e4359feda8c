"""LangSmith runs and LangChain's messages, told in many ways; the database is tested apart."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from traceloc import load

FAR = "2026-03-09T10:00:05+00:00"
_PARTS = runpy.run_path(str(Path(__file__).with_name("documents") / "langgraph.py"))
ai, CHAT, STORY, shown = (_PARTS[name] for name in ("ai", "CHAT", "STORY", "shown"))


def test_runs_become_what_the_agents_did(load_one, documents):
    trace = load_one(documents["langgraph"])
    assert (trace.format, trace.dialect, trace.id) == ("langgraph", "langsmith", "r0")
    assert (trace.system, trace.session_id) == ("shop", "t-7")
    assert trace.task == "How many lamps are left?"
    assert [(s.native_index, s.kind, s.agent, s.to) for s in trace.steps] == [
        (2, "system", "system", ("clerk",)),
        (2, "message", "user", ("clerk",)),
        (2, "action", "clerk", ()),
        (3, "result", "stock", ()),
        (4, "handoff", "clerk", ("writer",)),
        (5, "result", "transfer_to_writer", ()),
        (7, "message", "writer", ()),
    ]
    asked, failed, handed, over = trace.steps[2:6]
    assert asked.tool_calls[0].result_step == 3 and asked.model == "m-1"
    assert (asked.usage.input, asked.usage.output, asked.usage.cache_read) == (9, 3, 4)
    assert asked.llm_call_id == "m1" and [m.step for m in asked.inputs] == [0, 1]
    assert asked.timestamp.isoformat() == FAR
    assert (failed.error.type, failed.error.message) == ("ValueError", "no such sku")
    assert failed.error.declared and handed.error is None and over.error is None
    assert over.text == "Over to you"
    assert [span.status for span in trace.spans if span.name == "clerk"] == ["control_flow"]
    assert trace.agent("clerk").instructions == "You count."
    (stock,) = (tool for tool in trace.tools if tool.name == "stock")
    assert stock.parameters == {"type": "object"}


def test_feedback_is_truth(load_one, documents):
    trace = load_one(documents["langgraph"])
    assert "correctness" in json.dumps(trace.truth.fields)
    assert "correctness" not in trace.blind().model_dump_json()


def nested(runs):
    by_id = {run["id"]: {**run, "child_runs": []} for run in runs}
    for run in by_id.values():
        if parent := by_id.get(run.pop("parent_run_id")):
            parent["child_runs"].append(run)
    return by_id["r0"]


def parts(runs):
    for run in runs:
        run = dict(run)
        apart = {key: run.pop(key) for key in ("inputs", "outputs", "extra") if key in run}
        yield {"part": f"post.{_uuid(run['id'])}", "data": _renamed(run)}
        for key, data in apart.items():
            yield {"part": f"post.{_uuid(run['id'])}.{key}", "data": data}


def _uuid(id):
    return f"00000000-0000-0000-0000-00000000000{id[1:]}"


def _renamed(run):
    ids = ("id", "trace_id", "parent_run_id")
    return {**run, **{key: _uuid(run[key]) for key in ids if run.get(key)}}


@pytest.mark.parametrize("shape", ["nested", "lines", "page", "newest first", "parts"])
def test_containers_of_runs(load_one, documents, shape):
    runs = documents["langgraph"]
    expected = load_one(runs)
    document = {
        "nested": nested(runs),
        "lines": "\n".join(map(json.dumps, runs)),
        "page": {"runs": runs, "cursors": {}},
        "newest first": runs[::-1],
        "parts": "\n".join(map(json.dumps, parts(runs))),
    }[shape]
    trace = load_one(document)
    assert shown(trace) == shown(expected)
    assert [s.text for s in trace.steps] == [s.text for s in expected.steps]


def test_parents_out_of_the_dotted_order(load_one, documents):
    runs = documents["langgraph"]
    order = {}
    for run in runs:
        above = order.get(run.pop("parent_run_id"), "")
        place = f"20260309T100000000000Z{_uuid(run['id'])}"
        order[run["id"]] = run["dotted_order"] = f"{above}.{place}".lstrip(".")
        run["id"] = _uuid(run["id"])
        del run["trace_id"]
    trace = load_one(runs)
    assert trace.id == _uuid("r0") and len(shown(trace)) == 7


def test_a_run_that_kept_only_its_state(load_one, documents):
    root = documents["langgraph"][0]
    root["outputs"] = {"messages": CHAT}
    trace = load_one([root])
    assert shown(trace) == STORY and trace.system == "shop" and len(trace.spans) == 1
    root["outputs"] = {"output": "Twelve."}
    trace = load_one([root])
    assert [s.text for s in trace.steps if s.role == "assistant"] == ["Twelve."]


def test_runs_as_a_collector_keeps_them(load_one, documents):
    runs = documents["langgraph"]
    expected = load_one(runs)
    said = runs[2]["outputs"]["generations"][0][0]
    said["message"] = {"__lc_escaped__": said["message"]}
    runs[2]["inputs"] = {"prompts": ["System: You count.\nHuman: How many lamps are left?"]}
    chat = "System: You count.\nHuman: How many lamps are left?\nAI: [{'name': 'stock'}]"
    runs[4]["inputs"] = {"prompts": [f"{chat}\nTool: no such sku"]}
    trace = load_one(runs)
    assert shown(trace) == shown(expected)
    assert [m.step for m in trace.steps[4].inputs] == [0, 1, 3]


def dumped(message):
    kwargs = {key: value for key, value in message.items() if key != "type"}
    name = {"ai": "AIMessage", "human": "HumanMessage"}.get(message["type"])
    name = name or f"{message['type'].title()}Message"
    return {"lc": 1, "type": "constructor", "id": ["langchain", name], "kwargs": kwargs}


@pytest.mark.parametrize("shape", ["plain", "to_dict", "dumpd", "state", "values", "lines"])
def test_messages_however_they_were_written(load_one, shape):
    document = {
        "plain": CHAT,
        "to_dict": [{"type": message["type"], "data": message} for message in CHAT],
        "dumpd": [dumped(message) for message in CHAT],
        "state": {"messages": CHAT, "remaining_steps": 3, "reward": 0.0},
        "values": {"values": {"messages": CHAT}, "next": []},
        "lines": "\n".join(map(json.dumps, CHAT)),
    }[shape]
    trace = load_one(document)
    assert shown(trace) == STORY
    assert [s.native_index for s in trace.steps] == list(range(7))
    assert trace.steps[2].tool_calls[0].arguments == {"sku": 7}
    assert trace.steps[3].error.declared and trace.steps[6].text == "Twelve."
    if shape == "state":
        assert trace.attributes == {"remaining_steps": 3}
        assert (trace.outcome.status, trace.truth.fields) == ("failed", {"reward": 0.0})


def test_habits_of_messages(load_one):
    broken = [{"name": "stock", "args": '{"sku": ', "id": "c9", "error": None}]
    back = {"__is_handoff_back": True}
    trace = load_one(
        [
            {"type": "human", "content": "Count."},
            {"type": "human", "content": "I counted.", "name": "Counter", "additional_kwargs": {}},
            ai("", invalid_tool_calls=broken),
            ai("Back.", name="agent", response_metadata=back | {"model_name": "m-2"}),
            {"type": "remove", "content": "", "id": "h1"},
            ai("Twelve.", id="x", usage_metadata={"input_tokens": 2, "output_tokens": 1}),
            ai("Twelve.", id="x", usage_metadata={"input_tokens": 2, "output_tokens": 1}),
        ]
    )
    said, counted, wrong, again, twelve, twice = trace.steps
    assert said.agent == "user" and (counted.agent, counted.role) == ("Counter", "assistant")
    assert wrong.error.kind == "parse" and wrong.tool_calls[0].arguments == '{"sku": '
    assert (again.agent, again.flags, again.model) == ("assistant", ("synthetic",), "m-2")
    assert twelve.flags == () and twice.flags == ("duplicate",)
    assert twelve.llm_call_id == twice.llm_call_id == "x"
    assert [d.message for d in trace.diagnostics if d.kind == "skipped"]


SAMPLES = [
    "langgraph/langchain_messages_to_dict_openinference.json",
    "langgraph/langgraph_astream_events_v2.jsonl",
    "langgraph/langgraph_messages_model_dump_openinference.json",
    "langgraph/langgraph_state_dumpd_openinference.json",
    "langgraph/langgraph_state_history_openinference.json",
    "langgraph/langgraph_stream_updates.jsonl",
    "langgraph/langgraph_openinference.sqlite",
    "langsmith/langsmith_ingest_multipart_parts.jsonl",
    "langsmith/langsmith_run_tree.json",
    "langsmith/langsmith_runs_flat.json",
]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_team_story(shared, name):
    (trace,) = load(shared / "samples" / name, strict=True)
    assert trace.format == "langgraph"
    ((step, made),) = [(s, c) for s in trace.steps for c in s.tool_calls if c.name == "book"]
    assert (step.agent, made.arguments) == ("booker", {"flight_id": "LH123"})
    assert trace.steps[made.result_step].text == "booked LH123"
    assert [s.tool_result.name for s in trace.steps if s.error] == ["get_fx_rate"]
    assert [(s.kind, s.agent) for s in trace.steps if "booker" in s.to and s.tool_calls] == [
        ("handoff", "researcher")
    ]
    over = next(s for s in trace.steps if s.kind == "handoff")
    assert trace.steps[over.tool_calls[0].result_step].text == "Transferred to booker"
    workers = {agent.name for agent in trace.agents if agent.kind == "worker"}
    assert workers == {"researcher", "booker"}
    assert sum(s.usage.output for s in trace.steps if s.usage) == 4 * 12
    assert not any(span.status == "error" for span in trace.spans if span.kind != "tool")


def test_runs_of_a_trace_may_come_in_several_files(load_one, documents, tmp_path):
    runs = documents["langgraph"]
    whole = load_one(runs)
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "0.json").write_text(json.dumps(runs[2:]))
    (folder / "1.jsonl").write_text("\n".join(map(json.dumps, runs[:2])))
    (folder / "said.json").write_text(json.dumps(CHAT))
    pages, said = sorted(load(folder, strict=True), key=lambda trace: len(trace.spans) == 0)
    assert (pages.id, len(pages.spans)) == (whole.id, len(whole.spans))
    assert [step.text for step in pages.steps] == [step.text for step in whole.steps]
    assert [step.text for step in said.steps] == [step.text for step in load_one(CHAT).steps]
