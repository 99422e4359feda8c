"""Hints and prices from files."""

from __future__ import annotations

from pathlib import Path

import pytest
from judge_samples import FakeJudge, judge_trace, make_panel, rank, verdict

from traceloc import Trace
from traceloc.errors import UsageError
from traceloc.judgement import JudgeHint, JudgeReply
from traceloc.judging.hints import HintFile, RandomHints, read_hints
from traceloc.judging.prices import Price, price_of, read_prices

ALIKE = JudgeHint(
    signature="I assume the fare is so much, as it was last year", questions=("New?",)
)
OTHER = JudgeHint(signature="deploys the wrong container image into production")


def test_hints_that_look_alike_are_shown_and_others_not(trip: Trace, tmp_path: Path) -> None:
    path = tmp_path / "hints.jsonl"
    path.write_text(f"{OTHER.model_dump_json()}\n\n{ALIKE.model_dump_json()}\n")
    judge = FakeJudge(lambda prompt: verdict(3))
    judge_trace(make_panel(judge, hints=read_hints(path)), trip)
    assert "as it was last year" in judge.prompts[0].user.split("LOG")[0]
    assert "container image" not in judge.prompts[0].user


def test_random_hints_are_as_many_and_always_the_same(trip: Trace) -> None:
    source = HintFile([ALIKE, *(JudgeHint(signature=f"lesson number {i}") for i in range(50))])
    drawn = RandomHints(source).find(trip, rank(trip))
    assert len(drawn) == 1 and drawn == RandomHints(source).find(trip, rank(trip))
    assert drawn[0] in source.pool
    assert RandomHints(HintFile([OTHER])).find(trip, rank(trip)) == []


@pytest.mark.parametrize("line", ["{", '{"questions": []}', '{"signature": "a", "gold": 3}'])
def test_a_broken_hint_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "hints.jsonl"
    path.write_text(f"{ALIKE.model_dump_json()}\n{line}\n")
    with pytest.raises(UsageError) as caught:
        read_hints(path)
    assert caught.value.code == "TL606"
    assert caught.value.location is not None and caught.value.location.line == 2


def test_prices_of_the_user_outweigh_others(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"openai:*": {"input": 1, "output": 4}, "*": {"input": 0, "output": 0}}')
    prices = read_prices(path)
    reply = JudgeReply(text="", input_tokens=1_000_000, output_tokens=500_000, usd=9.0)
    assert price_of(reply, model="openai:x", prices=prices) == 3.0
    assert price_of(reply, model="local", prices=prices) == 0.0
    assert price_of(reply, model="local", prices={}) == 9.0
    uncounted = JudgeReply(text="")
    assert price_of(uncounted, model="x", prices={"x": Price(input=1, output=1)}) is None


@pytest.mark.parametrize("text", ["", "[]", '{"a": {"input": -1, "output": 0}}', '{"a": 1}'])
def test_a_broken_table_of_prices_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_prices(path)
    assert caught.value.code == "TL604"
