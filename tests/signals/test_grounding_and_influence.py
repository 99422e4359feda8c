"""Values without a source, and what later steps rest on."""

from __future__ import annotations

import math

import pytest

from traceloc.trace import InputMessage


class TestGrounding:
    def test_numbers_are_counted_where_they_first_stand(self, talk, values, explain):
        trace = talk(
            ("user", "What does 4711 cost?"),
            ("Ann", "4711 costs 815 or 99.50."),
            ("tool", "333"),
            ("Bob", "333, 815 or 99.5: it is 7."),
        )
        assert values(trace, "grounding.numbers") == pytest.approx([0, math.log1p(2), 0, 0])
        one = explain(trace, 1, "grounding.numbers")
        assert one.claim.endswith(": 815, 99.50") or one.claim.endswith(": 99.50, 815")
        assert [cite.step for cite in one.cites] == [1]
        assert any(number in one.cites[0].quote for number in ("815", "99.50"))

    def test_the_task_is_a_source(self, talk, fires):
        lines = [("Ann", "It is 4711.")]
        assert fires(talk(*lines), "grounding.numbers") == [0]
        assert fires(talk(*lines, task="Where is 4,711.0?"), "grounding.numbers") == []

    def test_what_an_agent_was_given_is_a_source(self, talk, fires):
        given = (InputMessage(role="user", text="4711"),)
        trace = talk(("Ann", "4711", {"inputs": given}), ("Bob", "815"))
        assert fires(trace, "grounding.numbers") == [1]

    def test_names_identifiers_and_links(self, talk, fires):
        trace = talk(
            ("user", "Ask Marseille about lamp_7 at https://x.org."),
            ("Ann", "Marseille said lamp_7, see https://x.org/."),
            ("Ann", "Better ask Toulouse."),
            ("Ann", "It is lamp_8."),
            ("Ann", "see https://y.org"),
        )
        assert fires(trace, "grounding.names") == [2]
        assert fires(trace, "grounding.identifiers") == [3]
        assert fires(trace, "grounding.links") == [4]

    def test_code_and_words(self, talk, fires):
        trace = talk(
            ("Ann", "```python\nprices = [815, 99]\n```"),
            ("Ann", "It is 4711."),
        )
        assert fires(trace, "grounding.numbers_in_code") == [0]
        assert fires(trace, "grounding.data_in_code") == [0]
        assert fires(trace, "grounding.numbers_in_words") == [1]

    def test_before_and_after_tools(self, talk, fires, values):
        trace = talk(("Ann", "815"), ("tool", "333"), ("Ann", "333 4711"), ("Bob", "2000"))
        assert fires(trace, "grounding.numbers_no_tool") == [0]
        assert fires(trace, "grounding.after_tool_new_numbers") == [2]
        # 0 is followed by a result and 2 comes after one: they did look something up.
        assert fires(trace, "grounding.unbacked") == [3]

    def test_relied_on_and_held_by_the_answer(self, talk, fires, cited):
        trace = talk(
            ("Ann", "It is 815."), ("Bob", "I like 99."), ("Cy", "So 815."), ("Cy", "815!")
        )
        assert fires(trace, "grounding.relied_on") == [0]
        assert fires(trace, "grounding.in_answer") == [0]
        assert cited(trace, 0, "grounding.in_answer") == [0, 2, 3]

    @pytest.mark.parametrize(
        ("theme", "text"),
        [
            ("assume", "Assuming the shop is open, fine."),
            ("simulate", "Here is some sample data."),
            ("memory", "From my general knowledge, yes."),
            ("no_access", "I cannot access that page."),
            ("unbacked_act", "According to the shop, yes."),
        ],
    )
    def test_turns_of_phrase(self, talk, fires, explain, theme, text):
        trace = talk(("user", text), ("tool", text), ("Bob", "All is well."), ("Ann", text))
        assert fires(trace, f"grounding.{theme}") == [3]
        quote = explain(trace, 3, f"grounding.{theme}").cites[0].quote
        assert quote and quote in text

    def test_speaking_of_an_act_that_was_done(self, talk, fires):
        trace = talk(("Ann", "x"), ("tool", "12"), ("Ann", "I checked: twelve."))
        assert fires(trace, "grounding.unbacked_act") == []

    def test_only_the_first(self, talk, fires):
        trace = talk(
            ("Ann", "Assuming 815 and 99."),
            ("Bob", "Assuming 333 and 444."),
        )
        assert fires(trace, "grounding.first_assumption") == [0]
        assert fires(trace, "grounding.first_numbers") == [0]
        assert fires(trace, "grounding.assume_and_data") == [0, 1]

    def test_shares_add_up(self, talk, values):
        trace = talk(("Ann", "815 Toulouse"), ("Bob", "4711 99 333"), ("tool", "1 2000 3000"))
        assert values(trace, "grounding.number_share") == [0.25, 0.75, 0]
        assert sum(values(trace, "grounding.new_values_share")) == pytest.approx(1)


class TestInfluence:
    @pytest.fixture
    def trace(self, talk):
        return talk(
            ("tool", "4711"),  # 0
            ("Ann", "4711, hence 815."),  # 1
            ("Bob", "815, hence 99."),  # 2
            ("Cy", "99 and 815."),  # 3
            ("Dan", "Lovely weather."),  # 4
        )

    def test_where_it_fires(self, trace, fires, values):
        assert fires(trace, "influence.used_later") == [1, 2]
        assert values(trace, "influence.users") == pytest.approx(
            [0, math.log1p(2), math.log1p(1), 0, 0]
        )
        assert fires(trace, "influence.rests_on_environment") == [1]
        assert fires(trace, "influence.rests_on_agents") == [2, 3]
        assert fires(trace, "influence.isolated") == [4]

    def test_reach_goes_through_others(self, trace, values):
        # 3 rests on 1 and 2 in equal parts; 2 rests on 1 alone and passes its own reach on.
        reach_of_2 = 0.5
        reach_of_1 = 0.5 + 1 + 0.7 * reach_of_2
        expected = [0, math.log1p(reach_of_1), math.log1p(reach_of_2), 0, 0]
        assert values(trace, "influence.reach") == pytest.approx(expected)
        assert sum(values(trace, "influence.reach_share")) == pytest.approx(1)

    def test_what_it_cites(self, trace, cited, explain):
        assert cited(trace, 1, "influence.used_later") == [1, 2, 3]
        assert "815" in explain(trace, 1, "influence.used_later").claim
        assert cited(trace, 3, "influence.rests_on_agents") == [3, 1, 2]
