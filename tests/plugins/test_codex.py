"""Codex CLI: rollouts with their habits, sub-agents in files of their own, event streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from traceloc import Trace, load
from traceloc.loading import Head
from traceloc_plugins.codex.loader import CodexLoader

USAGE = {"input_tokens": 7, "output_tokens": 2}


def record(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": "2026-03-09T10:00:00Z", "type": kind, "payload": payload}


def item(type: str, **payload: Any) -> dict[str, Any]:
    return record("response_item", type=type, **payload)


def says(role: str, text: str) -> dict[str, Any]:
    return item("message", role=role, content=[{"type": "input_text", "text": text}])


def write(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def read(*paths: Path) -> Trace:
    (trace,) = load(*paths, strict=True)
    return trace


def test_a_rollout(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["codex"])
    told = [(s.kind, s.agent, s.native_index, s.flags) for s in trace.steps]
    assert told == [
        ("event", "user", 1, ("synthetic",)),
        ("message", "user", 2, ()),
        ("event", "user", 3, ("duplicate",)),
        ("action", "codex", 6, ()),
        ("result", "shell", 8, ()),
        ("event", "codex", 10, ("duplicate",)),
        ("message", "codex", 11, ()),
    ]
    action, result = trace.steps[3:5]
    assert (action.reasoning, action.model) == ("I count.", "m-1")
    assert action.usage is not None and action.usage.output == 3
    assert action.timestamp is not None and action.timestamp.second == 1
    assert (result.text, action.tool_calls[0].result_step) == ("no such folder", 4)
    assert result.error is not None and not result.error.declared
    assert result.error.message == "exit code 2"
    assert trace.task == "How many lamps are left?"


def test_a_response_is_one_step_and_usage_may_come_before_it(tmp_path: Path) -> None:
    def counted(total: int) -> dict[str, Any]:
        info = {"last_token_usage": USAGE, "total_token_usage": {"input_tokens": total}}
        return record("event_msg", type="token_count", info=info)

    def call(id: str) -> dict[str, Any]:
        return item("function_call", name="shell", call_id=id, arguments="{}")

    path = write(
        tmp_path / "r",
        record("session_meta", id="s", cwd="/", instructions="Be brief."),
        says("user", "Look."),
        counted(7),
        says("assistant", "Two looks."),
        call("a"),
        call("b"),
        item("function_call_output", call_id="a", output="x"),
        item("function_call_output", call_id="b", output="Exit code: 1\nOutput:\nno"),
        counted(14),
        counted(14),
        says("assistant", "Done."),
    )
    trace = read(path)
    assert [step.kind for step in trace.steps] == [
        "message",
        "action",
        "result",
        "result",
        "message",
    ]
    assert [call.result_step for call in trace.steps[1].tool_calls] == [2, 3]
    assert [bool(step.usage) for step in trace.steps] == [False, True, False, False, True]
    assert [bool(step.error) for step in trace.steps] == [False, False, False, True, False]
    assert trace.agent("codex").instructions == "Be brief."


def test_a_message_that_was_only_shown_is_a_step(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r",
        record("session_meta", id="s", cwd="/"),
        record("event_msg", type="user_message", message="Only here."),
        record("event_msg", type="turn_aborted", reason="interrupted"),
        record("event_msg", type="error", message="rate limit reached"),
    )
    trace = read(path)
    assert [(s.text, s.flags) for s in trace.steps[:1]] == [("Only here.", ())]
    kinds = [step.error.kind if step.error else None for step in trace.steps]
    assert kinds == [None, "user_rejection", "model"]
    assert trace.outcome.status == "failed"


def test_a_sub_agent_stands_behind_its_call(tmp_path: Path) -> None:
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "main", "agent_role": "scout"}}}
    write(
        tmp_path / "a.jsonl",
        record("session_meta", id="helper", cwd="/", source=spawned),
        says("user", "Count the lamps."),
        says("assistant", "Twelve."),
    )
    write(
        tmp_path / "b.jsonl",
        record("session_meta", id="main", cwd="/", source="cli"),
        says("user", "How many?"),
        item("function_call", name="spawn_agent", call_id="c", arguments="{}"),
        item("function_call_output", call_id="c", output='{"agent_id": "helper"}'),
        says("assistant", "Twelve, I hear."),
    )
    trace = read(tmp_path)
    assert trace.id == "main"
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("message", "user", ("codex",)),
        ("handoff", "codex", ("scout",)),
        ("result", "spawn_agent", ()),
        ("handoff", "codex", ("scout",)),
        ("message", "scout", ()),
        ("message", "codex", ()),
    ]
    assert trace.steps[3].flags == ("copied_context",)
    assert [m.step for m in trace.steps[4].inputs or ()] == [3]
    assert (trace.agent("scout").parent, trace.agent("codex").kind) == ("codex", "orchestrator")
    assert len({step.native_index for step in trace.steps}) == len(trace.steps)


def test_a_resumed_session_repeats_nothing(tmp_path: Path) -> None:
    first = [
        record("session_meta", id="s", cwd="/"),
        says("user", "Hello."),
        says("assistant", "?"),
    ]
    write(tmp_path / "1.jsonl", *first)
    write(tmp_path / "2.jsonl", *first, says("user", "Again."))
    assert [step.text for step in read(tmp_path).steps] == ["Hello.", "?", "Again."]


def test_after_a_compaction_the_agent_knows_the_summary(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r",
        record("session_meta", id="s", cwd="/"),
        says("user", "Hello."),
        record("compacted", message="They greeted."),
        says("assistant", "Hello."),
    )
    assert [m.step for m in read(path).steps[2].inputs or ()] == [1]


def test_the_first_format(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r",
        {"id": "s", "timestamp": "2025-06-01T00:00:00Z", "instructions": None},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
    )
    trace = read(path)
    assert (trace.id, trace.steps[0].text) == ("s", "Hi")


def test_an_event_stream(tmp_path: Path) -> None:
    def event(stage: str, **more: Any) -> dict[str, Any]:
        return {"type": f"item.{stage}", "item": {"id": more.pop("id"), **more}}

    command = {"type": "command_execution", "command": "make", "id": "i1"}
    path = write(
        tmp_path / "r",
        {"type": "thread.started", "thread_id": "t"},
        {"type": "turn.started"},
        event("completed", id="i0", type="reasoning", text="Build it."),
        event("started", **command, status="in_progress"),
        event("completed", **command, aggregated_output="no rule", exit_code=2, status="failed"),
        event("completed", id="i2", type="mcp_tool_call", server="s", tool="t", status="completed"),
        event("completed", id="i3", type="agent_message", text="Broken."),
        {"type": "turn.completed", "usage": USAGE},
        {"type": "turn.failed", "error": {"message": "stream closed"}},
    )
    trace = read(path)
    assert [(s.kind, s.agent, s.native_index) for s in trace.steps] == [
        ("action", "codex", 3),
        ("result", "shell", 4),
        ("action", "codex", 5),
        ("result", "s.t", 5),
        ("message", "codex", 6),
        ("event", "system", 8),
    ]
    assert trace.steps[0].reasoning == "Build it."
    assert [bool(step.error) for step in trace.steps] == [False, True, False, False, False, True]
    assert trace.steps[4].usage is not None
    assert trace.outcome.status == "failed"


def test_sniffing_goes_by_structure() -> None:
    def score(*lines: Any) -> float:
        text = "\n".join(map(json.dumps, lines))
        return CodexLoader().sniff(Head(text.encode(), complete=True))

    assert score(record("session_meta", id="s", cwd="/")) > 0.9
    assert score({"type": "message", "payload": {"text": "hi"}}) == 0.0
    assert score({"type": "item.completed"}) == 0.0
    assert score({"id": "1", "timestamp": "x"}, {"type": "message"}) == 0.0


def test_real_samples(shared: Path) -> None:
    (path,) = (shared / "samples" / "codex").glob("*.jsonl")
    trace = read(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    events = [line["payload"]["type"] for line in lines if line["type"] == "event_msg"]
    calls = [call for step in trace.steps for call in step.tool_calls]
    assert len(calls) == 84 and all(call.result_step is not None for call in calls)
    assert sum(bool(step.usage) for step in trace.steps) == events.count("token_count")
    twins = events.count("user_message") + events.count("agent_message")
    assert sum(step.flags == ("duplicate",) for step in trace.steps) == twins == 2
    assert trace.task is not None and trace.task.startswith("I want to migrate this app")
    for step in trace.steps:
        assert lines[step.native_index]["type"] in ("response_item", "event_msg")
    failed = [step.error for step in trace.steps if step.error]
    assert failed and not any(error.declared for error in failed)
    total = [line for line in lines if line["payload"].get("type") == "token_count"][-1]
    output = sum(step.usage.output or 0 for step in trace.steps if step.usage)
    assert output == total["payload"]["info"]["total_token_usage"]["output_tokens"]


def test_real_streams(shared: Path) -> None:
    traces = list(load(shared / "samples" / "codex_exec_json", strict=True))
    assert {trace.format for trace in traces} == {"codex"} and len(traces) == 4
    for trace in traces:
        assert all(call.result_step for step in trace.steps for call in step.tool_calls)
    assert [len(trace.steps) for trace in traces] == [3, 3, 3, 1]
    assert any("breaks off" in note.message for note in traces[3].diagnostics)


def test_what_the_harness_says_in_place_of_a_result(tmp_path: Path) -> None:
    told = {
        "err: tool call error: deadline has elapsed": "tool",
        "aborted by user after 3.2s": "user_rejection",
        "failed to parse function arguments: missing field": "tool",
        "exec_command failed: permission denied": "permission",
        "The word err: stands inside.": None,
        "errors.log": None,
    }
    lines = [says("user", "Build it.")]
    for number, text in enumerate(told):
        lines.append(item("function_call", name="f", arguments="{}", call_id=f"c{number}"))
        lines.append(item("function_call_output", call_id=f"c{number}", output=text))
    trace = read(write(tmp_path / "r", record("session_meta", id="s"), *lines))
    results = [step for step in trace.steps if step.kind == "result"]
    assert [step.error and step.error.kind for step in results] == list(told.values())
    assert not any(step.error.declared for step in results if step.error)


def test_an_item_of_a_later_version_keeps_what_it_says(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r",
        {"type": "thread.started", "thread_id": "t"},
        {"type": "item.completed", "item": {"id": "i", "type": "drawing", "shape": "a circle"}},
    )
    (call,) = read(path).steps[0].tool_calls
    assert (call.name, call.arguments) == ("drawing", {"shape": "a circle"})
