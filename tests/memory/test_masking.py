from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.graph import TraceGraph
from traceloc.memory.masking import ELLIPSIS, SLOTS, mask_step, mask_text, names_of
from traceloc.memory.schema import MAX_TEXT
from traceloc.trace import Step, ToolCall

WORDS = (
    "<num> < num > \" ' a'b /x /y ./ http://a www.q c:\\ file.py , 1 2nd 3. … ----- John the İ ß "
    "@ a@b _ __x__ .py don't é ² \U0001d400 \u2018 ” : $5 %"
)
PIECES = st.sampled_from([*WORDS.split(), "\n", " "])
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join))
NAMES = st.frozensets(st.sampled_from(["john", "the", "x", "num"]))


@given(TEXTS, NAMES)
def test_masking_again_changes_nothing(text: str, names: frozenset[str]) -> None:
    masked = mask_text(text, names)
    assert mask_text(masked, names) == masked
    assert mask_text(masked) == masked
    assert len(masked) <= MAX_TEXT
    assert "\n" not in masked


@given(st.integers(13, 10**9), st.integers(13, 10**9))
def test_numbers_do_not_matter(left: int, right: int) -> None:
    assert mask_text(f"the total is {left} EUR") == mask_text(f"the total is {right} EUR")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("it is at https://a.example/x?y=1 now", "it is at http://b.example/ now"),
        ("write to /home/ann/a.csv", "write to /srv/data/x/b.csv"),
        ("open report.pdf", "open plan.xlsx"),
        ("ask ann@a.example", "ask bob.c@b.example"),
        ('he said "go away" twice', 'he said "come here, please" twice'),
        ("order W1234567 is late", "order Q99 is late"),
        ("the values are 1, 2, 3", "the values are 4, 5, 6, 7, 8"),
        ("then we met Birgit there", "then we met Amara there"),
        ("on 2024-05-06 at 10:30", "on 1999-12-31 at 23:59"),
    ],
)
def test_other_surfaces_become_the_same(left: str, right: str) -> None:
    assert mask_text(left) == mask_text(right)
    assert any(f"<{slot}>" in mask_text(left) for slot in SLOTS)


def test_structure_stays() -> None:
    assert mask_text("I don't call get_user_details()") == "i don't call get_user_details ()"
    assert mask_text('{"state": "open", "n": 3}') == "{ state : <quote> , n : <num> }"


def test_names_of_a_trace_are_masked_at_the_start_of_a_sentence(talk) -> None:
    trace = talk(("Boss", "please ask Amara today"), ("Clerk", "Amara has answered. Fine."))
    names = names_of(TraceGraph(trace))
    assert mask_step(trace.steps[1], names) == "<name> has answered . fine ."


def test_a_call_keeps_the_names_of_its_arguments() -> None:
    call = ToolCall(name="book", arguments={"city": "Porto", "seats": 3, "window": None, "x": []})
    step = Step(
        index=0, native_index=0, kind="action", role="assistant", agent="A", tool_calls=(call,)
    )
    assert mask_step(step) == "book ( city = <quote> , seats = <num> , window = none , x = empty )"


def test_a_long_text_keeps_its_start_and_end() -> None:
    masked = mask_text("begin " + "word " * 5000 + "finish")
    assert masked.startswith("begin word") and masked.endswith("finish") and ELLIPSIS in masked


@pytest.mark.parametrize("piece", ["a", "1.", "/a", "'", '"a', "a@", "a.b", "x_", "-", "1,", " \n"])
def test_hostile_repetition_is_read_in_bounds(piece: str) -> None:
    # A quadratic expression would need minutes for a million characters.
    masked = mask_text(piece * 1_000_000)
    assert len(masked) <= MAX_TEXT
    assert mask_text(masked) == masked


def test_what_comes_of_hostile_arguments_is_bounded() -> None:
    deep: object = "x"
    for _ in range(20):
        deep = {"k": deep}
    call = ToolCall(name="t", arguments=json.loads(json.dumps({f"k{i}": deep for i in range(50)})))
    step = Step(
        index=0, native_index=0, kind="action", role="assistant", agent="A", tool_calls=(call,)
    )
    assert len(mask_step(step)) <= MAX_TEXT
