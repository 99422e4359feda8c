from __future__ import annotations

import json

from traceloc import load


def test_team(load_one, documents):
    trace = load_one(documents["metagpt"])
    assert (trace.format, trace.task) == ("metagpt", "How many lamps are left?")
    assert [(s.kind, s.agent, s.to, s.attributes["cause_by"]) for s in trace.steps] == [
        ("message", "user", (), "UserRequirement"),
        ("message", "Clerk", ("Writer",), "Count"),
    ]
    assert trace.agent("Clerk").instructions == "count lamps"
    assert trace.agent("Writer").description == "Bob"
    assert trace.attributes == {
        "Clerk.actions": [{"name": "Count", "case": {"prompt": "Count the lamps."}}],
        "investment": 10.0,
    }


def test_messages_of_all_memories_once(load_one, documents):
    roles = documents["metagpt"]["env"]["roles"]
    storage = roles["Clerk"]["rc"]["memory"]["storage"]
    note = {"id": "m3", "content": "Noted.", "role": "Writer", "cause_by": "Write", "send_to": []}
    roles["Writer"]["rc"] = {"memory": {"storage": [storage[1], note]}}
    assert [s.text for s in load_one(documents["metagpt"]).steps] == [
        "How many lamps are left?",
        "Twelve.",
        "Noted.",
    ]


def test_team_that_is_cut_off(tmp_path, documents):
    text = json.dumps(documents["metagpt"], indent=1)
    path = tmp_path / "team.json"
    path.write_text(text[: text.index('"rc"')])
    (trace,) = load(path)
    assert [(s.text, s.to) for s in trace.steps] == [("Count the lamps.", ("Clerk",))]
    assert any("structure only" in d.message for d in trace.diagnostics)
    path.write_text(text[: text.index('"shop.Count"')])
    (trace,) = load(path)
    assert [s.text for s in trace.steps] == ["How many lamps are left?"]


def test_log(load_one, documents):
    messages = documents["metagpt"]["env"]["roles"]["Clerk"]["rc"]["memory"]["storage"]
    place = "metagpt.environment.base_env"
    stamp = "2026-03-09 10:00:0"
    lines = [
        f"{stamp}0.1 | INFO     | metagpt.const:root:29 - Package root set",
        f"{stamp}1.1 | DEBUG    | {place}:publish_message:175 - publish_message: "
        + json.dumps(messages[0]),
        f"{stamp}2.1 | INFO     | metagpt.roles.role:_act:391 - Ann(Clerk): to do Count(Count)",
        f"{stamp}3.1 | DEBUG    | {place}:publish_message:175 - publish_message: "
        + json.dumps(messages[1]),
        f"{stamp}4.1 | ERROR    | {place}:run:1 - ValueError: no lamps",
        "and its traceback",
    ]
    trace = load_one("\n".join(lines))
    assert trace.dialect == "log"
    assert [(s.native_index, s.kind, s.agent) for s in trace.steps] == [
        (1, "message", "user"),
        (3, "message", "Clerk"),
        (4, "event", "MetaGPT"),
    ]
    assert trace.steps[2].error.declared and "traceback" in trace.steps[2].text
    assert trace.steps[1].timestamp.isoformat() == "2026-03-09T10:00:03.100000+00:00"


def test_real_team_breaks_off(shared):
    path = shared / "samples" / "metagpt" / "gptlab_team.json"
    (trace,) = load(path)
    assert trace.format == "metagpt" and trace.agent("Primary Analyst").kind == "worker"
    assert any("structure only" in d.message for d in trace.diagnostics)
    assert trace.task.startswith("User task: Evaluate the risk")
