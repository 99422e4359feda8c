from __future__ import annotations


def test_roles_say_how_and_to_whom(load_one, documents):
    trace = load_one(documents["magentic_one"])

    assert trace.format == "magentic_one"
    assert [(step.agent, step.kind, step.to) for step in trace.steps] == [
        ("human", "message", ()),
        ("Boss", "thought", ()),
        ("Boss", "handoff", ("Clerk",)),
        ("Clerk", "message", ()),
        ("Boss", "event", ()),
    ]
    assert {agent.name: agent.kind for agent in trace.agents} == {
        "human": "human",
        "Boss": "orchestrator",
        "Clerk": "worker",
    }
    assert trace.steps[1].attributes["ledger"] == {"done": {"answer": False}}
    assert trace.steps[1].text.startswith("Updated Ledger")
    assert trace.task == "How many lamps are left?"


def test_broken_ledgers_and_messages_are_kept(load_one, documents):
    messages = documents["magentic_one"]
    messages[1]["content"] = "Updated Ledger:\n{broken}"
    messages[3] = 17
    trace = load_one(messages)
    assert [step.native_index for step in trace.steps] == [0, 1, 2, 4]
    assert "ledger" not in trace.steps[1].attributes
    assert trace.diagnostics[0].kind == "skipped"


def test_a_role_as_long_as_a_book_costs_no_time(load_one, documents):
    messages = documents["magentic_one"]
    messages.append({"role": " " * 200_000 + "x (" * 50_000, "content": "hm"})
    assert len(load_one(messages).steps) == 6
