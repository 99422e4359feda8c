"""Measures of whole runs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traceloc.graph import TraceGraph
from traceloc.ranking.summaries import SUMMARIES, state_answer, summarise_run
from traceloc.trace import Agent, StepError, ToolCall

PEOPLE = (Agent(name="me", kind="human"), Agent(name="bot", kind="worker"))


def summarise(make_trace, *rows, **fields):
    return summarise_run(TraceGraph(make_trace(*rows, agents=PEOPLE, **fields)))


def call(query):
    return {"tool_calls": (ToolCall(name="search", arguments={"query": query}),)}


QUESTION = (0, "message", "me", "Which county holds Tysons Galleria?")
SEARCH = (1, "action", "bot", "", call("Tysons Galleria county"))
FOUND = (2, "result", "search", "the mall Tysons Galleria stands in Fairfax County, Virginia")
ANSWER = (3, "message", "bot", "It is in Virginia. <answer>Fairfax County</answer>")


def test_a_short_run_whose_answer_was_read_next_to_the_question(make_trace):
    found = summarise(make_trace, QUESTION, SEARCH, FOUND, ANSWER)
    assert found["run.steps"] == pytest.approx(math.log1p(2))
    assert found["answer.near_question"] > 0.5
    assert found["task.names_missing"] == 0.0
    quiet = ("run.gives_up", "run.doubts", "final.hedges", "answer.denies", "calls.repeated")
    assert [found[name] for name in quiet] == [0.0] * len(quiet)


def test_a_run_that_finds_nothing_and_says_so(make_trace):
    nothing = (2, "result", "search", "a page about bananas")
    sorry = (5, "message", "bot", "Unfortunately it might be unclear. <answer>None found</answer>")
    again = (3, "action", "bot", "", call("Tysons Galleria county"))
    found = summarise(make_trace, QUESTION, SEARCH, nothing, again, sorry)
    for name in ("run.gives_up", "run.doubts", "final.hedges", "answer.denies", "calls.repeated"):
        assert found[name] > 0, name
    assert found["calls.alike"] == 1.0
    assert found["task.names_missing"] == 1.0
    assert found["answer.near_question"] == 0.0


def test_in_a_conversation_a_refusal_counts_nothing(make_trace):
    rows = [
        QUESTION,
        (1, "message", "bot", "Unfortunately that is not possible; it seems unclear."),
        (2, "message", "me", "why?"),
        (3, "message", "bot", "I apologize, I cannot do that."),
    ]
    alone, talked = summarise(make_trace, *rows[:2]), summarise(make_trace, *rows)
    names = ("run.gives_up", "final.hedges", "answer.denies")
    assert all(alone[name] > 0 and talked[name] == 0 for name in names)


def test_an_error_at_the_end(make_trace):
    failed = (2, "result", "search", "boom", {"error": StepError(kind="tool", message="boom")})
    assert summarise(make_trace, QUESTION, SEARCH, failed, ANSWER)["errors.at_end"] == 1.0
    assert summarise(make_trace, QUESTION, SEARCH, failed, SEARCH, FOUND)["errors.at_end"] == 0.0


def test_the_answer_is_what_follows_its_mark():
    assert state_answer("so <answer> 42 </answer> bye").strip() == "42"
    assert state_answer("Final answer: 7\n\nThanks") == "7"
    assert state_answer("<think>perhaps 9</think>8") == "8"


def test_every_measure_is_declared_once_with_a_direction():
    names = [spec.name for spec in SUMMARIES]
    assert len(names) == len(set(names))
    assert all(spec.sign in (-1, 1) and spec.meaning for spec in SUMMARIES)


def test_a_trace_without_agents_is_all_zero(make_trace):
    assert set(summarise(make_trace, QUESTION).values()) == {0.0}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=6), st.text(max_size=40))
def test_hostile_text_gives_finite_numbers(texts, arguments):
    from traceloc.trace import Step, Trace

    steps = tuple(
        Step(
            index=i,
            native_index=i,
            kind="result" if i % 3 == 2 else "message",
            role="tool" if i % 3 == 2 else "assistant",
            agent="ab"[i % 2],
            text=text,
            tool_calls=(ToolCall(name=text[:5], arguments=arguments),) if i % 3 == 1 else (),
        )
        for i, text in enumerate(texts)
    )
    found = summarise_run(TraceGraph(Trace(id="t", format="f", steps=steps)))
    assert set(found) == {spec.name for spec in SUMMARIES}
    assert all(math.isfinite(value) for value in found.values())
