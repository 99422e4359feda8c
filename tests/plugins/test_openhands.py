"""OpenHands: V0 lists of actions and observations, V1 folders of events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from traceloc import Trace, load
from traceloc.loading import Head
from traceloc_plugins.openhands.loader import OpenHandsLoader


def v0(id: int, source: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "2026-03-09T10:00:00", "source": source, **more}


def kinds(trace: Trace) -> list[tuple[str, str, int]]:
    return [(step.kind, step.agent, step.native_index) for step in trace.steps]


def test_a_trajectory(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["openhands"])
    assert kinds(trace) == [
        ("system", "system", 0),
        ("message", "user", 1),
        ("action", "CodeActAgent", 3),
        ("result", "execute_bash", 4),
        ("result", "execute_bash", 6),
        ("message", "CodeActAgent", 7),
    ]
    action = trace.steps[2]
    # Two actions that one response asked for, whose tokens both of them repeat.
    assert [(c.arguments, c.result_step) for c in action.tool_calls] == [
        ({"command": "ls"}, 3),
        ({"command": "wc"}, 4),
    ]
    assert action.usage is not None and action.usage.output == 3
    assert sum(bool(step.usage) for step in trace.steps) == 1
    assert action.timestamp is not None and action.timestamp.utcoffset() is not None
    error = trace.steps[4].error
    assert error is not None and (error.message, error.declared) == ("exit code 1", False)
    assert trace.agent("CodeActAgent").instructions == "You count."


def test_errors_and_refusals(load_one: Any) -> None:
    def seen(id: int, kind: str, content: str, **extras: Any) -> dict[str, Any]:
        return v0(id, "agent", observation=kind, cause=id - 1, content=content, extras=extras)

    def run(id: int) -> dict[str, Any]:
        return v0(id, "agent", action="run", args={"command": "x"})

    trace = load_one(
        [
            run(0),
            seen(1, "error", "no such tool"),
            run(2),
            seen(3, "user_rejected", "no"),
            run(4),
            seen(5, "run", "still there", metadata={"exit_code": -1}),
            v0(
                6,
                "environment",
                observation="agent_state_changed",
                content="",
                extras={"agent_state": "error", "reason": "RateLimitError: wait"},
            ),
        ]
    )
    errors = [(s.error.kind, s.error.declared) for s in trace.steps if s.error]
    assert errors[:3] == [("tool", True), ("user_rejection", True), ("timeout", False)]
    assert trace.steps[-1].kind == "event" and trace.steps[-1].error is not None
    assert trace.outcome.status == "failed"


def test_a_delegate_is_an_agent(load_one: Any) -> None:
    trace = load_one(
        [
            v0(0, "user", action="message", args={"content": "Find it."}),
            v0(1, "agent", action="delegate", args={"agent": "BrowsingAgent", "inputs": {"q": 1}}),
            v0(2, "agent", action="browse", args={"url": "http://a.example"}),
            v0(3, "agent", observation="browse", cause=2, content="page", extras={}),
            v0(4, "agent", observation="delegate", cause=1, content="found", extras={}),
            v0(5, "agent", action="finish", args={"final_thought": "Done."}),
        ]
    )
    assert kinds(trace) == [
        ("message", "user", 0),
        ("handoff", "openhands", 1),
        ("action", "BrowsingAgent", 2),
        ("result", "browse", 3),
        ("result", "delegate", 4),
        ("message", "openhands", 5),
    ]
    assert trace.steps[1].to == ("BrowsingAgent",)
    assert trace.agent("BrowsingAgent").parent == "openhands"
    assert trace.steps[5].text == "Done."


def test_rows_of_an_evaluation(load_one: Any, documents: dict[str, Any]) -> None:
    pairs = [
        [
            {"action": "run", "args": {"command": "ls"}, "source": "agent", "timestamp": "x"},
            {"observation": "run", "content": "a.py", "extras": {}, "source": "agent"},
        ]
    ]
    row = {
        "instance_id": "shop__lamps-1",
        "history": pairs,
        "test_result": {"report": {"resolved": False}, "git_patch": "diff"},
        "error": None,
    }
    trace = load_one(row)
    assert trace.id == "shop__lamps-1" and [s.kind for s in trace.steps] == ["action", "result"]
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "grader")
    assert "git_patch" not in json.dumps(trace.attributes)
    assert load_one({"history": documents["openhands"]}).steps[1].text.startswith("How many")


def v1(id: str, source: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "2026-03-09T10:00:00", "source": source, "kind": kind, **more}


def act(id: str, call_id: str, response: str, **action: Any) -> dict[str, Any]:
    call = {"id": call_id, "name": "terminal", "arguments": json.dumps(action)}
    more = {"tool_name": "terminal", "tool_call_id": call_id, "tool_call": call}
    thought = [{"type": "text", "text": "I look."}]
    return v1(id, "agent", "ActionEvent", thought=thought, llm_response_id=response, **more)


def said(id: str, source: str, role: str, text: str) -> dict[str, Any]:
    return v1(id, source, "MessageEvent", llm_message={"role": role, "content": text})


def write(folder: Path, *events: dict[str, Any], **state: Any) -> Path:
    (folder / "events").mkdir(parents=True)
    base = {"id": "run-1", "agent": {"llm": {"model": "m"}}, "workspace": {}, **state}
    (folder / "base_state.json").write_text(json.dumps({"execution_status": "finished", **base}))
    for number, event in enumerate(events):
        path = folder / "events" / f"event-{number:05}-{event['id']}.json"
        path.write_text(json.dumps(event))
    return folder


def test_a_folder_of_events(tmp_path: Path) -> None:
    seen = {"content": [{"type": "text", "text": "none"}], "is_error": False, "exit_code": 2}
    folder = write(
        tmp_path / "conv",
        v1("e0", "agent", "SystemPromptEvent", system_prompt={"text": "You count."}, tools=[]),
        said("e1", "user", "user", "How many lamps?"),
        act("e2", "c1", "r1", command="ls"),
        act("e3", "c2", "r1", command="wc"),
        v1("e4", "environment", "ObservationEvent", observation=seen, tool_call_id="c1"),
        v1("e5", "environment", "AgentErrorEvent", error="no such tool", tool_call_id="c2"),
        said("e6", "agent", "assistant", "Twelve."),
        execution_status="stuck",
    )
    (folder / "llm_completions").mkdir()
    usage = {"prompt_tokens": 9, "completion_tokens": 3}
    log = {"context_window": 1, "messages": [], "response": {"id": "r1", "usage": usage}}
    (folder / "llm_completions" / "a.json").write_text(json.dumps(log))
    (trace,) = load(tmp_path, strict=True)
    assert kinds(trace) == [
        ("system", "system", 0),
        ("message", "user", 1),
        ("action", "openhands", 2),
        ("result", "terminal", 4),
        ("result", "terminal", 5),
        ("message", "openhands", 6),
    ]
    assert [call.result_step for call in trace.steps[2].tool_calls] == [3, 4]
    assert trace.steps[2].usage is not None and trace.steps[2].usage.input == 9
    assert [(s.error.declared) for s in trace.steps if s.error] == [False, True]
    assert (trace.id, trace.outcome.status, trace.outcome.detail) == ("run-1", "failed", "stuck")
    # What a user pastes leads back to the whole folder, not to one of its files.
    assert trace.locator(3) == f"{folder}#3"
    assert [t.id for t in load(folder)] == ["run-1"]


def test_after_a_condensation_the_agent_knows_less(tmp_path: Path) -> None:
    write(
        tmp_path / "conv",
        said("e0", "user", "user", "Count."),
        said("e1", "agent", "assistant", "One."),
        v1("e2", "environment", "Condensation", forgotten_event_ids=["e1"], summary="Counted."),
        said("e3", "agent", "assistant", "Two."),
        v1("e4", "environment", "ConversationErrorEvent", code="X", detail="gone"),
    )
    (trace,) = load(tmp_path, strict=True)
    assert [message.step for message in trace.steps[3].inputs or ()] == [0, 2]
    assert trace.outcome.detail == "gone"


def test_sniffing_goes_by_structure() -> None:
    def score(value: Any) -> float:
        return OpenHandsLoader().sniff(Head(json.dumps(value).encode(), complete=True))

    assert score(said("e", "user", "user", "hi")) > 0.9
    assert score(v0(0, "user", action="message", args={})) > 0.9
    assert score({"source": "user", "timestamp": 1, "action": "x"}) == 0.0
    assert score([[{"role": "user", "content": "x"}]]) == 0.0
    assert score({"messages": [], "response": {"id": "x"}}) == 0.0


def test_real_samples(shared: Path) -> None:
    (demo,) = load(shared / "samples" / "openhands", strict=True)
    events = json.loads((shared / "samples" / "openhands" / "demo1.json").read_text())
    calls = [
        e["tool_call_metadata"]["tool_call_id"]
        for e in events
        if e.get("action") in ("run", "edit")
    ]
    assert [c.id for s in demo.steps for c in s.tool_calls] == calls
    assert all(c.result_step is not None for s in demo.steps for c in s.tool_calls)
    assert all(events[s.native_index]["source"] in ("user", "agent") for s in demo.steps)
    # One command ran on after its time: the runtime calls that exit code -1.
    assert [(s.native_index, s.error.declared) for s in demo.steps if s.error] == [(14, False)]


def test_real_folders(shared: Path) -> None:
    folder = shared / "samples" / "openhands_v1"
    traces = list(load(folder, strict=True))
    assert [trace.id[:8] for trace in traces] == ["3fdb3160", "cd945624"]
    for trace in traces:
        files = sorted(Path(trace.source, "events").glob("*.json"))
        assert [step.native_index for step in trace.steps] == list(range(len(files)))
        assert trace.format == "openhands" and trace.agent("openhands").instructions
        assert all(c.result_step is not None for s in trace.steps for c in s.tool_calls)
        assert {"terminal", "finish"} <= {tool.name for tool in trace.tools}
    assert sum(bool(step.usage) for step in traces[0].steps) == 1  # one model call was logged


def test_what_a_browser_says_of_its_failure(load_one: Any) -> None:
    act = v0(1, "agent", action="browse_interactive", args={"browser_actions": "goto('x')"})
    extras = {"error": True, "last_browser_action_error": "net::ERR_NAME_NOT_RESOLVED"}
    see = v0(2, "agent", observation="browse", content="blank", extras=extras, cause=1)
    error = load_one([act, see]).steps[1].error
    assert error is not None and error.declared and error.message.startswith("net::")
    see["extras"] = {"error": False, "last_browser_action_error": ""}
    assert load_one([act, see]).steps[1].error is None


def test_the_harness_in_the_user_s_place_is_no_user(load_one: Any) -> None:
    text = "Please continue working on the task on whatever approach you think is suitable.\nIf"
    trace = load_one(
        [
            v0(1, "user", action="message", args={"content": "Count the lamps."}),
            v0(2, "user", action="message", args={"content": text}),
            v0(3, "agent", action="finish", args={"outputs": {"content": "Twelve."}}),
        ]
    )
    assert [(s.kind, s.flags) for s in trace.steps[:2]] == [
        ("message", ()),
        ("event", ("synthetic",)),
    ]
    assert (trace.task, trace.steps[2].text) == ("Count the lamps.", "Twelve.")


def test_an_event_of_a_later_version_is_told(tmp_path: Path) -> None:
    hook = v1("h", "hook", "HookExecutionEvent", blocked=True)
    folder = write(tmp_path, said("a", "user", "user", "Go."), hook, id="c")
    (trace,) = load(folder, strict=True)
    assert "1 events of type 'HookExecutionEvent' are no steps" in [
        note.message for note in trace.diagnostics
    ]
