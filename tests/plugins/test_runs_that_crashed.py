"""A run that an exception ended has failed, whoever recorded it."""

from __future__ import annotations

import json

import pytest

ASKED = {"author": "user", "content": {"role": "user", "parts": [{"text": "Count the lamps."}]}}
CALLED = {
    "author": "clerk",
    "content": {"parts": [{"functionCall": {"id": "c1", "name": "stock", "args": {}}}]},
}
CRASHED = {"author": "clerk", "errorCode": "RuntimeError", "errorMessage": "the stock is closed"}
SAID = {"author": "clerk", "content": {"parts": [{"text": "Twelve."}]}}


def session(*events):
    listed = [
        {"id": f"e{number}", "invocationId": "i1", "timestamp": 1.0 + number, **event}
        for number, event in enumerate(events)
    ]
    return {"id": "s1", "appName": "shop", "userId": "u", "state": {}, "events": listed}


@pytest.mark.parametrize("whole", [True, False])
def test_adk_run_that_ends_with_an_error(load_one, whole):
    document = session(ASKED, CALLED, CRASHED)
    trace = load_one(document if whole else document["events"])
    outcome = trace.outcome
    assert (outcome.status, outcome.source) == ("failed", "error")
    assert outcome.detail == "the stock is closed"


def test_adk_run_that_goes_on_after_an_error(load_one):
    assert load_one(session(ASKED, CRASHED, ASKED, SAID)).outcome.status == "unknown"


def test_adk_result_that_shows_an_error_ends_nothing(load_one):
    answer = {"id": "c1", "name": "stock", "response": {"error": "the stock is closed"}}
    result = {"author": "clerk", "content": {"parts": [{"functionResponse": answer}]}}
    trace = load_one(session(ASKED, CALLED, result))
    assert trace.steps[-1].error is not None and trace.outcome.status == "unknown"


def test_verdict_of_an_adk_case_counts(load_one):
    case = {"evalId": "c", "sessionDetails": session(ASKED, CRASHED)}
    stated = {verdict: load_one({**case, "finalEvalStatus": verdict}) for verdict in (1, 3)}
    assert stated[1].outcome.status == "passed"
    assert (stated[3].outcome.status, stated[3].outcome.source) == ("failed", "error")


def core_log(*failures):
    said = {"id": "m1", "source": "user", "type": "TextMessage", "content": "Count the lamps."}
    sent = {"type": "Message", "delivery_stage": "SEND", "payload": json.dumps({"message": said})}
    raised = [
        {"type": "MessageHandlerException", "handling_agent": f"{agent}_t/t", "exception": text}
        for agent, text in failures
    ]
    return "\n".join(json.dumps(record) for record in (sent, *raised))


ECHO = "Unhandled message in agent container: <class 'teams._events.GroupChatError'>"


def test_autogen_team_that_crashed(load_one):
    trace = load_one(core_log(("clerk", "the line is cut"), ("writer", ECHO), ("boss", ECHO)))
    assert [(s.kind, s.agent) for s in trace.steps] == [("message", "user"), ("event", "clerk")]
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "error")
    assert trace.outcome.detail == "the line is cut"
    (note,) = [d for d in trace.diagnostics if "another agent had failed" in d.message]
    assert note.count == 2


def test_autogen_news_of_a_failure_that_was_not_logged(load_one):
    trace = load_one(core_log(("writer", ECHO)))
    assert trace.steps[-1].agent == "writer" and trace.outcome.status == "failed"


def test_autogen_second_crash_of_its_own(load_one):
    trace = load_one(core_log(("clerk", "the line is cut"), ("writer", "the ink is dry")))
    assert [s.agent for s in trace.steps] == ["user", "clerk", "writer"]
