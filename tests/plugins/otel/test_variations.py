"""Runs that exporters may write but no sample shows: reused ids, lost times, agents in agents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from traceloc import load

OPERATION = "gen_ai.operation.name"


def calls(*made: tuple[str, dict[str, Any], str]) -> dict[str, Any]:
    parts = [{"type": "tool_call", "id": i, "name": n, "arguments": a} for n, a, i in made]
    return {"role": "assistant", "parts": parts}


def answer(call_id: str, words: str) -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": call_id, "response": words}
    return {"role": "tool", "parts": [part]}


def works(name: str) -> dict[str, str]:
    return {OPERATION: "invoke_agent", "gen_ai.agent.name": name}


def says(otel, given: list[dict], said: dict) -> dict[str, Any]:
    return otel.chat(given, [said], agent=None)


def runs(otel, name: str, call_id: str | None, arguments: dict, result: str) -> dict[str, Any]:
    told = {"gen_ai.tool.call.arguments": json.dumps(arguments)}
    return otel.tool(name, call_id, result, **told)


def test_a_call_id_that_comes_again_means_another_call(otel) -> None:
    """Some model servers count the calls of every response from nought."""
    first = calls(("count", {"of": "lamps"}, "call_0"), ("count", {"of": "chairs"}, "call_1"))
    second = calls(("count", {"of": "beds"}, "call_0"))
    ask = otel.text("user", "Count all.")
    known = [ask, first, answer("call_0", "12"), answer("call_1", "3")]
    trace = otel.read(
        otel.otlp(
            otel.span(1, "invoke_agent clerk", (0, 90), attributes=works("clerk")),
            otel.span(2, "chat", (1, 5), 1, attributes=says(otel, [ask], first)),
            otel.span(
                3, "t", (6, 7), 1, attributes=runs(otel, "count", "call_0", {"of": "lamps"}, "12")
            ),
            otel.span(
                4, "t", (6, 8), 1, attributes=runs(otel, "count", "call_1", {"of": "chairs"}, "3")
            ),
            otel.span(5, "chat", (10, 15), 1, attributes=says(otel, known, second)),
            otel.span(
                6, "t", (16, 17), 1, attributes=runs(otel, "count", "call_0", {"of": "beds"}, "7")
            ),
            otel.span(
                7,
                "chat",
                (20, 25),
                1,
                attributes=says(
                    otel,
                    [*known, second, answer("call_0", "7")],
                    otel.text("assistant", "22"),
                ),
            ),
        )
    )
    assert [(s.kind, s.text) for s in trace.steps] == [
        ("message", "Count all."),
        ("action", ""),
        ("result", "12"),
        ("result", "3"),
        ("action", ""),
        ("result", "7"),
        ("message", "22"),
    ]
    assert [c.result_step for s in trace.steps for c in s.tool_calls] == [2, 3, 5]
    assert len({c.id for s in trace.steps for c in s.tool_calls}) == 3
    assert [m.step for m in trace.steps[6].inputs or ()] == [0, 1, 2, 3, 4, 5]
    assert not trace.diagnostics


def test_results_that_a_prompt_shortens_are_those_of_their_calls_in_order(otel) -> None:
    """Three calls of one id, and a prompt that tells their results in other words."""
    ask, done = otel.text("user", "Count all."), otel.text("assistant", "3 kinds")
    spans = [otel.span(1, "invoke_agent clerk", (0, 90), attributes=works("clerk"))]
    for number, kind in enumerate(("lamps", "chairs", "beds")):
        made, start = calls(("count", {"of": kind}, "call_0")), 10 * number + 1
        ran = runs(otel, "count", "call_0", {"of": kind}, f"{number} {kind} in the shop")
        asked = otel.span(2 * number + 2, "chat", (start, start + 2), 1)
        asked |= {"attributes": otel.pairs(says(otel, [ask], made))}
        tool = otel.span(2 * number + 3, "t", (start + 3, start + 4), 1, attributes=ran)
        spans += [asked, tool]
    shortened = [answer("call_0", f"{number} …") for number in range(3)]
    last = says(otel, [ask, *shortened, answer("call_0", "gone")], done)
    spans.append(otel.span(9, "chat", (50, 55), 1, attributes=last))
    trace = otel.read(otel.otlp(*spans))
    results = [s.index for s in trace.steps if s.kind == "result"]
    assert [s.text[:1] for s in trace.steps if s.kind == "result"] == ["0", "1", "2"]
    assert [m.step for m in trace.steps[-1].inputs or ()] == [0, *results, None]


def test_an_agent_inside_a_tool_may_use_the_ids_of_the_one_outside(otel) -> None:
    order = calls(("ask_writer", {"task": "write it down"}, "0"))
    inner = calls(("write", {"words": "tea"}, "0"))
    ask, task = otel.text("user", "Note tea."), otel.text("user", "write it down")
    done = otel.text("assistant", "written")
    trace = otel.read(
        otel.otlp(
            otel.span(1, "invoke_agent lead", (0, 90), attributes=works("lead")),
            otel.span(2, "chat", (1, 5), 1, attributes=says(otel, [ask], order)),
            otel.span(
                3,
                "t",
                (6, 60),
                1,
                attributes=runs(otel, "ask_writer", "0", {"task": "write it down"}, "written"),
            ),
            otel.span(4, "invoke_agent writer", (7, 59), 3, attributes=works("writer")),
            otel.span(5, "chat", (8, 10), 4, attributes=says(otel, [task], inner)),
            otel.span(
                6, "t", (11, 12), 4, attributes=runs(otel, "write", "0", {"words": "tea"}, "ok")
            ),
            otel.span(
                7,
                "chat",
                (13, 15),
                4,
                attributes=says(otel, [task, inner, answer("0", "ok")], done),
            ),
        )
    )
    assert [(s.agent, s.tool_calls[0].result_step) for s in trace.steps if s.tool_calls] == [
        ("lead", 6),
        ("writer", 4),
    ]
    assert trace.steps[6].text == "written" and trace.steps[4].text == "ok"
    assert [m.step for m in trace.steps[5].inputs or ()] == [2, 3, 4]


def test_agents_three_deep(otel) -> None:
    ask, order = otel.text("user", "Equip the shop."), otel.text("user", "order twelve lamps")
    done = otel.text("assistant", "ordered")
    to_lead = calls(("ask_lead", {"task": "see to the lamps"}, "c1"))
    to_clerk = calls(("ask_clerk", {"task": "order twelve lamps"}, "c2"))
    task = otel.text("user", "see to the lamps")
    lead = runs(otel, "ask_lead", "c1", {"task": "see to the lamps"}, "ordered")
    clerk = runs(otel, "ask_clerk", "c2", {"task": "order twelve lamps"}, "ordered")
    spans = [
        otel.span(1, "invoke_agent chief", (0, 99), attributes=works("chief")),
        otel.span(2, "chat", (1, 2), 1, attributes=says(otel, [ask], to_lead)),
        otel.span(3, "execute_tool ask_lead", (3, 90), 1, attributes=lead),
        otel.span(4, "invoke_agent lead", (4, 89), 3, attributes=works("lead")),
        otel.span(5, "chat", (5, 6), 4, attributes=says(otel, [task], to_clerk)),
        otel.span(6, "execute_tool ask_clerk", (7, 80), 4, attributes=clerk),
        otel.span(7, "invoke_agent clerk", (8, 79), 6, attributes=works("clerk")),
        otel.span(8, "chat", (9, 10), 7, attributes=says(otel, [order], done)),
    ]
    trace = otel.read(otel.otlp(*reversed(spans)))
    parents = {name: trace.agent(name).parent for name in ("chief", "lead", "clerk")}
    assert parents == {"chief": None, "lead": "chief", "clerk": "lead"}
    assert [(s.agent, s.to) for s in trace.steps if s.tool_calls] == [
        ("chief", ("lead",)),
        ("lead", ("clerk",)),
    ]
    assert [s.agent for s in trace.steps if s.role == "assistant"] == ["chief", "lead", "clerk"]


@pytest.mark.parametrize("lost", ["endTimeUnixNano", "startTimeUnixNano", "both"])
def test_an_agents_answer_comes_after_what_it_did(otel, lost: str) -> None:
    """Spans of an agent and its tool, without times to tell them apart."""
    found = {
        "openinference.span.kind": "AGENT",
        "agent.name": "clerk",
        "input.value": "How many lamps?",
        "output.value": "Twelve.",
    }
    ran = {"openinference.span.kind": "TOOL", "tool.name": "count", "output.value": "12"}
    spans = [
        otel.span(2, "count", (1, 2), 1, attributes=ran),
        otel.span(1, "clerk", (0, 3), attributes=found),
    ]
    for span in spans:
        for key in ("startTimeUnixNano", "endTimeUnixNano"):
            if lost in (key, "both"):
                del span[key]
    trace = otel.read(otel.otlp(*spans))
    assert [s.text for s in trace.steps] == ["How many lamps?", "", "12", "Twelve."]


def test_a_part_of_a_run_names_no_agent(otel) -> None:
    """Where the spans above are missing, the name of an inner span says nothing of the whole."""
    cycle = otel.span(2, "execute_event_loop_cycle", (0, 3), 9)
    cycle["attributes"] = otel.pairs({OPERATION: "execute_event_loop_cycle"})
    said = otel.chat([otel.ASK], [otel.DONE], agent=None)
    trace = otel.read(otel.otlp(cycle, otel.span(1, "chat", (1, 2), 2, attributes=said)))
    assert trace.steps[-1].agent == "desk"


def test_media_are_told_in_words(otel) -> None:
    seen = {
        "role": "user",
        "parts": [
            {"type": "text", "content": "What is it?"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGVsbG8="},
            {"type": "uri", "modality": "image", "uri": "https://shop.example/lamp.png"},
            {"image": {"format": "png", "source": {"bytes": "aGVsbG8="}}},
            {"inlineData": {"mimeType": "image/png", "data": "aGVsbG8="}},
        ],
    }
    trace = otel.read(otel.otlp(otel.span(1, "chat", (0, 1), attributes=otel.chat([seen], []))))
    assert trace.steps[0].text == (
        "What is it?\n[image]\n[image https://shop.example/lamp.png]\n[image]\n[file]"
    )


def test_agents_that_are_told_the_same_are_both_told(otel) -> None:
    rule = otel.text("system", "Count.")
    spans = [
        otel.span(
            n,
            "chat",
            (n, n + 1),
            attributes=otel.chat([rule, otel.text("user", ask)], [otel.DONE], agent=name),
        )
        for n, name, ask in ((1, "clerk", "Lamps?"), (2, "porter", "Chairs?"))
    ]
    trace = otel.read(otel.otlp(*spans))
    assert [s.text for s in trace.steps if s.kind == "system"] == ["Count."]
    assert trace.agent("clerk").instructions == trace.agent("porter").instructions == "Count."


def test_instructions_on_the_agents_span(otel) -> None:
    about = {**works("clerk"), "gen_ai.system_instructions": "Be brief."}
    about["gen_ai.agent.description"] = "OpenAI Agents instrumentation"
    trace = otel.read(
        otel.otlp(
            otel.span(1, "invoke_agent clerk", (0, 3), attributes=about),
            otel.span(2, "chat", (1, 2), 1, attributes=says(otel, [otel.ASK], otel.DONE)),
        )
    )
    assert trace.agent("clerk").instructions == "Be brief."
    assert trace.agent("clerk").description is None  # what the instrumentation says of everybody


def test_traces_in_which_nobody_acts_are_counted(otel, tmp_path: Path) -> None:
    bus = otel.span(7, "publish", (0, 1), attributes={"messaging.operation": "publish"})
    bus["traceId"] = "b" * 32
    path = tmp_path / "spans.jsonl"
    path.write_text(otel.otlp(bus) + "\n" + otel.otlp(*otel.small_run()) + "\n")
    (trace,) = load(path, strict=True)
    assert [(d.kind, d.count) for d in trace.diagnostics] == [("skipped", 1)]


def parts(role: str, *found: dict[str, Any], key: str = "content") -> dict[str, Any]:
    return {"role": role, key: list(found)}


HM = {"type": "text", "text": "Hm."}
HISTORIES: dict[str, tuple[int, list[dict[str, Any]]]] = {
    "the AI SDK": (
        1,
        [
            parts(
                "assistant",
                HM,
                {"type": "tool-call", "toolCallId": "a", "toolName": "get", "input": {"k": 1}},
                {"type": "tool-call", "toolCallId": "b", "toolName": "put", "input": {"k": 2}},
            ),
            parts(
                "tool",
                {
                    "type": "tool-result",
                    "toolCallId": "a",
                    "toolName": "get",
                    "output": {"type": "text", "value": "one"},
                },
                {
                    "type": "tool-result",
                    "toolCallId": "b",
                    "toolName": "put",
                    "output": {"type": "error-text", "value": "it burns"},
                },
            ),
            parts("user", {"type": "text", "text": "Hurry."}),
        ],
    ),
    "Anthropic": (
        1,
        [
            parts(
                "assistant",
                HM,
                {"type": "tool_use", "id": "a", "name": "get", "input": {"k": 1}},
                {"type": "tool_use", "id": "b", "name": "put", "input": {"k": 2}},
            ),
            parts(
                "user",
                {"type": "tool_result", "tool_use_id": "a", "content": "one"},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "content": "it burns",
                    "is_error": True,
                },
                {"type": "text", "text": "Hurry."},
            ),
        ],
    ),
    "Gemini": (
        1,
        [
            parts(
                "model",
                {"text": "Hm."},
                {"functionCall": {"name": "get", "args": {"k": 1}}},
                {"functionCall": {"name": "put", "args": {"k": 2}}},
                key="parts",
            ),
            parts(
                "user",
                {"functionResponse": {"name": "get", "response": {"result": "one"}}},
                {"functionResponse": {"name": "put", "response": {"error": "it burns"}}},
                {"text": "Hurry."},
                key="parts",
            ),
        ],
    ),
    "Responses": (
        4,
        [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Well."}]},
            {"type": "message", "role": "assistant", "content": [HM]},
            {"type": "function_call", "call_id": "a", "name": "get", "arguments": '{"k": 1}'},
            {"type": "function_call", "call_id": "b", "name": "put", "arguments": '{"k": 2}'},
            {"type": "function_call_output", "call_id": "a", "output": "one"},
            {"type": "function_call_output", "call_id": "b", "output": "Error: it burns"},
            {"role": "user", "content": "Hurry."},
        ],
    ),
}
"""How many messages the model said, and all that the next prompt repeats."""


@pytest.mark.parametrize("who", HISTORIES)
def test_results_that_only_the_next_prompt_shows(load_one, documents, who: str) -> None:
    """Where tools have no spans; in the words of each provider, as Langfuse keeps them."""
    document, (own, history) = documents["langfuse"], HISTORIES[who]
    ask = {"role": "user", "content": "Go."}
    done = {"role": "assistant", "content": "Done."}
    observation = {**document["observations"][0], "type": "GENERATION", "metadata": None}
    document["observations"] = [
        {
            **observation,
            "id": f"g{second}",
            "parentObservationId": None,
            "startTime": f"2026-03-09T10:00:0{second}Z",
            "endTime": f"2026-03-09T10:00:0{second + 1}Z",
            "input": given,
            "output": said,
        }
        for second, given, said in ((0, [ask], history[:own]), (2, [ask, *history], [done]))
    ]
    trace = load_one(document)
    assert [(s.kind, s.role) for s in trace.steps] == [
        ("message", "user"),
        ("action", "assistant"),
        ("result", "tool"),
        ("result", "tool"),
        ("message", "user"),
        ("message", "assistant"),
    ]
    assert [(c.name, c.result_step) for c in trace.steps[1].tool_calls] == [("get", 2), ("put", 3)]
    assert trace.steps[3].error is not None and trace.steps[2].error is None
    assert [m.step for m in trace.steps[5].inputs or ()] == [0, 1, 2, 3, 4]
