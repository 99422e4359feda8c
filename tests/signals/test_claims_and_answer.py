"""What a step asserts, who finds fault with it, and where the answer comes from."""

from __future__ import annotations

import pytest


class TestClaims:
    def test_verification_without_an_act(self, talk, fires, explain):
        trace = talk(
            ("Ann", "I have verified it."),
            ("Ann", "I verify it now."),
            ("tool", "ok, verified"),
            ("Ann", "Twelve."),
        )
        assert fires(trace, "claims.verify") == [0, 1]
        assert fires(trace, "claims.verifies_unseen") == [0]
        assert "verif" in explain(trace, 0, "claims.verifies_unseen").cites[0].quote

    def test_conclusions(self, talk, fires):
        trace = talk(
            ("Ann", "Thus 12."), ("tool", "12"), ("Bob", "Therefore 12."), ("tool", "hence")
        )
        assert fires(trace, "claims.conclude") == [0, 2]
        assert fires(trace, "claims.first_conclusion") == [0]
        assert fires(trace, "claims.concludes_without_tool") == [0]

    def test_complaints_fall_on_the_step_before(self, talk, fires, cited):
        trace = talk(
            ("Ann", "Twelve."),
            ("Bob", "Good."),
            ("tool", "that is wrong"),
            ("Cy", "That is wrong, Bob."),
            ("Ann", "Fine."),
        )
        assert fires(trace, "claims.first_complaint") == [3]
        assert fires(trace, "claims.complained_of_next") == [1]
        assert fires(trace, "claims.before_first_complaint") == [1]
        assert fires(trace, "claims.complained_of_soon") == [0, 1]
        assert fires(trace, "claims.complaints_before") == [4]
        assert cited(trace, 1, "claims.complained_of_next") == [1, 3]

    def test_ones_own_complaint_is_none_of_another(self, talk, fires):
        trace = talk(("Ann", "Twelve."), ("Ann", "That is wrong."))
        assert fires(trace, "claims.complained_of_next") == []

    def test_requests(self, talk, fires):
        trace = talk(("Ann", "12?"), ("Bob", "Please count."), ("user", "Why?"), ("Cy", "No."))
        assert fires(trace, "claims.request") == [0, 1]

    def test_assertions_and_calculations(self, talk, fires):
        trace = talk(("Ann", "It is so."), ("Bob", "2 * 3 = 6"), ("tool", "this is = 7"))
        assert fires(trace, "claims.asserts") == [0]
        assert fires(trace, "claims.equations") == [1]

    def test_taken_back(self, talk, fires):
        trace = talk(
            ("Ann", "Twelve."), ("Bob", "Hm."), ("tool", "13"), ("Ann", "Sorry, my mistake: 13.")
        )
        assert fires(trace, "claims.corrected_by_self") == [0]

    @pytest.mark.parametrize(
        ("given", "said"), [("1841", "1481"), ("1841", "1741"), ("390.50", "309.50")]
    )
    def test_near_misses(self, talk, fires, explain, given, said):
        trace = talk(
            ("Ann", "x"), ("tool", f"we have {given} of it"), ("Ann", f"There are {said}.")
        )
        assert fires(trace, "claims.near_miss") == [2]
        one = explain(trace, 2, "claims.near_miss")
        assert f"{said} where {given} was given" in one.claim
        assert [cite.step for cite in one.cites] == [2, 1]
        assert said in one.cites[0].quote and given in one.cites[1].quote

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("1841", "1841"),
            ("1841", "1842"),  # counted on
            ("1941", "1991"),  # years
            ("1841", "18410"),
            ("1841", "1428"),
            ("1841", "1751"),  # two digits, and not swapped
            ("41", "14"),  # too short to tell
        ],
    )
    def test_no_near_misses(self, talk, fires, given, said):
        trace = talk(("Ann", "x"), ("tool", given), ("Ann", said))
        assert fires(trace, "claims.near_miss") == []

    def test_near_misses_look_back_a_little(self, talk, fires):
        idle = [("Bob", "Hm.")] * 4
        assert fires(talk(("tool", "1841"), *idle[:3], ("Ann", "1481")), "claims.near_miss") == [4]
        assert fires(talk(("tool", "1841"), *idle, ("Ann", "1481")), "claims.near_miss") == []

    def test_taking_up_a_result(self, talk, values, cited):
        trace = talk(("Ann", "x"), ("tool", "815 and 99 for Marseille"), ("Ann", "99 it is."))
        assert values(trace, "claims.follows_result") == pytest.approx([0, 0, 1 / 3])
        assert values(trace, "claims.drops_result") == pytest.approx([0, 0, 2 / 3])
        assert cited(trace, 2, "claims.drops_result") == [2, 1]


class TestAnswer:
    @pytest.fixture
    def trace(self, talk):
        return talk(
            ("user", "How many in Marseille?"),  # 0
            ("Ann", "I look."),  # 1
            ("tool", "4711 in Marseille"),  # 2
            ("Ann", "There are 4711 there, and 815 more."),  # 3
            ("Bob", "Result: 99."),  # 4
            ("Cy", "FINAL ANSWER: 4711 and 815."),  # 5
            ("user", "Thanks."),  # 6
        )

    @pytest.mark.parametrize(
        ("feature", "where"),
        [
            ("is_final", [5]),
            ("brings_in", [3]),
            ("first_full", [3]),
            ("first_stated", [3]),
            ("after_answer", [4, 5]),
            ("states_answer", [4, 5]),
            ("first_states", [4]),
            ("differs", [4]),
            ("read_from_tool", []),
        ],
    )
    def test_where_it_fires(self, trace, fires, feature, where):
        assert fires(trace, f"answer.{feature}") == where

    def test_shares(self, trace, values):
        assert values(trace, "answer.brings_in_share") == [0, 0, 0, 0.5, 0, 0, 0]
        assert values(trace, "answer.overlap") == [0, 0, 0, 1, 0, 1, 0]
        assert values(trace, "answer.unsupported") == [0, 0, 0, 0.5, 0, 0.5, 0]

    def test_what_it_cites(self, trace, cited, explain):
        assert cited(trace, 3, "answer.brings_in") == [3, 5]
        assert cited(trace, 5, "answer.overlap") == [5]
        assert explain(trace, 4, "answer.states_answer").cites[0].quote.startswith("Result:")

    def test_an_answer_that_a_tool_gave(self, talk, fires):
        trace = talk(
            ("Ann", "x"), ("tool", "4711"), ("Ann", "4711?"), ("Bob", "Final answer: 4711")
        )
        assert fires(trace, "answer.read_from_tool") == [2]
        assert fires(trace, "answer.brings_in") == []
        assert fires(trace, "answer.unsupported") == []

    def test_a_word_of_parting_is_no_answer(self, talk, fires):
        trace = talk(("Ann", "There are 4711 lamps."), ("Bob", "TERMINATE"))
        assert fires(trace, "answer.is_final") == [0]

    def test_nobody_answers(self, talk, fires):
        trace = talk(("user", "Final answer: 4711"), ("tool", "4711"))
        for feature in ("is_final", "states_answer", "overlap"):
            assert fires(trace, f"answer.{feature}") == []
