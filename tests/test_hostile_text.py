"""Text made to cost time: every pattern is linear in what it looks at."""

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


CASES: list[tuple[Callable[[str], object], str]] = [
    (infer_error, "\n" * 8000),
    (infer_error, " \n" * 4000),
    (tokenize, "a://" + "_" * 100_000),
    (tokenize, "@ " + "1_" * 50_000),
    (tokenize, "@ " + "a+" * 50_000),
    (mask_name, "a" * 100_000 + "!"),
    (_executions, " " * 70 + "1" + " " * 300_000 + "!"),
]


@pytest.mark.parametrize(("read", "text"), CASES)
def test_hostile_text_takes_no_time(read: Callable[[str], object], text: str) -> None:
    best = min(_seconds(read, text) for _ in range(2))
    assert best < 0.1


def _seconds(read: Callable[[str], object], text: str) -> float:
    start = time.perf_counter()
    read(text)
    return time.perf_counter() - start


def test_bounds_leave_plain_text_as_it_was() -> None:
    assert tokenize("mail first.last+tag@mail.example.com now") == [
        "mail", "first.last+tag@mail.example.com", "now",
    ]  # fmt: skip
    assert infer_error("log\n\n \tpanic: nil map") is not None
    assert find_executions([{"content": "```\nx\n```"}, {"content": " 42 \n"}]) == {1}
    assert mask_name("worker_3fa85f64") == "worker"
