"""Text made to cost time: no pattern hangs on what it looks at.

Time is not measured here; a pattern that is quadratic in these texts takes minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from traceloc.graph.lexical import tokenize
from traceloc.loading.tool_errors import infer_error
from traceloc.repeats.sketch import mask_name
from traceloc_plugins.ag2.conversation import find_executions


def _executions(text: str) -> None:
    code = {"content": "```python\nx\n```"}
    assert find_executions([code, {"content": text}]) == set()


HANG = 10.0
"""Seconds of the processor, on whatever machine, from which a pattern counts as hanging."""

CASES: list[tuple[Callable[[str], object], str]] = [
    (infer_error, "\n" * 400_000),
    (infer_error, " \n" * 200_000),
    (tokenize, "a://" + "_" * 400_000),
    (tokenize, "@ " + "1_" * 200_000),
    (tokenize, "@ " + "a+" * 200_000),
    (mask_name, "a" * 400_000 + "!"),
    (_executions, " " * 70 + "1" + " " * 300_000 + "!"),
]


@pytest.mark.parametrize(("read", "text"), CASES)
def test_hostile_text_does_not_hang(read: Callable[[str], object], text: str) -> None:
    start = time.process_time()
    read(text)
    assert time.process_time() - start < HANG


def test_bounds_leave_plain_text_as_it_was() -> None:
    assert tokenize("mail first.last+tag@mail.example.com now") == [
        "mail", "first.last+tag@mail.example.com", "now",
    ]  # fmt: skip
    assert infer_error("log\n\n \tpanic: nil map") is not None
    assert find_executions([{"content": "```\nx\n```"}, {"content": " 42 \n"}]) == {1}
    assert mask_name("worker_3fa85f64") == "worker"
