from __future__ import annotations

from traceloc.evaluation.baselines import commonest_position, nearest, pick_by_rules
from traceloc.trace import Agent, Step, StepError, ToolCall, Trace


def step(index, agent, text="", kind="message", **more):
    role = "tool" if kind == "result" else "assistant"
    return Step(
        index=index, native_index=index, kind=kind, role=role, agent=agent, text=text, **more
    )


def trace_of(*steps):
    kinds = {"boss": "orchestrator", "user": "human", "tool": "tool", "w": "worker", "v": "worker"}
    agents = tuple(Agent(name=name, kind=kind) for name, kind in kinds.items())
    return Trace(id="t", format="f", steps=steps, agents=agents)


def test_each_rule_names_its_step():
    failed = StepError(kind="tool", message="no")
    trace = trace_of(
        step(0, "user", "assume nothing"),
        step(1, "boss", "```plan```"),
        step(2, "w", "I look"),
        step(3, "v", "```python```", tool_calls=(ToolCall(name="x"),)),
        step(4, "tool", "Traceback", kind="result", error=failed),
        step(5, "w", "Assuming 5"),
        step(6, "v", "done"),
    )
    assert pick_by_rules(trace, range(7)) == {
        "agent before the first tool error": 3,
        "first acting step": 2,
        "first code block": 3,
        "first assumption": 5,
        "author of the last acting step": 6,
    }


def test_positions_are_among_the_candidates():
    trace = trace_of(step(0, "user"), step(1, "w", "x"), step(2, "w", "```code```"))
    assert pick_by_rules(trace, [1, 2])["first code block"] == 1


def test_rules_without_their_mark_name_the_first_acting_step():
    trace = trace_of(step(0, "user"), step(1, "boss", "a"), step(2, "w", "b"), step(3, "v", "c"))
    picks = pick_by_rules(trace, range(4))
    assert picks.pop("author of the last acting step") == 3
    assert set(picks.values()) == {2}


def test_orchestrators_act_where_nobody_else_does_and_anybody_where_no_agent_does():
    assert (
        pick_by_rules(trace_of(step(0, "user"), step(1, "boss")), range(2))["first acting step"]
        == 1
    )
    assert pick_by_rules(trace_of(step(0, "user")), [0])["first acting step"] == 0
    assert pick_by_rules(trace_of(), []) == {}


def test_the_commonest_position_and_the_candidate_next_to_it():
    assert commonest_position([4, 2, 2, 4, 7]) == 2
    assert commonest_position([]) == 0
    assert nearest([0, 3, 5], 4) == 1
