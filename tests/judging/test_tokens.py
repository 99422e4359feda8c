from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.judging.tokens import bound_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("the cat sat", 2 + 2 + 2),
        ("2024", 4),
        ("a.b", 3),
        ("a  b", 3),
        ("a\nb", 3),
        ("ABCDEF", 6),
        ("naïve", 5),
        ("日本", 6),
        ("x" * 40, 40),
    ],
)
def test_what_counts_how_much(text: str, tokens: int) -> None:
    assert bound_tokens(text) >= tokens - 1
    assert bound_tokens(text) <= max(len(text.encode()), tokens)


def test_each_byte_beyond_ascii_counts() -> None:
    assert bound_tokens("日本語") == 9
    assert bound_tokens("ключ") == 8


def test_keys_and_digits_count_in_full() -> None:
    key = "sk4fGh7KqLmZx9TvBnWy2RcD"
    assert bound_tokens(key) >= len(key) * 0.8
    assert bound_tokens("0123456789" * 10) == 100


@given(st.text())
def test_never_above_bytes_and_lines(text: str) -> None:
    size = len(text.encode("utf-8", "replace"))
    assert 0 <= bound_tokens(text) <= size + text.count("\n")


@given(st.text(), st.text())
def test_joining_adds_up_to_a_blank(left: str, right: str) -> None:
    # Cutting never makes a text cost more than its parts.
    assert bound_tokens(left + right) <= bound_tokens(left) + bound_tokens(right) + 21


def test_a_million_letters_are_counted() -> None:
    assert bound_tokens("a" * 1_000_000 + "Ab" * 500_000) == 2_000_000
