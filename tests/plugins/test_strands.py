from __future__ import annotations

import json

from traceloc import load


def file_session(folder, chats, *, named=True):
    """Write a session with a chat for each agent; times run on across agents."""
    root = folder / "session_s1"
    root.mkdir()
    (root / "session.json").write_text(json.dumps({"session_id": "s1", "session_type": "AGENT"}))
    for agent, messages in chats.items():
        place = root / "agents" / f"agent_{agent}" / "messages"
        place.mkdir(parents=True)
        if named:
            state = {"agent_id": agent, "state": {}, "conversation_manager_state": {}}
            (place.parent / "agent.json").write_text(json.dumps(state))
        for number, (second, message) in enumerate(messages):
            body = {
                "message": message,
                "message_id": number,
                "redact_message": None,
                "created_at": f"2026-03-09T10:00:{second:02}+00:00",
            }
            (place / f"message_{number}.json").write_text(json.dumps(body))
    return root


def test_messages(load_one, documents):
    trace = load_one(documents["strands"])
    assert (trace.format, trace.dialect) == ("strands", "messages")
    assert [(s.native_index, s.kind, s.agent) for s in trace.steps] == [
        (0, "message", "user"),
        (1, "action", "assistant"),
        (2, "result", "stock"),
        (3, "message", "assistant"),
    ]
    made, failed = trace.steps[1:3]
    assert made.reasoning == "I look it up." and made.usage.input == 5
    assert made.tool_calls[0].arguments == {"sku": 7} and made.tool_calls[0].result_step == 2
    assert failed.error.declared and failed.text == "no such sku"


def test_messages_without_marks(load_one, documents):
    for message in documents["strands"]:
        message.pop("tracking_id", None)
        message.pop("metadata", None)
    assert load_one(documents["strands"]).format == "strands"


def test_messages_are_in_numeric_order(tmp_path):
    said = [(0, {"role": "user", "content": [{"text": f"number {n}"}]}) for n in range(12)]
    file_session(tmp_path, {"clerk": said})
    (trace,) = load(tmp_path, strict=True)
    assert [s.text for s in trace.steps] == [f"number {n}" for n in range(12)]
    assert [s.native_index for s in trace.steps] == list(range(12))


def test_agents_of_a_session_have_their_own_chats(tmp_path):
    hand = {"toolUseId": "h1", "name": "handoff_to_agent", "input": {"agent_name": "writer"}}
    chats = {
        "clerk": [
            (1, {"role": "user", "content": [{"text": "Count."}]}),
            (2, {"role": "assistant", "content": [{"toolUse": hand}]}),
        ],
        "writer": [
            (3, {"role": "user", "content": [{"text": "Write it down."}]}),
            (4, {"role": "assistant", "content": [{"text": "Done."}]}),
        ],
    }
    file_session(tmp_path, chats, named=False)
    (trace,) = load(tmp_path, strict=True)
    assert (trace.id, trace.session_id) == ("s1", "s1")
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("message", "user", ("clerk",)),
        ("handoff", "clerk", ("writer",)),
        ("message", "user", ("writer",)),
        ("message", "writer", ()),
    ]
    assert [given.step for given in trace.steps[3].inputs] == [2]


def test_two_sessions_side_by_side(tmp_path, documents):
    chat = list(enumerate(documents["strands"]))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        file_session(tmp_path / name, {"clerk": chat})
    assert [len(trace.steps) for trace in load(tmp_path, strict=True)] == [4, 4]


def test_redacted_message_and_damage(tmp_path, documents):
    root = file_session(tmp_path, {"clerk": list(enumerate(documents["strands"]))})
    first = root / "agents/agent_clerk/messages/message_0.json"
    body = json.loads(first.read_text())
    body["redact_message"] = {"role": "user", "content": [{"text": "***"}]}
    first.write_text(json.dumps(body))
    (root / "agents/agent_clerk/messages/message_3.json").write_text('{"message": ')
    (trace,) = load(tmp_path)
    assert trace.steps[0].text == "***" and len(trace.steps) == 3


def test_session_of_a_team(tmp_path):
    def answer(text, **more):
        message = {"role": "assistant", "content": [{"text": text}]}
        return {"result": {"type": "agent_result", "message": message}, **more}

    place = tmp_path / "session_s1" / "multi_agents" / "multi_agent_t"
    place.mkdir(parents=True)
    head = {"session_id": "s1", "session_type": "MULTI_AGENT"}
    (tmp_path / "session_s1" / "session.json").write_text(json.dumps(head))
    state = {
        "type": "swarm",
        "id": "t",
        "status": "failed",
        "current_task": "Count.",
        "node_history": ["clerk", "writer", "clerk"],
        "node_results": {
            "clerk": answer("Twelve.", accumulated_usage={"inputTokens": 5}),
            "writer": {"result": {"type": "exception", "message": "no ink"}, "status": "failed"},
        },
    }
    (place / "multi_agent.json").write_text(json.dumps(state))
    (trace,) = load(tmp_path, strict=True)
    assert [(s.kind, s.agent, s.to, s.text) for s in trace.steps] == [
        ("message", "user", ("clerk",), "Count."),
        ("handoff", "clerk", ("writer",), ""),
        ("handoff", "writer", ("clerk",), "no ink"),
        ("message", "clerk", (), "Twelve."),
    ]
    assert trace.steps[2].error.declared and trace.outcome.status == "failed"
    assert any("structure only" in d.message for d in trace.diagnostics)


def test_library_output(shared):
    folder = shared / "samples" / "strands"
    (session,) = load(folder / "strands_session", strict=True)
    (dump,) = load(folder / "strands_messages.json", strict=True)
    assert session.id == "sess-42" and session.agent("researcher").kind == "worker"
    assert [s.text for s in session.steps] == [s.text for s in dump.steps]
    for trace, agent in ((session, "researcher"), (dump, "assistant")):
        assert trace.format == "strands"
        assert [s.agent for s in trace.steps] == [
            "user",
            agent,
            "search_flights",
            "get_fx_rate",
            agent,
        ]
        (failed,) = [s for s in trace.steps if s.error]
        assert (failed.error.kind, failed.error.declared) == ("timeout", True)
        assert [c.result_step for c in trace.steps[1].tool_calls] == [2, 3]
        usage = [s for s in trace.steps if s.usage]
        assert len({s.llm_call_id for s in usage}) == len(usage) == 2


def test_what_an_agent_was_set_to_work_with_is_its_caller_s(tmp_path):
    task = "Count the lamps in the back room."
    call = {"toolUse": {"toolUseId": "c1", "name": "clerk", "input": {"query": task}}}
    result = {"toolResult": {"toolUseId": "c1", "content": [{"text": "Twelve."}]}}
    chats = {
        "boss": [
            (0, {"role": "user", "content": [{"text": "How many lamps?"}]}),
            (1, {"role": "assistant", "content": [call]}),
            (4, {"role": "user", "content": [result]}),
        ],
        "clerk": [
            (2, {"role": "user", "content": [{"text": task}]}),
            (3, {"role": "assistant", "content": [{"text": "Twelve."}]}),
        ],
    }
    file_session(tmp_path, chats)
    (trace,) = load(tmp_path, strict=True)
    assert [(s.kind, s.agent, s.to, s.flags) for s in trace.steps][:4] == [
        ("message", "user", ("boss",), ()),
        ("handoff", "boss", ("clerk",), ()),
        ("handoff", "boss", ("clerk",), ("copied_context",)),
        ("message", "clerk", (), ()),
    ]
    assert trace.task == "How many lamps?"
    assert [given.step for given in trace.steps[3].inputs] == [2]


def team_result(**results):
    return {"type": "multiagent_result", "status": "completed", "results": results}


def node_result(text, **more):
    message = {"role": "assistant", "content": [{"text": text}]}
    return {
        "result": {"type": "agent_result", "message": message, "stop_reason": "end_turn"},
        "status": "completed",
        "accumulated_usage": {"inputTokens": 5, "outputTokens": 2},
        **more,
    }


def test_what_a_team_returned(load_one):
    trace = load_one(team_result(clerk=node_result("Twelve."), writer=node_result("Done.")))
    assert (trace.format, trace.dialect) == ("strands", "result")
    assert [(s.agent, s.text) for s in trace.steps] == [("clerk", "Twelve."), ("writer", "Done.")]
    assert trace.steps[0].usage.input == 5 and trace.outcome.status == "unknown"
    assert any("structure only" in d.message for d in trace.diagnostics)


def test_team_that_failed_with_one_of_its_agents(load_one):
    broken = {"result": {"type": "exception", "message": "line cut"}, "status": "failed"}
    results = team_result(clerk=node_result("Twelve."), writer=broken)
    trace = load_one(results | {"status": "failed"})
    assert trace.steps[1].error.message == "line cut" and trace.outcome.status == "failed"


def test_team_inside_a_team(load_one):
    inner = node_result("") | {"result": team_result(clerk=node_result("Twelve."))}
    trace = load_one(team_result(back_room=inner, writer=node_result("Done.")))
    assert [(s.agent, s.text) for s in trace.steps] == [("clerk", "Twelve."), ("writer", "Done.")]
    assert trace.agent("clerk").parent == "back_room"
    assert len({s.llm_call_id for s in trace.steps}) == 2
