from __future__ import annotations

import json

import pytest

from traceloc import load


def test_history(load_one, documents):
    trace = load_one(documents["semantic_kernel"])
    assert trace.format == "semantic_kernel"
    assert [(s.native_index, s.kind, s.agent, s.to) for s in trace.steps] == [
        (0, "system", "system", ()),  # nobody here is called assistant
        (1, "message", "user", ()),
        (2, "action", "clerk", ("writer",)),
        (3, "result", "Shop-stock", ()),
        (3, "result", "Handoff-transfer_to_writer", ()),
        (4, "message", "writer", ()),
    ]
    made, failed = trace.steps[2:4]
    assert [call.result_step for call in made.tool_calls] == [3, 4]
    assert made.usage.input == 5 and made.llm_call_id == "r1" and made.model == "m"
    assert made.timestamp.isoformat() == "2026-03-09T10:00:00+00:00"
    assert (failed.error.kind, failed.error.declared) == ("tool", False)
    assert trace.steps[4].error is None


@pytest.mark.parametrize("shape", ["list", "lines", "histories"])
def test_shapes(load_all, documents, shape):
    history = documents["semantic_kernel"]
    (expected,) = load_all(history)
    messages = history["messages"]
    document = {
        "list": messages,
        "lines": "\n".join(map(json.dumps, messages)),
        "histories": [history, history],
    }[shape]
    for trace in load_all(document):
        assert trace.format == "semantic_kernel" and trace.steps == expected.steps


def test_words_of_agents_pictures_and_strangers(load_one, documents):
    history = documents["semantic_kernel"]
    picture = {"content_type": "image", "uri": "x"}
    copied = {"content_type": "text", "text": "Twelve."}
    history["messages"] += [
        {"role": "user", "name": "writer", "items": [copied]},
        {"role": "user", "items": [picture], "content_type": "message"},
        {"role": "user"},
    ]
    history["rating"] = 5
    trace = load_one(history)
    assert trace.steps[6].agent == "writer" and trace.steps[6].flags == ("copied_context",)
    assert trace.steps[7].text == "[image]"
    assert trace.truth.fields == {"rating": 5}
    assert any(d.message == "items that are no message" for d in trace.diagnostics)


def test_a_response_that_a_handoff_tells_again(load_one, documents):
    history = documents["semantic_kernel"]
    (made,) = [m for m in history["messages"] if m.get("metadata", {}).get("id") == "r1"]
    words = {"content_type": "text", "text": "Over to you."}
    made["items"].insert(0, words)
    again = {**made, "items": [words]}
    other = {**again, "metadata": {**made["metadata"], "id": "r9"}}
    history["messages"] += [again, other]
    trace = load_one(history)
    told = [step.flags for step in trace.steps if step.text == "Over to you."]
    assert told == [(), ("duplicate",), ()]


def test_library_output(shared):
    (trace,) = load(shared / "samples" / "semantic_kernel", strict=True)
    assert [(s.kind, s.agent) for s in trace.steps] == [
        ("message", "user"),
        ("action", "researcher"),
        ("result", "T-search_flights"),
        ("result", "T-get_fx_rate"),
        ("message", "researcher"),
    ]
    # The kernel turns an exception into words.
    assert [(s.error.kind, s.error.declared) for s in trace.steps if s.error] == [
        ("timeout", False)
    ]
    assert [c.result_step for c in trace.steps[1].tool_calls] == [2, 3]
    assert [s.usage.output for s in trace.steps if s.usage] == [12, 12]


def test_items_of_unknown_types_are_told(load_one, documents):
    document = documents["semantic_kernel"]
    document["messages"][-1]["items"].append({"content_type": "hologram", "shape": "lamp"})
    notes = [note.message for note in load_one(document).diagnostics]
    assert "items of type 'hologram'" in notes
