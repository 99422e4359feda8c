"""Gemini CLI: one document, or a log of changes; statuses tell errors from a person's no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from traceloc import Trace, load
from traceloc.loading import Head
from traceloc_plugins.gemini_cli.loader import GeminiCliLoader

META = {"sessionId": "s", "projectHash": "h", "startTime": "2026-03-09T10:00:00Z"}


def read_log(path: Path, *records: Any) -> Trace:
    path.write_text("".join(json.dumps(record) + "\n" for record in (META, *records)))
    (trace,) = load(path, strict=True)
    return trace


def test_a_session(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["gemini_cli"])
    assert [(s.kind, s.agent, s.native_index) for s in trace.steps] == [
        ("message", "user", 0),
        ("action", "gemini", 1),
        ("result", "stock", 1),
        ("result", "stock", 1),
        ("result", "stock", 1),
        ("message", "gemini", 2),
        ("event", "system", 3),
    ]
    action = trace.steps[1]
    assert [call.result_step for call in action.tool_calls] == [2, 3, 4]
    assert action.reasoning == "Stock: A tool knows." and action.model == "m-1"
    usage = action.usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read, usage.reasoning) == (9, 3, 1, 2)
    assert [s.text for s in trace.steps[2:4]] == ["12", "no such sku"]
    errors = [(s.error.kind, s.error.declared) if s.error else None for s in trace.steps]
    assert errors == [None] * 3 + [
        ("tool", True),
        ("user_rejection", True),
        None,
        ("limit", True),
    ]
    assert trace.tools[0].description == "Counts."
    assert trace.task == "How many lamps are left?" and trace.id == "s-1"


def test_a_log_of_changes(tmp_path: Path) -> None:
    call = {"id": "c", "name": "stock", "args": {}, "status": "executing"}
    returned = [{"functionResponse": {"response": {"output": "x"}}}]
    done = {**call, "status": "success", "result": returned}
    answer = {"id": "m2", "type": "gemini", "content": ""}
    trace = read_log(
        tmp_path / "log",
        {"id": "m1", "type": "user", "content": [{"text": "Look."}]},
        {"type": "message_update", "id": "m2", "tokens": {"input": 4}},
        {**answer, "toolCalls": [call]},
        {**answer, "toolCalls": [done]},
        {"type": "message_update", "id": "m2", "tokens": {"input": 4, "output": 1}},
        {"$set": {"lastUpdated": "later"}},
    )
    assert [(s.kind, s.text, s.native_index) for s in trace.steps] == [
        ("message", "Look.", 1),
        ("action", "", 3),
        ("result", "x", 3),
    ]
    assert trace.steps[1].usage is not None and trace.steps[1].usage.output == 1
    assert trace.attributes["lastUpdated"] == "later"


def test_what_was_left_behind_is_flagged(tmp_path: Path) -> None:
    trace = read_log(
        tmp_path / "log",
        {"id": "m1", "type": "user", "content": "One."},
        {"id": "m2", "type": "user", "content": "Two."},
        {"$rewindTo": "m2"},
        {"id": "m3", "type": "user", "content": "Three."},
    )
    assert [(s.text, s.flags) for s in trace.steps] == [
        ("One.", ()),
        ("Two.", ("duplicate",)),
        ("Three.", ()),
    ]


def test_a_call_that_was_still_running(load_one: Any) -> None:
    call = {"id": "c", "name": "sh", "args": {}, "status": "executing"}
    message = {"id": "m", "type": "gemini", "content": "", "toolCalls": [call]}
    trace = load_one({**META, "messages": [message]})
    assert [step.kind for step in trace.steps] == ["action"]
    assert any("no result" in note.message for note in trace.diagnostics)


def test_sniffing_goes_by_structure() -> None:
    def score(value: Any) -> float:
        return GeminiCliLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    assert score({**META, "messages": [{"id": "1", "type": "gemini"}]}) > 0.9
    assert score({"sessionId": "s", "messages": [{"type": "user"}]}) == 0.0
    assert score({**META, "messages": [{"role": "user"}]}) <= 0.5


def test_real_samples(shared: Path) -> None:
    folder = shared / "samples" / "gemini_cli"
    traces = {Path(trace.source).name: trace for trace in load(folder, strict=True)}
    assert len(traces) == len(list(folder.glob("*.json"))) == 4
    for name, trace in traces.items():
        messages = json.loads((folder / name).read_text())["messages"]
        assert trace.format == "gemini_cli"
        calls = [c for message in messages for c in message.get("toolCalls", ())]
        made = [call for step in trace.steps for call in step.tool_calls]
        assert [(c.id, c.arguments) for c in made] == [(c["id"], c["args"]) for c in calls]
        assert all(call.result_step is not None for call in made)
        tokens = sum(message.get("tokens", {}).get("output", 0) for message in messages)
        assert sum(s.usage.output or 0 for s in trace.steps if s.usage) == tokens
    long = traces["full__session-2025-10-27T19-55-981c87cb.json"]
    errors = [(s.error.kind, s.error.declared) for s in long.steps if s.error]
    # One the person cancelled, one the tool declares, two that only an exit code shows.
    assert errors == [("user_rejection", True), ("tool", True), ("tool", False), ("tool", False)]


def test_media_do_not_drown_the_words(tmp_path: Path) -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "A" * 5000}}
    returned = {"functionResponse": {"response": {"output": "a page"}}}
    call = {"id": "c", "name": "look", "args": {}, "status": "success"}
    trace = read_log(
        tmp_path / "log.jsonl",
        {"id": "1", "type": "user", "content": [{"text": "What is it?"}, picture]},
        {"id": "2", "type": "gemini", "toolCalls": [{**call, "result": [returned, picture]}]},
    )
    assert trace.task == "What is it?\n[image/png]"
    assert trace.steps[2].text.endswith("[image/png]") and "a page" in trace.steps[2].text
