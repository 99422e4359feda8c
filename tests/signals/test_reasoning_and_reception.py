"""How a step argues, and what those who act next make of it."""

from __future__ import annotations

import math

import pytest


class TestReasoning:
    def test_inferences_grounds_and_expectations(self, talk, fires, explain):
        trace = talk(
            ("user", "How high is the tower?"),
            ("Ann", "Based on the plan, the tower has nine floors."),
            ("Ann", "A floor is usually three metres, therefore it is 27 metres high."),
            ("Bob", "27 metres."),
        )
        assert fires(trace, "reasoning.grounds") == [1]
        assert fires(trace, "reasoning.infers") == [2]
        assert fires(trace, "reasoning.expects") == [2]
        found = explain(trace, 2, "reasoning.infers")
        assert "'therefore'" in found.claim and "therefore" in found.cites[0].quote

    def test_what_was_not_said_has_no_evidence(self, talk, signal):
        from traceloc.graph import TraceGraph

        graph = TraceGraph(talk(("Ann", "Nine floors.")))
        assert signal("reasoning").explain(graph, 0, "infers") is None


class TestReception:
    def test_who_acts_next_vouches_for_a_step(self, talk, values, cited):
        trace = talk(
            ("Ann", "It is 27 metres."),
            ("tool", "verified"),
            ("Bob", "I agree."),
            ("Ann", "Nine floors."),
        )
        # A tool acts for nobody; the step before last is vouched for half as much.
        assert values(trace, "reception.vouched_for") == pytest.approx([math.log(2), 0, 0, 0])
        assert cited(trace, 0, "reception.vouched_for") == [0, 2]

    def test_the_second_to_act_counts_half(self, talk, values, cited):
        trace = talk(("Ann", "It is 27."), ("Bob", "Hm."), ("Cid", "I agree."))
        assert values(trace, "reception.vouched_for") == pytest.approx(
            [math.log(2) / 2, math.log(2), 0]
        )
        assert cited(trace, 0, "reception.vouched_for") == [0, 2]

    def test_reports_and_inferences_on_it(self, talk, fires):
        trace = talk(("Ann", "Booked."), ("Bob", "The booking is finished."), ("Bob", "Hence, 7."))
        assert fires(trace, "reception.reported_done") == [0]
        assert fires(trace, "reception.built_on") == [1]


class TestFormAndInfluence:
    def test_the_only_step_of_an_agent(self, talk, fires):
        trace = talk(("Ann", "One."), ("Bob", "Two."), ("Ann", "Three."), ("user", "Four."))
        assert fires(trace, "kind.only_step") == [1]

    def test_the_first_step_after_the_last_call(self, talk, fires, call):
        trace = talk(
            ("Ann", "Looking.", {"calls": (call("find", id="c"),)}),
            ("tool", "7"),
            ("Ann", "It is seven."),
            ("Bob", "Seven."),
        )
        assert fires(trace, "kind.first_after_calls") == [2]

    def test_code_is_new_as_far_as_no_earlier_code_holds_it(self, talk, values):
        one = "```python\nheight = floors * metres\n```"
        other = "```python\nwidth = windows * feet\n```"
        found = values(talk(("Ann", one), ("Bob", one), ("Ann", other)), "repetition.new_code")
        assert found[0] == 1 and found[1] == 0 and 0 < found[2] < 1

    def test_words_that_others_take_up(self, talk, values):
        trace = talk(
            ("Ann", "Measure the lantern with callipers."),
            ("Bob", "The lantern was measured with callipers."),
            ("Cid", "Nobody saw that."),
        )
        adopted = values(trace, "influence.adopted")
        assert adopted[0] > 0 and adopted[2] == 0

    def test_values_named_where_fault_is_found(self, talk, values):
        trace = talk(
            ("Ann", "The lamp is in Marseille."),
            ("Bob", "The bulb is in Toulouse."),
            ("Cid", "Marseille is wrong."),
        )
        found = values(trace, "claims.named_in_complaints")
        assert found[0] > 0 and found[1] == 0 and found[2] == 0
