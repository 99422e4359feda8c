"""Steps made of spans: what was put out, in order, once, by whom."""

from __future__ import annotations

import json

OPERATION = "gen_ai.operation.name"


def test_steps_come_from_outputs_and_repeated_inputs_are_references(otel) -> None:
    trace = otel.read(otel.otlp(*otel.small_run()))
    told = [(step.kind, step.agent, step.text, step.native_index) for step in trace.steps]
    assert told == [
        ("message", "user", "How much is 2 kg of tea?", 0),
        ("action", "clerk", "", 0),
        ("result", "price", "9", 1),
        ("message", "clerk", "18 EUR", 2),
    ]
    assert trace.steps[1].tool_calls[0].result_step == 2
    assert [message.step for message in trace.steps[3].inputs or ()] == [0, 1, 2]
    assert not any(message.text for message in trace.steps[3].inputs or ())
    assert (trace.id, trace.system, trace.task) == (otel.TRACE, "desk", "How much is 2 kg of tea?")
    assert len(trace.spans) == 4
    assert sum(step.usage.input or 0 for step in trace.steps if step.usage) == 14


def test_a_repeated_user_message_is_a_new_step(otel) -> None:
    more = otel.text("user", "go on")
    first, second = otel.text("assistant", "one"), otel.text("assistant", "two")
    trace = otel.read(
        otel.otlp(
            otel.span(1, "chat", (0, 1), attributes=otel.chat([more], [first])),
            otel.span(2, "chat", (2, 3), attributes=otel.chat([more, first, more], [second])),
        ),
    )
    assert [step.text for step in trace.steps] == ["go on", "one", "go on", "two"]


def test_causes_stand_before_effects_whatever_the_clock_says(otel) -> None:
    late = [
        otel.span(3, "execute_tool price", (1, 1), 1, attributes=otel.tool("price", "c1", "9")),
        otel.span(2, "chat m", (0, 9), 1, attributes=otel.chat([otel.ASK], [otel.LOOK])),
        otel.span(1, "invoke_agent clerk", (0, 10), attributes={OPERATION: "invoke_agent"}),
    ]
    assert [s.kind for s in otel.read(otel.otlp(*late)).steps] == ["message", "action", "result"]


def test_control_flow_is_no_error(otel) -> None:
    """Trap 1: LangGraph hands over by raising; the status may even be ERROR."""
    raised = ("exception", {"exception.type": "langgraph.errors.ParentCommand"})
    failed = {"code": 2, "message": "Command(graph='__parent__', update={})"}
    hand = otel.call("transfer_to_booker", {}, "c9")
    trace = otel.read(
        otel.otlp(
            otel.span(1, "chat", (0, 1), 5, attributes=otel.chat([otel.ASK], [hand])),
            otel.span(
                2,
                "execute_tool transfer_to_booker",
                (2, 3),
                5,
                attributes=otel.tool("transfer_to_booker", "c9"),
                events=[raised],
                status=failed,
            ),
            otel.span(5, "run", (0, 4), attributes={OPERATION: "invoke_workflow"}, status=failed),
            otel.span(
                6, "chat", (5, 6), attributes=otel.chat([otel.ASK], [otel.DONE], agent="booker")
            ),
        ),
    )
    assert not any(step.error for step in trace.steps)
    assert trace.outcome.status == "unknown"
    handoff = trace.steps[1]
    assert (handoff.kind, handoff.agent, handoff.to) == ("handoff", "clerk", ("booker",))
    assert [s.status for s in trace.spans][1:3] == ["control_flow", "control_flow"]


def test_invisible_and_declared_errors(otel) -> None:
    """Trap 2: an OK span whose result says that it failed."""
    calls = [otel.LOOK, otel.call("rate", {}, "c2"), otel.call("stock", {}, "c3")]
    boom = ("exception", {"exception.type": "ValueError", "exception.message": "no such rate"})
    trace = otel.read(
        otel.otlp(
            otel.span(1, "chat", (0, 1), attributes=otel.chat([otel.ASK], calls)),
            otel.span(2, "t", (2, 3), attributes=otel.tool("price", "c1", '{"status": "error"}')),
            otel.span(
                3,
                "t",
                (2, 4),
                attributes=otel.tool("rate", "c2"),
                events=[boom],
                status={"code": 2},
            ),
            otel.span(4, "t", (2, 5), attributes=otel.tool("stock", "c3", '{"error_rate": 0}')),
        ),
    )
    hidden, declared, fine = trace.steps[-3:]
    assert hidden.error is not None and not hidden.error.declared
    assert declared.error is not None and declared.error.type == "ValueError"
    assert declared.text == "no such rate"
    assert fine.error is None


def test_duplicates_make_no_steps(otel) -> None:
    """Trap 4: merged tool spans, calls of the client library, answers on the agent's span."""
    run = otel.small_run()
    run[3]["attributes"] += otel.pairs({"gen_ai.output.messages": json.dumps([otel.DONE])})
    inner = otel.span(
        7, "openai.chat", (1, 2), 2, attributes=otel.chat([otel.ASK], [otel.LOOK], agent=None)
    )
    merged = otel.span(
        8, "execute_tool (merged)", (3, 3), 1, attributes=otel.tool("(merged tools)", "x")
    )
    trace = otel.read(otel.otlp(*run, inner, merged, run[0]))
    assert [step.kind for step in trace.steps] == ["message", "action", "result", "message"]
    assert len(trace.spans) == 6
    assert any("exported more than once" in d.message for d in trace.diagnostics)


def test_structure_without_content_says_how_to_capture_it(otel) -> None:
    """Trap 6: no empty steps without a word about it."""
    trace = otel.read(
        otel.otlp(
            otel.span(
                1, "chat m", (0, 1), attributes={OPERATION: "chat", "gen_ai.agent.name": "clerk"}
            ),
            otel.span(2, "execute_tool book", (2, 3), attributes=otel.tool("book", "c1")),
        ),
    )
    assert [step.kind for step in trace.steps] == ["message", "action", "result"]
    (missing,) = [d for d in trace.diagnostics if d.kind == "missing"]
    assert "structure only" in missing.message
    assert "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in missing.message


def test_orphans_circles_and_junk_are_diagnosed(otel) -> None:
    run = otel.small_run()
    run[3]["parentSpanId"] = run[0]["spanId"]  # 1 → 2 → 1
    orphan = otel.span(
        9, "chat", (7, 8), 77, attributes=otel.chat([otel.ASK], [otel.text("assistant", "more")])
    )
    junk = otel.span(10, "x", (0, 0), attributes={})
    junk |= {"attributes": 3, "events": "no", "status": [], "links": 1, "startTimeUnixNano": {}}
    trace = otel.read(otel.otlp(*run, orphan, junk))
    assert trace.steps[-1].text == "more"
    messages = " ".join(d.message for d in trace.diagnostics)
    assert "circle" in messages and "parent spans" in messages


def test_a_sub_agent_inside_a_tool_is_delegation(otel) -> None:
    ask = otel.call("delegate_to_booker", {"task": "Book flight BA77"}, "c5")
    inner = [otel.text("user", "Book flight BA77")]
    trace = otel.read(
        otel.otlp(
            otel.span(1, "chat", (1, 2), 9, attributes=otel.chat([otel.ASK], [ask], agent="lead")),
            otel.span(
                4, "chat", (4, 5), 3, attributes=otel.chat(inner, [otel.DONE], agent="booker")
            ),
            otel.span(3, "invoke_agent booker", (3, 6), 2, attributes={OPERATION: "invoke_agent"}),
            otel.span(
                2, "t", (3, 7), 9, attributes=otel.tool("delegate_to_booker", "c5", "18 EUR")
            ),
            otel.span(9, "invoke_agent lead", (0, 8), attributes={OPERATION: "invoke_agent"}),
        ),
    )
    _, handed, copy, answer, result = trace.steps
    assert (handed.kind, handed.to) == ("handoff", ("booker",))
    assert (copy.agent, copy.to, copy.flags) == ("lead", ("booker",), ("copied_context",))
    assert (answer.agent, result.kind) == ("booker", "result")
    assert trace.agent("lead").kind == "orchestrator"
    assert trace.agent("booker").parent == "lead"


def test_counts_that_are_no_counts_are_missing(otel) -> None:
    more = {"gen_ai.usage.output_tokens": "9" * 400, "gen_ai.usage.cost": "much"}
    attributes = otel.chat([otel.ASK], [otel.DONE], **more)
    document = json.loads(otel.otlp(otel.span(1, "chat", (0, 1), attributes=attributes)))
    (raw,) = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for pair in raw["attributes"]:
        if pair["key"] == "gen_ai.usage.output_tokens":
            pair["value"] = {"intValue": 10**400}
    usage = otel.read(json.dumps(document)).steps[-1].usage
    assert usage is not None and (usage.input, usage.output, usage.cost_usd) == (7, None, None)


def test_what_a_tool_was_called_with_is_not_its_schema(otel) -> None:
    schema = {"type": "object", "properties": {"item": {"type": "string"}}}
    for parameters, known in ((schema, schema), ({"item": "tea"}, None)):
        about = {"tool.parameters": json.dumps(parameters)} | otel.tool("price", "c1", "9")
        trace = otel.read(
            otel.otlp(
                otel.span(1, "chat m", (0, 1), attributes=otel.chat([otel.ASK], [otel.LOOK])),
                otel.span(2, "execute_tool price", (2, 3), attributes=about),
            )
        )
        assert [(tool.name, tool.parameters) for tool in trace.tools] == [("price", known)]
