"""LangGraph's supervisor: what it says in the name of an agent that has finished."""

from __future__ import annotations

import pytest

FIELDS = {"trace_id": "r0", "session_name": "default", "error": None}


def model_run(number, agent, prompt, said):
    message = {"content": said, "type": "ai"}
    wrapped = {"lc": 1, "type": "constructor", "id": ["AIMessage"], "kwargs": message}
    return FIELDS | {
        "id": f"r{number}",
        "parent_run_id": "r0",
        "name": "model",
        "run_type": "llm",
        "start_time": f"2026-03-09T10:00:{2 * number:02}",
        "end_time": f"2026-03-09T10:00:{2 * number + 1:02}",
        "inputs": {"prompts": [prompt]},
        "outputs": {"generations": [[{"text": said, "message": wrapped}]]},
        "extra": {"metadata": {"langgraph_checkpoint_ns": f"{agent}:0-1"}},
    }


def team(back):
    asked = "Human: How many lamps are left?"
    whole = FIELDS | {
        "id": "r0",
        "parent_run_id": None,
        "name": "shop",
        "run_type": "chain",
        "start_time": "2026-03-09T10:00:00",
        "end_time": "2026-03-09T10:00:30",
        "inputs": {},
        "outputs": {},
    }
    counted = model_run(1, "clerk", asked, "Twelve lamps.")
    answer = model_run(2, "boss", f"{asked}\nAI: Twelve lamps.\nAI: {back}", "There are twelve.")
    return [whole, counted, answer]


def test_way_back_is_the_agent_s_that_has_finished(load_one):
    trace = load_one(team("Transferring back to boss"))
    (back,) = [s for s in trace.steps if s.text == "Transferring back to boss"]
    assert (back.agent, back.to, back.kind) == ("clerk", ("boss",), "handoff")
    assert back.flags == ("copied_context",)


OTHERS = ["Transferring back to the bank", "I go on. Transferring back to boss"]


@pytest.mark.parametrize("said", OTHERS)
def test_other_words_stay_the_speaker_s(load_one, said):
    trace = load_one(team(said))
    (copied,) = [s for s in trace.steps if s.text == said]
    assert (copied.agent, copied.to, copied.kind) == ("boss", (), "message")
