"""Calls of W&B Weave, as its client sends them."""

from __future__ import annotations

import json

import pytest

from traceloc import load
from traceloc_plugins.weave.loader import WeaveLoader


def call(number, op, parent, **fields):
    return {
        "id": f"w{number}",
        "trace_id": "t0",
        "parent_id": parent,
        "op_name": f"weave:///team/shop/op/{op}:0f",
        "started_at": f"2026-03-09T10:00:{number:02}Z",
        "ended_at": f"2026-03-09T10:00:{number:02}.500Z",
        "inputs": {},
        "attributes": {},
    } | fields


def test_functions_become_models_tools_and_agents(load_one, documents):
    trace = load_one(documents["weave"])
    assert (trace.format, trace.id, trace.session_id) == ("weave", "t0", "t-7")
    assert (trace.system, trace.task) == ("shop", "How many lamps are left?")
    assert [(s.native_index, s.kind, s.agent, s.to) for s in trace.steps] == [
        (2, "system", "system", ("Clerk",)),
        (2, "message", "user", ("Clerk",)),
        (2, "action", "Clerk", ()),
        (3, "result", "stock", ()),
        (4, "handoff", "Clerk", ("writer",)),
        (6, "handoff", "Clerk", ("writer",)),
        (6, "message", "writer", ()),
    ]
    asked, failed = trace.steps[2:4]
    assert asked.tool_calls[0].arguments == {"sku": 7} and asked.tool_calls[0].result_step == 3
    assert (asked.model, asked.llm_call_id) == ("m-1", "chat-2")
    assert (failed.error.type, failed.error.message) == ("ValueError", "no such sku")
    assert trace.agent("writer").parent == "Clerk"
    # Functions above a model call count its tokens again.
    assert sum(step.usage.input for step in trace.steps if step.usage) == 27
    assert trace.tools[0].name == "stock"


def test_ground_truth_is_kept_apart(load_one, documents):
    trace = load_one(documents["weave"])
    blind = trace.blind().model_dump_json()
    assert "31415" not in blind and "bad" not in blind
    assert "31415" in json.dumps(trace.truth.fields) and "bad" in json.dumps(trace.truth.fields)


@pytest.mark.parametrize("shape", ["lines", "page", "newest first"])
def test_containers(load_one, documents, shape):
    calls = documents["weave"]
    expected = [(s.kind, s.agent, s.text) for s in load_one(calls).steps]
    document = {
        "lines": "\n".join(map(json.dumps, calls)),
        "page": {"calls": calls},
        "newest first": calls[::-1],
    }[shape]
    assert [(s.kind, s.agent, s.text) for s in load_one(document).steps] == expected


def test_an_evaluation_is_a_run_each_example(load_all, documents):
    def example(number, verdict):
        name = f"w{number}"
        scored = {"output": "Twelve.", "scores": {"right": {"correct": verdict}}}
        run = [{**c, "id": f"{name}-{c['id']}"} for c in documents["weave"]]
        for inner in run:
            above = inner["parent_id"]
            inner["parent_id"] = f"{name}-{above}" if above else name
        judge = call(90 + number, "right", name, inputs={"expected": "31415"}, output={"ok": 1})
        # The scorer asks a model, which is nobody's step.
        opinion = {**documents["weave"][2], "id": f"{name}-o", "parent_id": judge["id"]}
        whole = call(number, "Evaluation.predict_and_score", "w99", output=scored)
        return [whole, *run, judge | {"started_at": "2026-03-09T11:00:00Z"}, opinion]

    around = call(99, "Evaluation.evaluate", None, output={"right": 0.5}, project_id="team/shop")
    failed, passed = load_all([around, *example(40, False), *example(50, True)])
    assert [failed.id, passed.id] == ["w40", "w50"]
    assert (failed.outcome.status, passed.outcome.status) == ("failed", "passed")
    for trace in (failed, passed):
        assert len(trace.steps) == 7 and trace.system == "shop"
        assert {a.name for a in trace.agents if a.kind == "worker"} <= {"Clerk", "writer"}
        assert "31415" not in trace.blind().model_dump_json()
        assert {step.native_index for step in trace.steps} <= set(range(len(trace.spans)))


def test_what_integrations_write(load_one):
    agents = {"agent_trace_id": "t", "agent_span_id": "s"}

    def sdk(number, kind, parent, shown, output=None, **metadata):
        return call(
            number,
            f"openai_agent_{kind}",
            parent,
            display_name=shown,
            attributes={"type": kind, **agents},
            output={"output": output, "metrics": {}, "metadata": metadata, "error": None},
        )

    reply = {"role": "assistant", "content": "Twelve."}
    lookup = sdk(2, "function", "w1", "stock", "12") | {"inputs": {"input": '{"sku": 7}'}}
    chain = call(6, "langchain.Llm.ChatAny", "w5", attributes={"weave": {"kind": "llm"}})
    chain["attributes"]["lc_id"] = "x"
    chain["inputs"] = {"messages": [[{"type": "human", "content": "Check."}]]}
    chain["output"] = {"run_type": "llm", "outputs": {"generations": [[{"text": "Fine."}]]}}
    trace = load_one(
        [
            call(0, "openai_agent_trace", None, attributes={"agent_trace_id": "t", "type": "task"}),
            sdk(1, "agent", "w0", "clerk"),
            lookup,
            sdk(3, "handoff", "w1", "Handoff", from_agent="clerk", to_agent="writer"),
            sdk(4, "generation", "w1", "Generation", [reply]),
            call(5, "check", "w0"),
            chain,
        ]
    )
    assert [(s.kind, s.agent, s.to, s.text) for s in trace.steps] == [
        ("action", "clerk", (), ""),
        ("result", "stock", (), "12"),
        ("handoff", "clerk", ("writer",), ""),
        ("message", "clerk", (), "Twelve."),
        ("message", "user", ("check",), "Check."),
        ("message", "check", (), "Fine."),
    ]


def test_plain_functions_and_old_tracebacks(load_one):
    trace = load_one(
        [
            call(0, "pipeline", None, inputs={"query": "Count."}, output="Twelve."),
            call(1, "parse", "w0", inputs={"text": "x"}, exception="Traceback\nValueError: bad"),
        ]
    )
    assert [(s.kind, s.agent) for s in trace.steps] == [
        ("message", "user"),
        ("action", "pipeline"),
        ("result", "parse"),
    ]
    assert trace.steps[2].error.type == "ValueError"
    trace = load_one([call(0, "pipeline", None, inputs={"query": "Count."}, output="Twelve.")])
    assert [(s.role, s.text) for s in trace.steps] == [("user", "Count."), ("assistant", "Twelve.")]


def test_damage_is_met(check_damaged, documents):
    check_damaged(WeaveLoader(), documents["weave"])


def test_a_trace_may_come_in_several_files(load_one, documents, tmp_path):
    calls = documents["weave"]
    whole = load_one(calls)
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, page in enumerate((calls[3:], calls[:3])):
        (folder / f"{number}.json").write_text(json.dumps({"calls": page}))
    (trace,) = load(folder, strict=True)
    assert (trace.id, len(trace.spans)) == (whole.id, len(whole.spans))
    assert [step.text for step in trace.steps] == [step.text for step in whole.steps]
