from __future__ import annotations

import pytest
from judge_samples import FakeJudge, make_panel, run_in

from traceloc import Trace
from traceloc.judgement import JudgeError

LESSON = {
    "context": "A figure is needed that no tool has returned.",
    "signature": "States a figure from memory instead of the one that a tool gave.",
    "heuristics": [
        "Does the step state a figure that no result before it holds?",
        "Was there a result with another figure?",
    ],
    "category": "Hallucination",
}


def distil(trace: Trace, said: object, step: int = 3):
    judge = FakeJudge(lambda prompt: said)
    panel = make_panel(judge)
    return run_in(panel, panel.distil(trace, step)), judge


def test_a_lesson_is_written_in_general_terms(trip: Trace) -> None:
    lesson, judge = distil(trip, LESSON)
    assert lesson.category == "Invention of New Information"
    assert lesson.heuristics == tuple(LESSON["heuristics"])
    (prompt,) = judge.prompts
    assert "#3 is the decisive error step of this run" in prompt.user
    assert "ola@" not in prompt.user
    assert prompt.answer_schema["required"][0] == "context"


@pytest.mark.parametrize(
    "change",
    [
        {"heuristics": ["Only one?"]},
        {"heuristics": ["?"] * 9},
        {"signature": "States 295 kroner."},
        {"context": "See https://example.org/x"},
        {"context": "At step 3 it fails."},
        {"signature": "Says: I assume the fare is many kroner, as it was last year."},
        {"context": ""},
        {"context": None},
    ],
)
def test_what_is_no_lesson_is_refused(trip: Trace, change: dict) -> None:
    if "many" in str(change):
        steps = list(trip.steps)
        text = "I assume the fare is many kroner, as it was last year."
        steps[3] = steps[3].model_copy(update={"text": text})
        trip = trip.model_copy(update={"steps": tuple(steps)})
    with pytest.raises(JudgeError) as caught:
        distil(trip, LESSON | change)
    assert caught.value.kind == "invalid"


def test_words_of_the_steps_around_it_are_refused_too(trip: Trace) -> None:
    steps = list(trip.steps)
    said = "Write to the traveller that all is well and paid for by us."
    steps[4] = steps[4].model_copy(update={"text": said})
    trip = trip.model_copy(update={"steps": tuple(steps)})
    with pytest.raises(JudgeError, match="repeats the words"):
        distil(trip, LESSON | {"context": f"Somebody says: {said}"})


def test_only_the_surroundings_are_shown(talk) -> None:
    trace = talk(*(("Desk" if i % 2 else "Clerk", f"part {i} of the work") for i in range(60)))
    _, judge = distil(trace, LESSON, step=30)
    user = judge.prompts[0].user
    assert "part 30 " in user and "part 24 " in user and "part 34 " in user
    assert "part 10 " not in user and "part 50 " not in user
