"""Inspect AI: events of a span tree, scores out of sight, archives that may be damaged."""

from __future__ import annotations

import io
import json
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from traceloc import Trace, TraceFormatError, load
from traceloc.loading import Head, Source
from traceloc_plugins.inspect_ai import archive
from traceloc_plugins.inspect_ai.loader import InspectAILoader

ZSTD = "2026-11-21T06-30-43-00-00_travel_kbfknV8abTAmD7Ucp8QhCq.eval"


def pack(log: dict[str, Any], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        header = {key: value for key, value in log.items() if key != "samples"}
        file.writestr("_journal/start.json", json.dumps(header))
        for sample in log["samples"]:
            name = f"samples/{sample['id']}_epoch_{sample['epoch']}.json"
            file.writestr(name, json.dumps(sample))
        file.writestr("header.json", json.dumps(header))
    return buffer.getvalue()


def read(data: bytes) -> tuple[list[Trace], list[str]]:
    source = Source("-", content=data)
    traces = list(InspectAILoader().load([source]))
    return traces, [problem.code for problem in source.problems]


def check_team(trace: Trace) -> None:
    assert [(s.kind, s.agent, s.native_index) for s in trace.steps] == [
        ("message", "user", 0),
        ("system", "system", 2),
        ("action", "boss", 2),
        ("result", "stock", 3),
        ("handoff", "boss", 4),
        ("result", "transfer_to_clerk", 6),
        ("system", "system", 8),
        ("message", "clerk", 8),
    ]
    assert trace.agent("boss").instructions == "You run the shop."  # an attachment
    assert (trace.agent("clerk").parent, trace.agent("boss").kind) == ("boss", "orchestrator")
    assert trace.steps[4].to == ("clerk",) and trace.steps[4].error is None
    error = trace.steps[3].error
    assert error is not None and (error.kind, error.declared) == ("timeout", True)
    assert [m.step for m in trace.steps[7].inputs or ()] == [6, 0]
    assert sum(bool(step.usage) for step in trace.steps) == 3
    assert (trace.id, trace.system, trace.session_id) == ("lamps_epoch_1", "shop", "r-1")
    assert [(s.name, s.parent_id) for s in trace.spans if s.kind == "agent"] == [
        ("clerk", "s2"),
        ("boss", None),
    ]


def test_a_team(load_one: Any, documents: dict[str, Any]) -> None:
    check_team(load_one(documents["inspect_ai"]))


def test_nothing_of_the_judgement_is_seen(load_one: Any, documents: dict[str, Any]) -> None:
    trace = load_one(documents["inspect_ai"])
    assert (trace.outcome.status, trace.outcome.score) == ("failed", 0.0)
    assert trace.truth is not None and trace.truth.expected == "11"
    assert trace.truth.fields.keys() == {"scores", "metadata", "events[14]"}
    assert trace.attributes["metadata"] == {"difficulty": 2}
    seen = trace.blind().model_dump_json()
    assert "11" not in seen.replace("2026-03-09", "") and "Is it" not in seen


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("C", "passed"),
        ("P", "failed"),
        (1, "passed"),
        (0.4, "failed"),
        (True, "passed"),
        ({"a": 1}, "unknown"),
        ("A", "unknown"),
    ],
)
def test_scores(load_one: Any, documents: dict[str, Any], value: Any, status: str) -> None:
    documents["inspect_ai"]["samples"][0]["scores"]["match"]["value"] = value
    assert load_one(documents["inspect_ai"]).outcome.status == status


def test_messages_that_are_pooled(load_one: Any, documents: dict[str, Any]) -> None:
    sample = documents["inspect_ai"]["samples"][0]
    pooled = [{"role": "system", "content": "You count."}, *sample["events"][2]["input"]]
    sample["events_data"] = {"messages": pooled}
    for place, refs in ((2, [[1, 3]]), (4, [[1, 3]]), (8, [[0, 1], [2, 3]])):
        sample["events"][place] |= {"input": [], "input_refs": refs}
    check_team(load_one(documents["inspect_ai"]))


def test_what_a_log_says_of_all_samples_is_not_copied_without_end(
    load_one: Any, documents: dict[str, Any]
) -> None:
    log = documents["inspect_ai"] | {"tags": ["night shift"]}
    assert load_one(log).attributes["log"]["tags"] == ["night shift"]
    trace = load_one(log | {"tags": ["night shift"] * 50_000})
    assert "log" not in trace.attributes
    assert any("too long" in note.message for note in trace.diagnostics)


def test_an_agent_as_a_tool_answers_when_it_is_done(
    load_one: Any, documents: dict[str, Any]
) -> None:
    sample = documents["inspect_ai"]["samples"][0]
    for event in sample["events"]:
        if event.get("function") == "transfer_to_clerk":
            event |= {"agent": None, "result": "Twelve."}
        if event.get("type") == "handoff":
            event["type"] = "tool"
    trace = load_one(documents["inspect_ai"])
    assert [step.kind for step in trace.steps[-3:]] == ["system", "message", "result"]
    assert trace.steps[-1].tool_result is not None and trace.steps[-1].tool_result.call_step == 4


def test_without_events_the_messages_are_read(load_one: Any, documents: dict[str, Any]) -> None:
    sample = documents["inspect_ai"]["samples"][0]
    sample["events"] = []
    sample["messages"][1]["tool_calls"] = [{"id": "c", "function": "stock", "arguments": {}}]
    failed = {"type": "timeout", "message": "slow"}
    sample["messages"] += [{"role": "tool", "tool_call_id": "c", "content": "", "error": failed}]
    sample["error"] = {"message": "boom"}
    trace = load_one(documents["inspect_ai"])
    assert [step.kind for step in trace.steps] == ["message", "action", "result", "event"]
    assert [bool(step.error) for step in trace.steps] == [False, False, True, True]
    assert trace.steps[1].tool_calls[0].name == "stock"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "error")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive(documents: dict[str, Any], method: int) -> None:
    (trace,), problems = read(pack(documents["inspect_ai"], method))
    check_team(trace)
    assert not problems


def test_an_archive_that_breaks_off(documents: dict[str, Any]) -> None:
    log = documents["inspect_ai"]
    log["samples"] = [{**log["samples"][0], "epoch": epoch} for epoch in (1, 2)]
    data = pack(log)
    second = data.index(b"samples/lamps_epoch_2.json")
    traces, problems = read(data[: second + 40])
    assert [trace.id for trace in traces] == ["lamps_epoch_1"]
    assert problems[0] == "TL103"


def test_a_member_that_is_damaged(documents: dict[str, Any]) -> None:
    data = bytearray(pack(documents["inspect_ai"]))
    place = data.index(b"samples/lamps_epoch_1.json") + 26
    data[place + 30 : place + 60] = b"\xff" * 30
    traces, problems = read(bytes(data))
    assert problems and not [trace for trace in traces if not trace.steps]


def test_any_damage(shared: Path) -> None:
    whole = (shared / "samples" / "inspect_ai" / ZSTD).read_bytes()
    chance = random.Random(7)
    for _ in range(300):
        data = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
        for _ in range(chance.randrange(6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        source = Source("-", content=bytes(data))
        assert 0 <= InspectAILoader().sniff(source.head()) <= 1
        try:
            for trace in InspectAILoader().load([source]):
                assert Trace.model_validate_json(trace.model_dump_json()) == trace
        except TraceFormatError:
            pass


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, documents: dict[str, Any]) -> None:
    monkeypatch.setattr(archive, "EXPANSION_FLOOR", 1000)
    monkeypatch.setattr(archive, "MAX_EXPANSION", 20)
    log = documents["inspect_ai"]
    log["samples"][0]["store"] = {"zeros": "0" * 5_000_000}
    with pytest.raises(TraceFormatError) as caught:
        read(pack(log))
    assert caught.value.code == "TL108"


def test_what_to_install(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(TraceFormatError) as caught:
        read((shared / "samples" / "inspect_ai" / ZSTD).read_bytes())
    assert caught.value.code == "TL102" and "traceloc[zstd]" in (caught.value.hint or "")


def test_sniffing_goes_by_structure() -> None:
    def score(data: bytes) -> float:
        return InspectAILoader().sniff(Head(data, complete=True))

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("word/document.xml", "<x/>")
    assert score(buffer.getvalue()) == 0.0
    assert score(b'{"eval": {"task": "t"}, "version": 1}') == 0.0
    assert score(b'{"eval": {"task": "t"}, "version": 1, "status": "ok"}') == 0.0
    assert score(b'{"version": 2, "status": "started", "eval": {"task": "t"}}') > 0.9


def test_the_team_story(shared: Path) -> None:
    folder = shared / "samples" / "inspect_ai"
    (zipped,) = load(folder / ZSTD, strict=True)
    (plain,) = load(folder / "travel.json", strict=True)
    assert zipped.steps == plain.steps and zipped.truth == plain.truth
    (booking,) = [s for s in plain.steps if any(c.name == "book" for c in s.tool_calls)]
    (made,) = booking.tool_calls
    assert (booking.agent, made.arguments) == ("booker", {"flight_id": "LH123"})
    assert made.result_step is not None and plain.steps[made.result_step].text == "booked LH123"
    (failed,) = [step for step in plain.steps if step.error]
    assert failed.agent == "get_fx_rate" and failed.error is not None and failed.error.declared
    (over,) = [step for step in plain.steps if step.kind == "handoff"]
    assert (over.agent, over.to, over.error) == ("react", ("booker",), None)
    assert (plain.outcome.status, plain.system) == ("failed", "travel")
    # What the booker said comes back to the researcher as messages of the user: no new steps.
    assert [s.text for s in plain.steps].count("booked LH123") == 1


def test_real_samples(shared: Path) -> None:
    folder = shared / "samples" / "inspect_ai"
    traces = list(load(folder, strict=True))
    assert {trace.format for trace in traces} == {"inspect_ai"}
    assert len({trace.source for trace in traces}) == len(list(folder.iterdir())) - 1
    for trace in traces:
        assert trace.steps and not any(
            "attachment://" in s.text or "tc://" in s.text for s in trace.steps
        )
        if trace.truth and isinstance(score := trace.truth.fields.get("scores"), dict):
            marks = {mark["value"] for mark in score.values()}  # type: ignore[call-overload, index]
            assert trace.outcome.status == ("passed" if marks == {"C"} else "failed")
    browser = next(trace for trace in traces if "browser" in trace.source)
    calls = [call for step in browser.steps for call in step.tool_calls]
    assert len(calls) == 4 and all(call.result_step is not None for call in calls)
