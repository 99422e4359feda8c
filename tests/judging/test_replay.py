from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
from judge_samples import judge_trace, rank, verdict

from traceloc import Trace
from traceloc.errors import UsageError
from traceloc.judgement import JudgeError
from traceloc.judging import JudgeOptions, Panel, take_seats
from traceloc.judging.replay import ReplayFolder, hash_question
from traceloc.judging.replay_server import ReplayServer
from traceloc.registry import Registry


def judge_with(trace: Trace, model: str, **more: object):
    options = JudgeOptions((model,), **more)
    panel = Panel(options, take_seats(options, Registry()))
    return judge_trace(panel, trace, rank(trace)).judgement


def test_a_folder_is_filled_by_hand_and_read_again(trip: Trace, tmp_path: Path) -> None:
    first = judge_with(trip, f"replay:{tmp_path}/answers")
    assert first is not None and first.failure is not None
    assert first.failure.kind == "unanswered"
    (prompt,) = (tmp_path / "answers").glob("*.prompt.json")
    document = json.loads(prompt.read_text())
    assert document["model"] == "replay" and "LOG, 6 steps" in document["user"]
    answer = prompt.with_name(prompt.name.replace(".prompt.", ".answer."))
    assert answer.name in first.failure.message
    answer.write_text(json.dumps(verdict(3)))
    again = judge_with(trip, f"replay:{tmp_path}/answers")
    assert again is not None and again.verdict is not None and again.verdict.step == 3


@pytest.mark.parametrize("place", ["typo/answers", "file", ""])
def test_a_folder_that_cannot_be_meant_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    name = str(tmp_path / place) if place else ""
    with pytest.raises(UsageError, match=re.escape(name) or "names no folder") as refused:
        take_seats(JudgeOptions((f"replay:{name}",)), Registry())
    assert refused.value.code == "TL603"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_nobody_may_write_to(
    trip: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_with(trip, f"replay:{tmp_path}")
    (prompt,) = tmp_path.glob("*.prompt.json")
    prompt.unlink()

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("traceloc.judging.replay._write", refuse)
    found = judge_with(trip, f"replay:{tmp_path}")
    assert found is not None and found.failure is not None
    assert found.failure.kind == "unanswered"
    assert f"cannot be written to {tmp_path}: Permission denied" in found.failure.message
    answer = prompt.with_name(prompt.name.replace(".prompt.", ".answer."))
    answer.write_text(json.dumps(verdict(3)))
    found = judge_with(trip, f"replay:{tmp_path}")
    assert found is not None and found.verdict is not None, "what is there can be read"


def test_the_endpoint_reads_the_same_folder(trip: Trace, tmp_path: Path) -> None:
    pytest.importorskip("pydantic_ai")
    judge_with(trip, f"replay:{tmp_path}")
    (prompt,) = tmp_path.glob("*.prompt.json")
    answer = prompt.with_name(prompt.name.replace(".prompt.", ".answer."))
    server = ReplayServer(tmp_path)
    with server:
        before = judge_with(trip, "replay", url=server.url)
        answer.write_text(json.dumps({"text": json.dumps(verdict(5)), "input_tokens": 7}))
        after = judge_with(trip, "replay", url=server.url)
    assert before is not None and before.failure is not None
    assert before.failure.kind == "rejected"
    assert after is not None and after.verdict is not None and after.verdict.step == 5
    assert list(tmp_path.glob("*.prompt.json")) == [prompt]
    assert server.account() == "1 answered, 1 unanswered"


def test_it_waits_for_an_answer(tmp_path: Path) -> None:
    folder = ReplayFolder(tmp_path)
    digest = folder.write_prompt(model="m", system="s", user="u")
    assert digest == hash_question(model="m", system="s", user="u")
    timer = threading.Timer(0.2, lambda: (tmp_path / f"{digest}.answer.json").write_text("[1, 2]"))
    timer.start()
    reply = folder.wait_for_answer(digest, seconds=30)
    timer.join()
    assert reply is not None and reply.text == "[1, 2]"
    assert folder.wait_for_answer("none", seconds=0) is None


@pytest.mark.parametrize("written", ['{"text": 1}', "not json", "{" * 3000, '{"a": NaN}'])
def test_any_text_is_an_answer(tmp_path: Path, written: str) -> None:
    (tmp_path / "x.answer.json").write_text(written)
    reply = ReplayFolder(tmp_path).read_answer("x")
    assert reply is not None and reply.text == written


def test_an_answer_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "x.answer.json").write_bytes(b"\xff\xfe")
    with pytest.raises(JudgeError) as caught:
        ReplayFolder(tmp_path).read_answer("x")
    assert caught.value.kind == "invalid"


def test_a_reply_may_say_how_it_ended(trip: Trace, tmp_path: Path) -> None:
    judge_with(trip, f"replay:{tmp_path}")
    (prompt,) = tmp_path.glob("*.prompt.json")
    answer = prompt.with_name(prompt.name.replace(".prompt.", ".answer."))
    answer.write_text(json.dumps({"text": "no", "finish": "refusal"}))
    found = judge_with(trip, f"replay:{tmp_path}")
    assert found is not None and found.failure is not None and found.failure.kind == "refusal"
