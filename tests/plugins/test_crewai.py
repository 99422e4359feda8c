from __future__ import annotations

import json

import pytest

from traceloc import load
from traceloc.graph import TraceGraph

LOG = [
    {"task_name": "count", "task": "Count the lamps.", "agent": "Clerk", "status": "started"},
    {
        "timestamp": "2026-03-09 10:00:01",
        "task_name": "count",
        "task": "Count the lamps.",
        "agent": "Clerk",
        "status": "completed",
        "output": 'He said "twelve".',
    },
    {"task_name": "order", "task": "Order more.", "agent": "Buyer", "status": "failed"},
]


def event(sequence, kind, *, parent=None, **fields):
    base = {"type": kind, "event_id": f"e{fields.pop('id', sequence)}", "parent_event_id": parent}
    return (
        {"timestamp": f"2026-03-09T10:00:{sequence:02}Z", **base}
        | fields
        | {"emission_sequence": sequence}
    )


def test_output_holds_the_chat_of_each_task(load_one, documents):
    trace = load_one(documents["crewai"])
    assert (trace.format, trace.dialect, trace.task) == ("crewai", "output", "Count the lamps.")
    assert [(s.native_index, s.kind, s.agent, s.to) for s in trace.steps] == [
        (0, "system", "system", ("Store Clerk",)),
        (1, "message", "user", ("Store Clerk",)),
        (2, "action", "Store Clerk", ()),
        (3, "result", "stock", ()),
        (4, "handoff", "Store Clerk", ("Buyer",)),
        (5, "system", "system", ("Buyer",)),
        (6, "message", "user", ("Buyer",)),
        (7, "message", "Buyer", ()),
    ]
    failed = trace.steps[3].error
    assert (failed.type, failed.message, failed.declared) == ("KeyError", "no such sku", True)
    # A task's agent saw its own chat and nothing of the other's.
    assert [given.step for given in trace.steps[7].inputs] == [5, 6]
    assert trace.agent("Buyer").instructions == "You are Buyer."
    assert trace.attributes == {"token_usage": {"total_tokens": 30}}
    assert trace.truth.fields == {"tasks_output[0]": {"expected_output": "a number"}}


def test_output_without_chats_is_an_outline(load_one, documents):
    document = documents["crewai"]
    for task in document["tasks_output"]:
        del task["messages"]
    trace = load_one(document)
    assert [(s.role, s.text) for s in trace.steps] == [
        ("user", "Count the lamps."),
        ("assistant", "There are twelve lamps."),
        ("user", "Order more."),
        ("assistant", "Twelve lamps are ordered."),
    ]
    assert any("structure only" in d.message for d in trace.diagnostics)


@pytest.mark.parametrize("shape", ["list", "lines", "text"])
def test_log_of_tasks(load_one, shape):
    lines = [
        f"{row.get('timestamp', '2026-03-09 10:00:00')}: "
        + ", ".join(f'{key}="{row[key]}"' for key in row if key != "timestamp")
        for row in LOG
    ]
    lines.insert(2, "and a line more")
    lines[1] = lines[1].removesuffix('"')
    lines[2] += '"'
    document = {
        "list": LOG,
        "lines": "\n".join(map(json.dumps, LOG)),
        "text": "\n".join(lines),
    }[shape]
    trace = load_one(document)
    assert trace.dialect == "log"
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("message", "user", ("Clerk",)),
        ("handoff", "Clerk", ("Buyer",)),
        ("message", "Buyer", ()),
    ]
    assert trace.steps[1].text.startswith('He said "twelve".')
    assert trace.steps[1].timestamp.isoformat() == "2026-03-09T10:00:01+00:00"
    assert trace.steps[2].error.declared
    assert any("structure only" in d.message for d in trace.diagnostics)


def test_events_are_sorted_and_told_apart_by_run(load_all):
    def run(first, answer):
        kick = f"e{first}"
        return [
            event(1, "crew_kickoff_started", id=first, crew_name="shop"),
            event(
                4,
                "task_completed",
                parent=kick,
                id=first + 3,
                task_id="t",
                output={"raw": answer, "agent": "Clerk"},
            ),
            event(
                2,
                "task_started",
                parent=kick,
                id=first + 1,
                task_id="t",
                task={"description": "Count.", "agent": {"role": "Clerk", "goal": "count"}},
            ),
            event(
                3,
                "llm_call_completed",
                parent=f"e{first + 1}",
                id=first + 2,
                task_id="t",
                agent_role="Clerk",
                response=answer,
                call_id="k",
                usage={"prompt_tokens": 3, "completion_tokens": 1},
            ),
        ]

    rows = [row for pair in zip(run(10, "Twelve."), run(20, "Nine."), strict=True) for row in pair]
    traces = load_all("\n".join(map(json.dumps, rows)))
    assert [trace.steps[1].text for trace in traces] == ["Twelve.", "Nine."]
    for trace in traces:
        assert trace.system == "shop" and trace.task == "Count."
        assert [(s.kind, s.agent) for s in trace.steps] == [
            ("message", "user"),
            ("message", "Clerk"),
        ]
        assert trace.steps[1].usage.input == 3


def test_calls_in_words_and_failures(load_one):
    rows = [
        event(1, "crew_kickoff_started"),
        event(2, "llm_call_completed", parent="e1", agent_role="Clerk", response="Action: stock"),
        event(
            3,
            "tool_usage_finished",
            parent="e1",
            agent_role="Clerk",
            tool_name="stock",
            tool_args="{'sku': 7}",
            output="12",
        ),
        event(4, "llm_call_failed", parent="e1", agent_role="Clerk", error="rate limit reached"),
        event(5, "crew_kickoff_failed", parent="e1", error="no answer"),
    ]
    trace = load_one("\n".join(map(json.dumps, rows)))
    said, result, failed, _ = trace.steps
    assert said.kind == "action" and said.tool_calls[0].arguments == {"sku": 7}
    assert said.tool_calls[0].result_step == 1 and result.tool_result.call_step == 0
    assert failed.kind == "event" and failed.error.kind == "limit"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "error")


def test_a_delegation_is_one_call_and_gets_its_result(load_one):
    def asked(sequence, agent, id, name):
        call = {"id": id, "function": {"name": name, "arguments": "{}"}, "type": "function"}
        more = {"agent_role": agent, "response": [call], "call_id": f"m{sequence}"}
        return event(sequence, "llm_call_completed", parent="e1", **more)

    def finished(sequence, agent, name, output):
        more = {"agent_role": agent, "tool_name": name, "tool_args": {}, "output": output}
        return event(sequence, "tool_usage_finished", parent="e1", **more)

    rows = [
        event(1, "crew_kickoff_started"),
        asked(2, "Boss", "c1", "delegate_work_to_coworker"),
        asked(3, "Clerk", "c2", "stock"),
        finished(4, "Clerk", "stock", "12"),
        finished(5, "Boss", "delegate_work_to_coworker", "Twelve."),
    ]
    trace = load_one("\n".join(map(json.dumps, rows)))
    calls = [(s.agent, c.id, c.result_step) for s in trace.steps for c in s.tool_calls]
    assert calls == [("Boss", "c1", 3), ("Clerk", "c2", 2)]


@pytest.mark.parametrize(
    ("name", "runs"), [("crew_output.json", 1), ("events.jsonl", 2), ("verbose_console.log", 2)]
)
def test_team_story(shared, name, runs):
    traces = list(load(shared / "samples" / "crewai" / f"crewai_{name}", strict=True))
    assert [trace.format for trace in traces] == ["crewai"] * runs
    for trace in traces:
        (book,) = [s for s in trace.steps if any(c.name == "book" for c in s.tool_calls)]
        assert book.agent == "Booker"
        assert book.tool_calls[0].arguments == {"flight_id": "LH123"}
        assert trace.steps[book.tool_calls[0].result_step].text == "booked LH123"
        (failed,) = [s for s in trace.steps if s.error]
        assert failed.agent == "get_fx_rate" and failed.error.kind == "timeout"
        assert failed.error.declared and failed.tool_result.call_step is not None
        (handed,) = [s for s in trace.steps if s.kind == "handoff"]
        assert (handed.agent, handed.to) == ("Flight Researcher", ("Booker",))
        edges = TraceGraph(trace).edges("delegates")
        assert handed.index in edges.source.tolist()
        assert trace.task.startswith("Find the cheapest flight")


def test_real_events_count_usage_once(shared):
    for trace in load(shared / "samples" / "crewai" / "crewai_events.jsonl"):
        usage = [s for s in trace.steps if s.usage]
        assert len(usage) == len({s.llm_call_id for s in usage}) == 4
        assert [tool.name for tool in trace.tools] == ["search_flights", "get_fx_rate", "book"]
        assert trace.system == "travel_desk"


def test_real_logs_say_that_they_are_outlines(shared):
    for suffix in ("json", "txt"):
        (trace,) = load(shared / "samples" / "crewai" / f"crewai_output_log.{suffix}", strict=True)
        assert len(trace.steps) == 4 and trace.steps[1].to == ("Booker",)
        assert any("structure only" in d.message for d in trace.diagnostics)


def stray(number, kind, role="Lead", **more):
    """An event that does not say what it came from."""
    event = {"type": kind, "event_id": f"e{number}", "emission_sequence": number, "task_id": "t"}
    return {**event, "agent_role": role, "timestamp": "2026-03-09T10:00:00", **more}


def test_events_without_a_parent_belong_to_the_run_before_them(load_one):
    work = {"coworker": "Clerk", "task": "Count."}
    trace = load_one(
        [
            stray(1, "crew_kickoff_started", None, crew_name="shop"),
            stray(2, "task_started", None, task={"description": "Count the lamps."}),
            stray(3, "llm_call_completed", call_id="c1", response="Action: Delegate work"),
            stray(4, "llm_call_completed", "Clerk", call_id="c2", response="Twelve."),
            stray(5, "tool_usage_finished", tool_name="delegate_work_to_coworker",
                  tool_args=work, output="Twelve."),
            stray(6, "human_feedback_received", feedback="Count again."),
            stray(7, "lamp_lit", words="light"),
            stray(8, "crew_kickoff_failed", None, error="no more lamps"),
        ]
    )  # fmt: skip
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("message", "user", ()),
        ("handoff", "Lead", ("Clerk",)),  # the call stands in its words
        ("message", "Clerk", ()),
        ("result", "delegate_work_to_coworker", ()),
        ("message", "user", ()),
        ("event", "crew", ()),
    ]
    assert trace.steps[1].tool_calls[0].result_step == 3 and trace.outcome.status == "failed"
    assert "events of type 'lamp_lit'" in [note.message for note in trace.diagnostics]
