"""Failures and what follows them; acts and words that come again."""

from __future__ import annotations

import pytest


class TestErrors:
    @pytest.fixture
    def trace(self, talk, call):
        return talk(
            ("user", "Count."),  # 0
            ("Ann", "I look it up."),  # 1
            ("Ann", "", {"calls": [call("stock", id="a")]}),  # 2
            ("tool.stock", "Error: out of order", {"call_id": "a"}),  # 3
            ("Ann", "Therefore it is twelve."),  # 4
            ("Bob", "", {"calls": [call("price", id="b")]}),  # 5
            ("tool.price", "[]", {"call_id": "b"}),  # 6
            ("Bob", "In conclusion it is free."),  # 7
            ("Bob", "", {"calls": [call("price", id="c")]}),  # 8
            ("tool.price", "30", {"call_id": "c"}),  # 9
            ("Ann", "Fine."),  # 10
        )

    @pytest.mark.parametrize(
        ("feature", "where"),
        [
            ("failed", [3]),
            ("act_failed", [2]),
            ("first_act_failed", [2]),
            ("unrecovered", [2]),
            ("act_empty", [5]),
            ("act_succeeds", [8]),
            ("after_error", [4]),
            ("ignores_error", [4]),
            ("concludes_after_error", [4]),
            ("after_empty", [7]),
            ("concludes_after_empty", [7]),
            ("before_first_error", [2]),
            ("before_last_error", [2]),
            ("after_all_errors", [4, 5, 7, 8, 10]),
        ],
    )
    def test_where_it_fires(self, trace, fires, feature, where):
        assert fires(trace, f"errors.{feature}") == where

    @pytest.mark.parametrize(
        ("feature", "step", "where"),
        [
            ("act_failed", 2, [2, 3]),
            ("unrecovered", 2, [2, 3]),
            ("ignores_error", 4, [4, 3]),
            ("concludes_after_empty", 7, [7, 6]),
            ("before_first_error", 2, [2, 3]),
            ("after_all_errors", 10, [10, 3]),
        ],
    )
    def test_what_it_cites(self, trace, cited, feature, step, where):
        assert cited(trace, step, f"errors.{feature}") == where

    def test_evidence_says_what_failed(self, trace, explain):
        assert explain(trace, 2, "errors.act_failed").claim.endswith("out of order")

    def test_another_try_is_no_ignoring_and_repairs(self, talk, call, fires):
        trace = talk(
            ("Ann", "", {"calls": [call("stock", id="a")]}),
            ("tool.stock", "Error: busy", {"call_id": "a"}),
            ("Ann", "Once more.", {"calls": [call("stock", id="b")]}),
            ("tool.stock", "12", {"call_id": "b"}),
        )
        assert fires(trace, "errors.act_failed") == [0]
        assert fires(trace, "errors.after_error") == [2]
        assert fires(trace, "errors.ignores_error") == []
        assert fires(trace, "errors.unrecovered") == []

    def test_another_agents_success_repairs_nothing(self, talk, call, fires):
        trace = talk(
            ("Ann", "", {"calls": [call("stock", id="a")]}),
            ("tool.stock", "Error: busy", {"call_id": "a"}),
            ("Bob", "", {"calls": [call("stock", id="b")]}),
            ("tool.stock", "12", {"call_id": "b"}),
        )
        assert fires(trace, "errors.unrecovered") == [0]

    def test_control_flow_is_no_failure(self, talk, call, fires):
        from traceloc.loading import declared_error

        flow = declared_error("Command(goto='Bob')", type="ParentCommand")
        trace = talk(
            ("Ann", "", {"calls": [call("go", id="a")]}),
            ("tool.go", "Command(goto='Bob')", {"call_id": "a", "error": flow}),
            ("Bob", "Hello."),
        )
        for feature in ("failed", "act_failed", "after_error", "before_first_error"):
            assert fires(trace, f"errors.{feature}") == []

    @pytest.mark.parametrize("text", ["[]", "None", "0", "", "No results found.", '{"rows": []}'])
    def test_empty_results(self, talk, fires, text):
        assert fires(talk(("Ann", "x"), ("tool", text)), "errors.act_empty") == [0]

    @pytest.mark.parametrize("text", ["10", "[1]", "No. 7, Main Street", '{"rows": [1]}', "none!"])
    def test_results_that_hold_something(self, talk, fires, text):
        assert fires(talk(("Ann", "x"), ("tool", text)), "errors.act_empty") == []

    def test_an_agents_own_words_are_no_empty_result(self, talk, fires):
        assert fires(talk(("Ann", "[]"), ("Bob", "None")), "errors.act_empty") == []


class TestRepetition:
    def test_same_call_wants_the_same_arguments(self, talk, call, fires, cited):
        trace = talk(
            ("Ann", "", {"calls": [call("stock", id="a", sku=1)]}),
            ("Ann", "", {"calls": [call("stock", id="b", sku=2)]}),
            ("Bob", "", {"calls": [call("stock", id="c", sku=1)]}),
            ("Bob", "", {"calls": [call("price", id="d", sku=1)]}),
            ("Bob", "", {"calls": [call("stock", id="e", sku=1)]}),
        )
        assert fires(trace, "repetition.same_call") == [2, 4]
        assert cited(trace, 4, "repetition.same_call") == [4, 2]
        assert fires(trace, "repetition.same_tool_again") == [1]

    def test_same_text(self, talk, fires, cited):
        words = "There are twelve lamps on the shelf."
        trace = talk(
            ("Ann", words), ("tool", words), ("Bob", words), ("Ann", "Yes."), ("Bob", "Yes.")
        )
        assert fires(trace, "repetition.same_text") == [2]
        other = words.replace("twelve", "eleven")
        assert fires(talk(("Ann", words), ("Bob", other)), "repetition.same_text") == []
        assert cited(trace, 2, "repetition.same_text") == [2, 0]

    def test_a_loop_starts_where_its_first_step_is(self, talk, fires, cited):
        trace = talk(
            ("Ann", "Hello there, good people."),
            ("Ann", "click the red button below"),
            ("Bob", "something else entirely, of course"),
            ("Ann", "click the red button below"),
            ("Ann", "click the red button below now"),
        )
        assert fires(trace, "repetition.starts_loop") == [1]
        assert cited(trace, 1, "repetition.starts_loop") == [1, 3]

    def test_likeness(self, talk, values, cited):
        trace = talk(
            ("Ann", "one two three four"),
            ("Bob", "one two three four"),
            ("Cy", "five six"),
            ("Ann", "one two seven eight"),
        )
        assert values(trace, "repetition.like_previous") == [0, 1, 0, 0]
        assert values(trace, "repetition.like_own_last") == pytest.approx([0, 0, 0, 1 / 3])
        assert cited(trace, 1, "repetition.like_previous") == [1, 0]
        assert cited(trace, 3, "repetition.like_own_last") == [3, 0]

    def test_no_change_is_an_acts(self, talk, call, fires):
        trace = talk(
            ("Ann", "scroll"), ("tool", "the page"), ("Ann", "scroll on"), ("tool", "the page"),
            ("Ann", "click"), ("tool", "another page"),
        )  # fmt: skip
        assert fires(trace, "repetition.no_change") == [2]
        both = [call("x", id="a"), call("x", id="b")]
        trace = talk(
            ("Ann", "", {"calls": both}),
            ("tool.x", "ok", {"call_id": "a"}),
            ("tool.x", "ok", {"call_id": "b"}),
        )
        assert fires(trace, "repetition.no_change") == []

    def test_taken_up_by_the_next_step(self, talk, values, cited):
        trace = talk(
            ("Ann", "one two three four five"),
            ("tool", "six"),
            ("Bob", "one two three four nine"),
            ("Cy", "six"),
        )
        assert values(trace, "repetition.taken_up") == pytest.approx([4 / 5, 0, 0, 0])
        assert cited(trace, 0, "repetition.taken_up") == [0, 2]
