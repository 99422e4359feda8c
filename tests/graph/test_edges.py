"""Every kind of edge, on conversations small enough to draw by hand."""

from __future__ import annotations

import numpy as np
import pytest

from traceloc.graph import TraceGraph
from traceloc.graph.trace_graph import EDGE_KINDS, MAX_USES_PER_STEP
from traceloc.trace import InputMessage


def edges(trace, kind):
    """The edges of a kind as ``{(source, target): weight}``; asserts what holds for all of them."""
    found = TraceGraph(trace).edges(kind)
    n = len(trace.steps)
    assert [a.dtype for a in found] == [np.int32, np.int32, np.float32]
    pairs = list(zip(found.target.tolist(), found.source.tolist(), strict=True))
    assert pairs == sorted(pairs)
    assert all(0 <= source < n and 0 <= target < n for target, source in pairs)
    return {
        (source, target): weight
        for (target, source), weight in zip(pairs, found.weight.tolist(), strict=True)
    }


@pytest.fixture
def meeting(talk, call):
    """A boss, two workers, a tool; everything once."""
    return talk(
        ("user", "How many lamps are left?"),  # 0
        ("Boss", "Ann, look it up.", {"to": ("Ann",)}),  # 1
        ("Ann", "", {"calls": [call("stock", id="a"), call("price", id="b")]}),  # 2
        ("tool.stock", "12", {"call_id": "a"}),  # 3
        ("tool.price", "30", {"call_id": "b"}),  # 4
        ("Ann", "Twelve at thirty."),  # 5
        ("Boss", "Bob, write it down.", {"to": ("Bob",)}),  # 6
        ("Ann", "And quickly."),  # 7
        ("Bob", "Done."),  # 8
    )


def test_next(meeting):
    assert set(edges(meeting, "next")) == {(i, i + 1) for i in range(8)}


def test_reply_goes_to_the_order_else_to_the_last_other_speaker(meeting):
    # 8 answers the order at 6, although somebody else spoke in between.
    assert set(edges(meeting, "reply")) == {
        (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (6, 8),
    }  # fmt: skip


def test_an_order_is_answered_once(talk):
    trace = talk(
        ("Boss", "Count, both of you.", {"to": ("Ann", "Bob")}),
        ("Ann", "One."),
        ("Ann", "Two."),
        ("Cy", "Hm."),
        ("Ann", "Three."),
        ("Bob", "Four."),
    )
    assert set(edges(trace, "reply")) == {(0, 1), (0, 2), (2, 3), (3, 4), (0, 5)}


def test_delegates(meeting):
    assert set(edges(meeting, "delegates")) == {(1, 2), (6, 8)}


def test_delegates_ignores_strangers_and_notes_to_oneself(talk):
    trace = talk(
        ("Boss", "Go.", {"to": ("Nobody", "Boss", "Bob", "Ann")}),
        ("Boss", "Hm."),
        ("Ann", "Yes."),
        ("Bob", "No."),
        ("Ann", "Who was asked?"),
    )
    assert set(edges(trace, "delegates")) == {(0, 2), (0, 3)}


def test_calls_and_returns(meeting):
    assert set(edges(meeting, "calls")) == {(2, 3), (2, 4)}
    assert set(edges(meeting, "returns")) == {(3, 5), (4, 5)}


def test_answers_may_cross(talk, call):
    trace = talk(
        ("Ann", "", {"calls": [call("slow", id="a"), call("fast", id="b")]}),
        ("Bob", "", {"calls": [call("slow", id="c")]}),
        ("tool.fast", "1", {"call_id": "b"}),
        ("tool.slow", "2", {"call_id": "c"}),
        ("Bob", "I have mine."),
        ("tool.slow", "3", {"call_id": "a"}),
        ("tool.stray", "4", {"call_id": "unknown"}),
    )
    assert set(edges(trace, "calls")) == {(0, 2), (1, 3), (0, 5)}
    assert set(edges(trace, "returns")) == {(3, 4)}
    # What came of 0 is what came last; the answer to nobody's call is nobody's outcome.
    assert TraceGraph(trace).outcome_of.tolist() == [5, 3, -1, -1, 5, -1, -1]


def test_outcome_is_the_first_failure_else_what_follows(talk, call):
    trace = talk(
        ("Ann", "", {"calls": [call("x", id="a"), call("x", id="b"), call("x", id="c")]}),
        ("tool.x", "fine", {"call_id": "a"}),
        ("tool.x", "Error: one", {"call_id": "c"}),
        ("tool.x", "Error: two", {"call_id": "b"}),
        ("Ann", "```python\nprint(1)\n```"),
        ("tool", "1"),
        ("user", "Thanks."),
    )
    assert TraceGraph(trace).outcome_of.tolist() == [2, -1, -1, -1, 5, -1, -1]


class TestUses:
    def test_runs_from_where_a_value_was_first_seen(self, talk):
        trace = talk(
            ("Ann", "The order is 4711 for Marseille."),
            ("Bob", "So 4711 it is."),
            ("Cy", "Ship 4711 and 815 to Marseille."),
            ("Bob", "Done: 4711, 815."),
        )
        assert edges(trace, "uses") == {(0, 1): 1, (0, 2): 2, (0, 3): 1, (2, 3): 1}
        graph = TraceGraph(trace)
        assert sorted(graph.shared_values(0, 2)) == ["4711", "Marseille"]
        assert graph.shared_values(2, 3) == ["815"]
        assert graph.shared_values(1, 2) == []

    def test_rarest_first(self, talk):
        trace = talk(("Ann", "4711 815"), ("Bob", "4711"), ("Bob", "4711"), ("Cy", "4711 and 815"))
        assert TraceGraph(trace).shared_values(0, 3) == ["815", "4711"]
        assert TraceGraph(trace).shared_values(0, 3, limit=1) == ["815"]

    def test_counts_a_value_once_a_step(self, talk):
        trace = talk(("Ann", "4711"), ("Bob", "4711 4711 4,711 4711.0"))
        assert edges(trace, "uses") == {(0, 1): 1}

    def test_one_number_in_many_spellings(self, talk):
        same = ["1,200.0", "1200", "1200.00", "1,200", "01200", "1200%"]
        trace = talk(*((f"Agent{i}", text) for i, text in enumerate(same)))
        assert edges(trace, "uses") == {(0, i): 1 for i in range(1, len(same))}

    @pytest.mark.parametrize("other", ["1201", "12000", "120", "1200.5", "10:20", "1/200"])
    def test_other_numbers_are_others(self, talk, other):
        assert edges(talk(("Ann", "1200"), ("Bob", other)), "uses") == {}

    def test_small_numbers_and_words_carry_nothing(self, talk):
        trace = talk(("Ann", "take 3 of 12 lamps"), ("Bob", "3 of 12 lamps taken"))
        assert edges(trace, "uses") == {}

    @pytest.mark.parametrize(
        "word", ["However", "Can't", "Don't", "Let's", "It's", "Please", "The", "Counting", "Fly"]
    )
    def test_capitals_at_the_start_of_a_sentence_are_no_names(self, talk, word):
        trace = talk(("Ann", f"{word} stop now."), ("Bob", f"{word} stop then."))
        assert edges(trace, "uses") == {}

    def test_a_word_seen_in_lower_case_is_no_name(self, talk):
        lines = [("Ann", "All Lamps shine."), ("Bob", "All Lamps glow.")]
        assert edges(talk(*lines), "uses") == {(0, 1): 1}
        assert edges(talk(*lines, ("Cy", "more lamps")), "uses") == {}

    def test_names_links_and_identifiers(self, talk):
        trace = talk(
            ("Ann", "Zoë's mail is zoe@x.org, see https://x.org/a?b=1. File lamp_list.csv"),
            ("Bob", "ZOE@X.ORG"),
            ("Bob", "(https://x.org/a?b=1)"),
            ("Bob", "zoë? Zoë!"),
            ("Bob", "Lamp_List.csv"),
        )
        assert {target for _, target in edges(trace, "uses")} == {1, 2, 4}

    def test_the_task_is_a_source_of_its_own(self, talk):
        lines = [("Ann", "Take 4711."), ("Bob", "4711 and 815.")]
        assert edges(talk(*lines), "uses") == {(0, 1): 1}
        with_task = talk(*lines, task="What became of order 4711?")
        assert edges(with_task, "uses") == {}
        assert TraceGraph(with_task).lexical.introduced(0).size == 0

    def test_a_task_that_a_step_says_is_that_steps(self, talk):
        trace = talk(("user", "What of 4711?"), ("Ann", "4711?"), task="What of 4711?")
        assert edges(trace, "uses") == {(0, 1): 1}

    def test_what_an_agent_was_given_is_not_brought_in_by_it(self, talk):
        given = (InputMessage(role="user", text="order 4711"), InputMessage(role="user", step=0))
        lines = [("Ann", "Hm."), ("Bob", "4711 and 815", {"inputs": given}), ("Cy", "815")]
        graph = TraceGraph(talk(*lines))
        assert graph.lexical.spell(graph.lexical.introduced(1).tolist()) == ["815"]
        assert graph.shared_values(1, 2) == ["815"]

    def test_arguments_count_and_names_of_parameters_do_not(self, talk, call):
        order = call("find_order_77", Order_99=["4711", {"x": 815}])
        trace = talk(("Ann", "", {"calls": [order]}), ("Bob", "4711 815 find_order_77 Order_99"))
        assert edges(trace, "uses") == {(0, 1): 2}

    def test_a_step_rests_on_at_most_64_values(self, talk):
        many = " ".join(str(1000 + i) for i in range(200))
        trace = talk(("Ann", many), ("Bob", "1000 1001"), ("Cy", many))
        found = edges(trace, "uses")
        assert found[0, 2] == MAX_USES_PER_STEP == 64
        spread = talk(*(("Ann", str(1000 + i)) for i in range(200)), ("Cy", many))
        assert len(edges(spread, "uses")) == 64

    def test_the_rarest_values_are_kept(self, talk):
        common = " ".join(str(2000 + i) for i in range(100))
        rare = "9001 9002 9003"
        trace = talk(("Ann", rare), ("Bob", common), ("Bob", common), ("Cy", f"{common} {rare}"))
        assert edges(trace, "uses")[0, 3] == 3


def test_unknown_kind(meeting):
    with pytest.raises(ValueError, match="'likes' is no edge kind; there are next, reply"):
        TraceGraph(meeting).edges("likes")


def test_networkx_holds_all_edges_and_no_other(meeting):
    graph = TraceGraph(meeting)
    full = graph.to_networkx()
    assert full.is_directed() and full.is_multigraph()
    assert list(full) == list(range(9))
    assert full.nodes[1] == {"agent": "Boss", "kind": "handoff"}
    for kind in EDGE_KINDS:
        found = {(s, t): w for s, t, k, w in full.edges(keys=True, data="weight") if k == kind}
        assert found == edges(meeting, kind)
    assert {kind for *_, kind in graph.to_networkx("calls").edges(data="kind")} == {"calls"}


@pytest.mark.parametrize("kind", EDGE_KINDS)
def test_traces_of_no_and_of_one_step(talk, kind):
    assert edges(talk(), kind) == edges(talk(("Ann", "4711")), kind) == {}
