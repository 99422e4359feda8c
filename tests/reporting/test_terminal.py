from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.reporting.terminal import (
    bar,
    clip,
    display_width,
    escape,
    one_line,
    pad,
    pasteable,
    wrap,
)

HOSTILE = [
    ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
    ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    ("\x9b2J", "\\x9b2J"),
    ("a\u202egnp.exe", "a\\u202egnp.exe"),
    ("\u2066x\u2069", "\\u2066x\\u2069"),
    ("zero\u200bwidth", "zero\\u200bwidth"),
    ("tag\U000e0041", "tag\\U000e0041"),
    ("[bold]x[/bold]", "[bold]x[/bold]"),
    ("bell\x07 back\x08 del\x7f", "bell\\x07 back\\x08 del\\x7f"),
    ("lone \ud800", "lone \\ud800"),
    ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "\\u0301\\u0301"),
    ("👩\u200d💻", "👩\u200d💻"),
    ("naïve 東京", "naïve 東京"),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_hostile_text_is_made_visible(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters()))
def test_nothing_a_terminal_acts_on_gets_through(text: str) -> None:
    for shown in (escape(text), one_line(text), pasteable(text)):
        kinds = {unicodedata.category(char) for char in shown if char not in "\u200c\u200d"}
        assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(), st.integers(0, 40))
def test_clipped_text_fits(text: str, width: int) -> None:
    shown = one_line(text)
    assert display_width(clip(shown, width)) <= width
    assert display_width(pad(shown, width)) == width
    if display_width(shown) <= width:
        assert clip(shown, width) == shown


@given(st.text(), st.integers(2, 40))
def test_wrapped_text_fits_and_is_whole(text: str, width: int) -> None:
    shown = one_line(text)
    lines = wrap(shown, width)
    assert all(display_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")


def test_wide_characters_count_twice() -> None:
    assert display_width("東京") == 4
    assert clip("東京タワー", 5) == "東京…"
    assert clip("東京タワー", 4) == "東…"


def test_a_megabyte_costs_nothing() -> None:
    start = time.perf_counter()
    assert len(one_line("x" * 2_000_000)) == 2001
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(
    ("locator", "pasted"),
    [
        ("runs/a.json#17", "runs/a.json#17"),
        ("runs/a b.json:id#1", "'runs/a b.json:id#1'"),
        ("it's.json#1", "'it'\"'\"'s.json#1'"),
        ("$(rm -rf).json#1", "'$(rm -rf).json#1'"),
        ("a\nb'c\\.json#1", "$'a\\x0ab\\'c\\\\.json#1'"),
        ("-rf#1", "./-rf#1"),
    ],
)
def test_locators_can_be_pasted(locator: str, pasted: str) -> None:
    assert pasteable(locator) == pasted


def test_bars_show_at_least_a_sliver() -> None:
    assert bar(0, width=4) == "    "
    assert bar(0.0001, width=4) == "▏   "
    assert bar(0.5, width=4) == "██  "
    assert bar(7, width=4) == "████"
