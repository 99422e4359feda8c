"""Orders and plans, rules the trace states, the form of steps, and where they stand."""

from __future__ import annotations

import math

import pytest


class TestHandoff:
    def test_orders_taken_up_and_not(self, talk, values, cited, fires):
        trace = talk(
            ("user", "Count."),
            ("Boss", "Please count 4711 and 815.", {"to": ("Ann",)}),
            ("Ann", "Here is 4711."),
            ("Boss", "Please count 99.", {"to": ("Bob",)}),
            ("Bob", "Lovely weather."),
            ("Ann", "Indeed."),
        )
        assert values(trace, "handoff.order_taken_up") == [0, 0, 0.5, 0, 0, 0]
        assert values(trace, "handoff.order_not_taken_up") == [0, 0, 0.5, 0, 1, 0]
        assert fires(trace, "handoff.ordered") == [2, 4]
        assert fires(trace, "handoff.first_ordered") == [2]
        assert cited(trace, 4, "handoff.order_not_taken_up") == [4, 3]

    def test_the_task_is_no_order(self, talk, fires):
        trace = talk(
            ("system", "You are Ann.", {"to": ("Ann",)}),
            ("user", "Find a flight.", {"to": ("Ann",)}),
            ("Ann", "Which one?"),
            ("Boss", "The cheapest.", {"to": ("Bob",)}),
            ("Bob", "Found."),
        )
        assert fires(trace, "handoff.first_ordered") == [4]

    def test_values_that_an_order_drops(self, talk, values, explain):
        trace = talk(
            ("user", "I fly from Marseille to Lyon on 2026-03-10, for 815."),
            ("Boss", "Find a flight from Marseille to Lyon for 815.", {"to": ("Ann",)}),
            ("Ann", "Done."),
        )
        assert values(trace, "handoff.drops_task_values")[1] == pytest.approx(1 / 4)
        assert values(trace, "handoff.drops_task_values")[2] == 0
        one = explain(trace, 1, "handoff.drops_task_values")
        assert one.claim.endswith(": 2026-03-10")
        assert [cite.step for cite in one.cites] == [1, 0]

    def test_words_of_the_task(self, talk, values):
        trace = talk(
            ("Ann", "The red lamps."),
            ("tool", "red lamps glow"),
            ("Bob", "On and in of the."),
            task="Count the red lamps that glow.",
        )
        first, *others = values(trace, "handoff.task_words")
        assert 0 < first < 1 and others == [0, 0]

    def test_failed_and_repeated_orders(self, talk, fires):
        trace = talk(
            ("Boss", "Count them.", {"to": ("Ann",)}),
            ("Ann", "x"),
            ("tool", "Error: no"),
            ("Boss", "Count  THEM.", {"to": ("Ann",)}),
            ("Ann", "Twelve."),
            ("Boss", "Count them.", {"to": ("Bob",)}),
        )
        assert fires(trace, "handoff.order_failed") == [0]
        assert fires(trace, "handoff.order_repeated") == [3]
        assert 1 in fires(trace, "handoff.no_effect")

    @pytest.mark.parametrize(
        ("ledger", "noted"),
        [
            ({"is_in_loop": {"answer": True}}, True),
            ({"is_progress_being_made": {"answer": False}}, True),
            ({"is_in_loop": False, "is_progress_being_made": True}, False),
            ({"is_in_loop": {"answer": "true"}}, False),
            ({}, False),
        ],
    )
    def test_a_ledger_tells_of_stalls_whatever_its_words(self, talk, fires, cited, ledger, noted):
        trace = talk(
            ("Boss", "Go.", {"to": ("Ann",)}),
            ("Ann", "I click."),
            ("Boss", "no progress, stuck", {"attributes": {"ledger": ledger}, "kind": "thought"}),
            ("Ann", "I click."),
        )
        assert fires(trace, "handoff.stall_noted") == ([2] if noted else [])
        assert fires(trace, "handoff.before_stall") == ([1] if noted else [])
        assert fires(trace, "handoff.before_first_stall") == ([1] if noted else [])
        assert fires(trace, "handoff.order_then_stall") == ([0] if noted else [])
        assert fires(trace, "handoff.stalls_before") == ([3] if noted else [])
        if noted:
            assert cited(trace, 1, "handoff.before_stall") == [1, 2]

    def test_words_tell_of_stalls_where_there_is_no_ledger(self, talk, fires):
        trace = talk(("Ann", "I click."), ("Boss", "We are making no progress."), ("tool", "stuck"))
        assert fires(trace, "handoff.stall_noted") == [1]

    def test_plans(self, talk, fires):
        trace = talk(
            ("Boss", "The plan: step 1 is to count."),
            ("Ann", "Twelve."),
            ("Boss", "Updated plan: let's count again, a different approach."),
            ("Ann", "Thirteen."),
        )
        assert fires(trace, "handoff.first_plan") == [0]
        assert fires(trace, "handoff.replans") == [2]
        assert fires(trace, "handoff.before_replan") == [1]
        assert fires(trace, "handoff.replans_before") == [3]


class TestConstraints:
    SCHEMA = {  # noqa: RUF012
        "type": "object",
        "properties": {
            "sku": {"type": "integer"},
            "unit": {"type": "string", "enum": ["kg", "lb"]},
            "price": {"type": "number"},
        },
        "required": ["sku"],
    }

    @pytest.mark.parametrize(
        ("arguments", "complaints"),
        [
            ({"sku": 7, "unit": "kg", "price": 3}, []),
            ({"sku": 7, "price": 3.5}, []),
            ({"unit": "kg"}, ["'sku' is missing"]),
            ({"sku": "7"}, ["'sku' should be integer, is str"]),
            ({"sku": True}, ["'sku' should be integer, is bool"]),
            ({"sku": 7, "unit": "g"}, ["'unit' is 'g', not one of 'kg', 'lb'"]),
            ({"sku": 7, "colour": 1}, ["'colour' is not a parameter"]),
            ({"unit": "g", "price": "3"}, ["missing", "'unit' is 'g'", "'price' should be number"]),
        ],
    )
    def test_arguments_against_the_schema(self, talk, call, values, explain, arguments, complaints):
        trace = talk(
            ("Ann", "", {"calls": [call("stock", id="a", **arguments)]}),
            ("Bob", "", {"calls": [call("free", id="b", any=1)]}),
            tools=[{"name": "stock", "parameters": self.SCHEMA}, {"name": "free"}],
        )
        found = values(trace, "constraints.bad_arguments")
        assert found == pytest.approx([math.log1p(len(complaints)), 0])
        if complaints:
            claim = explain(trace, 0, "constraints.bad_arguments").claim
            assert all(complaint in claim for complaint in complaints)

    def test_unknown_tools(self, talk, call, fires, explain):
        lines = [
            ("Ann", "", {"calls": [call("stock", id="a")]}),
            ("Ann", "", {"calls": [call("stcok", id="b")]}),
        ]
        trace = talk(*lines, tools=[{"name": "stock"}])
        assert fires(trace, "constraints.unknown_tool") == [1]
        assert "'stcok'" in explain(trace, 1, "constraints.unknown_tool").claim
        # Where no tools are stated, none is unknown.
        assert fires(talk(*lines), "constraints.unknown_tool") == []

    def test_unsourced_arguments(self, talk, call, fires, explain):
        trace = talk(
            ("user", "Where is 4711?"),
            ("Ann", "", {"calls": [call("stock", id="a", sku=4711)]}),
            ("Ann", "", {"calls": [call("stock", id="b", sku=815)]}),
            ("Ann", "It is 333."),
        )
        assert fires(trace, "constraints.unsourced_arguments") == [2]
        assert explain(trace, 2, "constraints.unsourced_arguments").claim.endswith(": 815")

    @pytest.mark.parametrize(
        ("tool", "writes"),
        [
            ("cancel_order", True),
            ("book", True),
            ("updateUser", True),
            ("get_order", False),
            ("list_bookings", False),
            ("check_booking", False),
            ("transfer_to_booker", False),
            ("address", False),
        ],
    )
    def test_tools_that_write(self, talk, call, fires, tool, writes):
        trace = talk(("Ann", "", {"calls": [call(tool, id="a")]}))
        assert fires(trace, "constraints.writes") == ([0] if writes else [])

    def test_writing_unasked(self, talk, call, fires, cited):
        trace = talk(
            ("user", "I want another seat."),
            ("Ann", "", {"calls": [call("book_seat", id="a")]}),
            ("user", "Yes, go ahead."),
            ("Ann", "", {"calls": [call("book_seat", id="b")]}),
            ("Ann", "", {"calls": [call("book_seat", id="c")]}),
        )
        assert fires(trace, "constraints.writes_unasked") == [1]
        assert fires(trace, "constraints.first_write") == [1]
        assert fires(trace, "constraints.last_write") == [4]
        assert cited(trace, 1, "constraints.writes_unasked") == [1, 0]

    def test_nobody_to_ask(self, talk, call, fires):
        trace = talk(("user", "A seat."), ("Ann", "", {"calls": [call("book_seat", id="a")]}))
        assert fires(trace, "constraints.writes_unasked") == []


class TestKind:
    def test_who_took_it(self, talk, call, fires):
        trace = talk(
            ("system", "You are Ann."),
            ("user", "Count."),
            ("Boss", "Go.", {"to": ("Ann",)}),
            ("Ann", "", {"calls": [call("stock", id="a")]}),
            ("tool.stock", "12", {"call_id": "a"}),
            ("Ann", "Hm.", {"kind": "thought"}),
            ("Ann", "```python\nx\n```"),
            ("Ann", "  "),
        )
        expected = {
            "environment": [4],
            "human": [1],
            "thought": [5],
            "order": [2],
            "calls_tool": [3],
            "acts": [3],
            "code": [6],
            "first_code": [6],
            "first_acting": [2],
            "first_work": [3],
            "first_of_agent": [2, 3],
            "last_acting": [7],
            "empty": [7],
            "orchestrator": [2],
            "long_turn": [6, 7],
        }
        assert {name: fires(trace, f"kind.{name}") for name in expected} == expected

    def test_form(self, talk, fires, values):
        trace = talk(
            ("Ann", "- one\n- two\n3. three"),
            ("Bob", "I agree."),
            ("Ann", "key = 'YOUR_KEY'"),
            ("Ann", "```python\ntry:\n    x()\nexcept:\n    pass\n```"),
            ("tool", "- one\n- two"),
        )
        assert fires(trace, "kind.lists") == [0]
        assert fires(trace, "kind.agrees") == [1]
        assert 2 in fires(trace, "kind.placeholders")
        assert fires(trace, "kind.swallows_errors") == [3]
        assert sum(values(trace, "kind.length_share")) == pytest.approx(1)
        assert values(trace, "kind.length_share")[4] == 0

    def test_assignment(self, talk, fires):
        task = "Count all the lamps that are left in Marseille."
        lines = [("Ann", "Hi."), ("Boss", f"We were asked:  {task}\nSo count."), ("Ann", "Twelve.")]
        assert fires(talk(*lines, task=task), "kind.assignment") == [1]
        assert fires(talk(*lines), "kind.assignment") == [0]


class TestPosition:
    def test_counts_what_agents_do(self, talk, fires, values):
        trace = talk(
            ("user", "Count."),
            ("Ann", "a"),
            ("tool", "1"),
            ("Bob", "b"),
            ("Ann", "c"),
            ("tool", "2"),
        )
        assert [fires(trace, f"position.acting_{i}") for i in range(4)] == [[1], [3], [4], []]
        assert [fires(trace, f"position.end_{i}") for i in range(3)] == [[4], [3], [1]]
        assert values(trace, "position.fraction") == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
        assert values(trace, "position.agent_visits")[4] == pytest.approx(math.log1p(1))
        assert values(trace, "position.log_from_end")[5] == 0

    def test_is_of_the_system_part_alone(self, signal):
        assert {feature.part for feature in signal("position").features} == {"system"}
