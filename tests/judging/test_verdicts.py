from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_samples import rank, verdict

from traceloc import Trace
from traceloc.judgement import JudgeError, JudgeReply
from traceloc.judging.verdicts import read_half, read_json, read_verdict, read_yes_no
from traceloc.judging.view import CaseView


@pytest.fixture
def view(trip: Trace) -> CaseView:
    return CaseView(trip, rank(trip))


def read(view: CaseView, answer: object, **more: object):
    text = answer if isinstance(answer, str) else json.dumps(answer)
    allowed = range(len(view))
    return read_verdict(JudgeReply(text=text, **more), view, allowed=allowed)


def kind_of(view: CaseView, answer: object, **more: object) -> str:
    with pytest.raises(JudgeError) as caught:
        read(view, answer, **more)
    return caught.value.kind


def test_a_sound_verdict_is_taken(view: CaseView) -> None:
    answer = verdict(3, agent="desk", category="Hallucination", cites=[2, 5], alternative=1)
    found = read(view, answer)
    assert (found.step, found.agent, found.alternative) == (3, "Desk", 1)
    assert found.category == "Invention of New Information"
    assert found.cites == (3, 2, 5)


def test_no_error_is_an_answer(view: CaseView) -> None:
    assert read(view, verdict(None)).step is None


@pytest.mark.parametrize("written", ["3", "#3", 3.0])
def test_numbers_may_be_written_otherwise(view: CaseView, written: object) -> None:
    assert read(view, verdict(3, step=written, cites=[written])).step == 3


def test_words_around_the_object_do_not_matter(view: CaseView) -> None:
    text = f"Let me think {{about}} it.\n```json\n{json.dumps(verdict(3))}\n```\nDone."
    assert read(view, text).step == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (verdict(3, step=99, cites=[3], claim="It fails."), "invented"),
        (verdict(3, cites=[3, 77]), "invented"),
        (verdict(3, alternative=-1), "invented"),
        (verdict(3, agent="Clerk"), "contradictory"),
        (verdict(3, claim="Step 5 is wrong."), "contradictory"),
        (verdict(3, alternative=3), "contradictory"),
        (verdict(None, agent="Desk"), "contradictory"),
        (json.dumps(verdict(3)) + json.dumps(verdict(5)), "contradictory"),
        ({"claim": "something"}, "invalid"),
        (verdict(3, step=True), "invalid"),
        (verdict(3, step="three"), "invalid"),
        ("no idea", "invalid"),
        ("{" * 5000, "invalid"),
        ("", "invalid"),
        ("I'm sorry, but I can't help with that.", "refusal"),
    ],
)
def test_what_does_not_hold_is_a_failure(view: CaseView, answer: object, kind: str) -> None:
    assert kind_of(view, answer) == kind


def test_equal_answers_twice_are_one(view: CaseView) -> None:
    assert read(view, json.dumps(verdict(3)) * 2).step == 3


def test_how_it_ended_counts(view: CaseView) -> None:
    assert kind_of(view, verdict(3), finish="length") == "truncated"
    assert kind_of(view, verdict(3), finish="refusal") == "refusal"


def test_only_what_was_asked_about_may_be_blamed(view: CaseView) -> None:
    reply = JudgeReply(text=json.dumps(verdict(3)))
    with pytest.raises(JudgeError) as caught:
        read_verdict(reply, view, allowed={1, 5})
    assert caught.value.kind == "outside"


def test_a_claim_is_masked_and_short(view: CaseView) -> None:
    claim = "At #3 it writes to eva@example.org. " + "x" * 5000
    found = read(view, verdict(3, claim=claim))
    assert "eva@" not in found.claim and len(found.claim) <= 600


def test_yes_no_and_halves(view: CaseView) -> None:
    yes = JudgeReply(text='{"claim": "wrong", "error": true, "category": null, "cites": [2]}')
    found = read_yes_no(yes, view, step=3)
    assert found is not None and found.step == 3 and found.cites == (3, 2)
    no = JudgeReply(text='{"claim": "fine", "error": false, "cites": []}')
    assert read_yes_no(no, view, step=3) is None
    assert read_half(JudgeReply(text='{"claim": "a", "half": "first"}'))
    assert not read_half(JudgeReply(text='{"claim": "a", "half": "second"}'))
    with pytest.raises(JudgeError):
        read_half(JudgeReply(text='{"claim": "a", "half": "third"}'))


@given(st.text())
def test_reading_never_crashes(text: str) -> None:
    assert all(isinstance(value, dict) for value in read_json(text))
