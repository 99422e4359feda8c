"""Whether two messages tell of one failure."""

from __future__ import annotations

import pytest

from traceloc_plugins.spans.retelling import is_retold


@pytest.mark.parametrize(
    ("said", "below"),
    [
        ("no sku", "no sku"),
        ("Error in run: no sku", "no sku"),
        ("ToolError: no sku", "RunError: no sku"),
        ("the crew failed because the depot is locked", "the depot is locked"),
    ],
)
def test_words_in_front_do_not_make_another_failure(said: str, below: str) -> None:
    assert is_retold(said, below) and is_retold(below, said)


@pytest.mark.parametrize(
    ("said", "below"), [("the order failed: no stock", "failed"), ("no sku", "no stock")]
)
def test_a_common_word_does_not_make_one_failure_of_two(said: str, below: str) -> None:
    assert not is_retold(said, below)
