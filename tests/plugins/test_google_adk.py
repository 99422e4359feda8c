from __future__ import annotations

import gzip
import json
import sqlite3

import pytest

from traceloc import TraceFormatError, load
from traceloc.graph import TraceGraph
from traceloc.loading import Source
from traceloc.registry import Registry


def snake(value):
    """The same document in snake case."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(inner)
        for key, inner in value.items()
    }


def with_nulls(event):
    """The same event as a plain dump has it, with all that a part is not."""
    kinds = ("text", "functionCall", "functionResponse", "codeExecutionResult", "thought")
    parts = [dict.fromkeys(kinds) | part for part in event.get("content", {}).get("parts", ())]
    return event | {"content": event.get("content", {}) | {"parts": parts}}


def test_session(load_one, documents):
    trace = load_one(documents["google_adk"])
    assert (trace.id, trace.system, trace.session_id) == ("s-1", "shop", "s-1")
    assert trace.task == "How many lamps are left?"
    assert [(s.native_index, s.kind, s.agent, s.to) for s in trace.steps] == [
        (0, "message", "user", ()),
        (1, "action", "clerk", ()),
        (2, "result", "stock", ()),
        (3, "handoff", "clerk", ("writer",)),
        (4, "result", "transfer_to_agent", ()),
        (5, "message", "writer", ()),
    ]
    asked, looked, failed = trace.steps[:3]
    assert asked.timestamp.isoformat() == "2026-03-09T10:00:00.500000+00:00"
    assert looked.reasoning == "I look it up." and looked.usage.input == 5 and looked.model == "m"
    assert (failed.error.message, failed.error.declared) == ("no such sku", False)
    assert trace.steps[4].error is None
    assert trace.agent("writer").parent == "clerk"
    assert trace.attributes["state"] == {"mood": "fine"}


@pytest.mark.parametrize("shape", ["snake", "list", "lines", "old", "nulls"])
def test_shapes(load_one, documents, shape):
    session = documents["google_adk"]
    expected = load_one(session).steps
    events = session["events"]
    document = {
        "snake": snake(session),
        "list": [session],
        "lines": "\n\n".join(map(json.dumps, events)),
        "nulls": session | {"events": [with_nulls(event) for event in events]},
        "old": {"id": "s", "context": {}, "past_events": [], "events": snake(events)},
    }[shape]
    trace = load_one(document)
    assert trace.format == "google_adk"
    assert [(s.kind, s.agent, s.to, s.text) for s in trace.steps] == [
        (s.kind, s.agent, s.to, s.text) for s in expected
    ]


def test_pieces_failures_code_and_state(load_one, documents):
    session = documents["google_adk"]
    base = {"invocationId": "i1", "author": "clerk"}
    session["events"][1:] = [
        base | {"id": "p", "partial": True, "content": {"parts": [{"text": "Twe"}]}},
        base | {"id": "x", "errorCode": "MALFORMED", "errorMessage": "rate limit"},
        base | {"id": "c", "content": {"parts": [{"executableCode": {"code": "1/0"}}]}},
        base
        | {
            "id": "r",
            "content": {
                "parts": [{"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "boom"}}]
            },
        },
        base | {"id": "s", "actions": {"stateDelta": {"lamps": 12}}},
        base | {"id": "n", "actions": {"stateDelta": {}}},
        base | {"id": "t", "actions": {"transferToAgent": "writer"}},
    ]
    trace = load_one(session)
    assert [(s.kind, s.text, s.to) for s in trace.steps[1:]] == [
        ("event", "rate limit", ()),
        ("action", "", ()),
        ("result", "boom", ()),
        ("event", '{"lamps":12}', ()),
        ("handoff", "", ("writer",)),
    ]
    assert trace.steps[1].error.type == "MALFORMED" and trace.steps[1].error.kind == "limit"
    assert trace.steps[3].error.declared
    notes = {(d.kind, d.message): d.count for d in trace.diagnostics}
    assert notes["skipped", "streamed pieces of answers that follow whole"] == 1
    assert notes["skipped", "events that hold nothing"] == 1


def test_agents_side_by_side_see_their_own_branch(load_one, documents):
    session = documents["google_adk"]

    def say(author, branch, text):
        content = {"parts": [{"text": text}]}
        return {"invocationId": "i", "author": author, "branch": branch, "content": content}

    session["events"][1:] = [
        say("a", "boss.a", "one"),
        say("b", "boss.b", "two"),
        say("a", "boss.a", "three"),
    ]
    trace = load_one(session)
    assert [given.step for given in trace.steps[3].inputs] == [0, 1]


def test_cases_and_results(load_all, documents):
    invocation = {
        "invocation_id": "i",
        "user_content": {"parts": [{"text": "Count."}]},
        "intermediate_data": {"tool_uses": [{"name": "stock", "args": {"sku": 7}, "id": None}]},
        "final_response": {"parts": [{"text": "Twelve."}]},
    }
    case = {"eval_id": "lamps", "conversation": [invocation], "session_input": None}
    (trace,) = load_all({"eval_set_id": "set", "eval_cases": [case]})
    assert (trace.id, trace.dialect, trace.truth) == ("lamps", "eval set", None)
    assert trace.outcome.status == "passed"  # it is how a run should go
    assert [s.kind for s in trace.steps] == ["message", "action", "message"]

    scores = [{"metric_name": "m", "score": 0.25, "eval_status": 2}]
    result = {
        "eval_id": "lamps",
        "final_eval_status": 2,
        "overall_eval_metric_results": scores,
        "session_details": snake(documents["google_adk"]),
    }
    (trace,) = load_all({"eval_set_result_id": "r", "eval_case_results": [result]})
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "grader")
    assert trace.id == "s-1" and len(trace.steps) == 6
    assert "0.25" not in trace.blind().model_dump_json()

    result.pop("session_details")
    result["eval_metric_result_per_invocation"] = [{"actual_invocation": invocation}]
    (trace,) = load_all({"eval_set_result_id": "r", "eval_case_results": [result]})
    assert [s.text for s in trace.steps] == ["Count.", "", "Twelve."]


def make_database(path, rows, columns):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE sessions (app_name, user_id, id, state TEXT)")
        database.execute("INSERT INTO sessions VALUES ('shop', 'u', 's1', '{\"a\": 1}')")
        database.execute(f"CREATE TABLE events ({', '.join(columns)}, invocation_id TEXT)")
        marks = ", ".join("?" * (len(columns) + 1))
        database.executemany(f"INSERT INTO events VALUES ({marks})", rows)
    database.close()


def test_database_before_the_json_column(tmp_path):
    columns = [
        "id",
        "app_name",
        "user_id",
        "session_id",
        "author",
        "timestamp",
        "content",
        "actions",
    ]
    content = json.dumps({"parts": [{"text": "Twelve."}]})
    rows = [
        ("e2", "shop", "u", "s1", "clerk", "2026-03-09 10:00:01", content, b"\x80\x04.", "i"),
        ("e1", "shop", "u", "s1", "user", "2026-03-09 10:00:00", content, None, "i"),
        ("e3", "shop", "u", "s2", "clerk", "2026-03-09 10:00:00", content, None, "i"),
    ]
    make_database(tmp_path / "any.bin", rows, columns)
    one, two = load(tmp_path / "any.bin", strict=True)
    assert [s.agent for s in one.steps] == ["user", "clerk"]
    assert (one.id, two.id, one.attributes["state"]) == ("s1", "s2", {"a": 1})
    assert any("pickled" in d.message for d in one.diagnostics)
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress((tmp_path / "any.bin").read_bytes()))
    assert [t.steps for t in load(packed, strict=True)] == [one.steps, two.steps]


def test_damaged_database(shared):
    data = (shared / "samples/google_adk/google_adk_sessions.sqlite").read_bytes()
    loader = Registry().get("loaders", "google_adk")
    damaged = [data[:size] for size in (16, 100, 4096, 5000, 30_000, len(data) - 1)]
    for at in range(20, len(data), 997):
        damaged.append(data[:at] + bytes(b ^ 0xFF for b in data[at : at + 64]) + data[at + 64 :])
    for content in damaged:
        source = Source("-", content=content)
        try:
            traces = list(loader.load([source]))
        except TraceFormatError as error:
            assert error.code
        else:
            assert all(trace.steps for trace in traces)


@pytest.mark.parametrize(
    "name", ["session_by_alias.json", "session_snake.json", "events.jsonl", "sessions.sqlite"]
)
def test_team_story(shared, name):
    (trace,) = load(shared / "samples" / "google_adk" / f"google_adk_{name}", strict=True)
    assert trace.format == "google_adk"
    (book,) = [s for s in trace.steps if any(c.name == "book" for c in s.tool_calls)]
    assert book.agent == "booker" and book.tool_calls[0].arguments == {"flight_id": "LH123"}
    assert trace.steps[book.tool_calls[0].result_step].text == "booked LH123"
    # The tool says so in its answer only; the framework takes it for a success.
    (failed,) = [s for s in trace.steps if s.error]
    assert failed.agent == "get_fx_rate" and failed.error.kind == "timeout"
    assert not failed.error.declared
    (handed,) = [s for s in trace.steps if s.kind == "handoff"]
    assert (handed.agent, handed.to) == ("researcher", ("booker",))
    assert (handed.index, book.index) in zip(*TraceGraph(trace).edges("delegates")[:2], strict=True)
    assert trace.agent("booker").parent == "researcher"
    if "events" not in name:
        assert trace.system == "travel_desk" and trace.task.startswith("Book the cheapest")


def test_old_session_and_cases(shared):
    folder = shared / "samples" / "google_adk"
    (old,) = load(folder / "flow_complex_spark__sample.session.json", strict=True)
    handed = [s for s in old.steps if s.kind == "handoff"]
    assert [s.to for s in handed] == [("research_assistant",)]  # the second is to itself
    assert "other_agent" not in {agent.name for agent in old.agents}
    for name in ("hello_world_agent__roll_die", "memorizing_past_events__eval_data"):
        (trace,) = load(folder / f"{name}.test.json", strict=True)
        assert trace.dialect == "eval set" and any(s.tool_calls for s in trace.steps)


def test_summaries_and_unknown_parts_are_not_lost(load_one):
    def event(author, actions=None, **content):
        return {"invocationId": "i", "author": author, "content": content, "actions": actions}

    summary = {"compactedContent": {"role": "model", "parts": [{"text": "Twelve were counted."}]}}
    trace = load_one(
        {
            "id": "s",
            "appName": "shop",
            "userId": "u",
            "events": [
                event("user", parts=[{"text": "Count."}]),
                event("clerk", parts=[{"text": "Twelve."}, {"holoPart": {"shape": "lamp"}}]),
                event("user", {"compaction": summary}),
            ],
        }
    )
    assert [(s.kind, s.text, s.flags) for s in trace.steps][2:] == [
        ("event", "Twelve were counted.", ("copied_context",)),
    ]
    assert "parts of kind 'holo_part'" in [note.message for note in trace.diagnostics]
