"""OpenAI messages out: a chat that the API's own shape allows, and the same steps read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from traceloc import Trace, load
from traceloc.converting import write_messages
from traceloc.exporting.openai_messages import from_messages, to_messages
from traceloc.trace import Agent, Step, StepError, ToolCall, ToolResult, ToolSpec, Usage

STEPS = (
    Step(index=0, native_index=0, kind="message", role="user", agent="user", text="Count."),
    Step(
        index=1,
        native_index=3,
        kind="action",
        role="assistant",
        agent="the clerk",
        text="",
        reasoning="I look.",
        tool_calls=(
            ToolCall(name="stock", id="c1", arguments={"sku": 7, "share": 0.1}, result_step=2),
            ToolCall(name="stock", arguments="{broken", result_step=3),
        ),
        usage=Usage(input=5),
    ),
    Step(
        index=2,
        native_index=4,
        kind="result",
        role="tool",
        agent="stock",
        text="Error: gone",
        tool_result=ToolResult(name="stock", call_id="c1", call_step=1),
        error=StepError(kind="tool", message="gone"),
    ),
    Step(
        index=3,
        native_index=5,
        kind="result",
        role="tool",
        agent="stock",
        text="12",
        tool_result=ToolResult(name="stock", call_step=1),
    ),
    Step(index=4, native_index=6, kind="result", role="tool", agent="door", text="It opened."),
    Step(
        index=5,
        native_index=7,
        kind="handoff",
        role="assistant",
        agent="the clerk",
        text="Yours.",
        to=("boss",),
    ),
    Step(index=6, native_index=8, kind="event", role="other", agent="clock", text="Noon."),
)
TRACE = Trace(
    id="t",
    format="somewhere",
    task="Count.",
    agents=(Agent(name="the clerk", kind="worker"),),
    steps=STEPS,
    tools=(ToolSpec(name="stock"),),
)


def read(path: Path, *traces: Trace) -> list[Trace]:
    path.write_text("".join(write_messages(traces)))
    return list(load(path, strict=True))


def test_others_find_a_plain_chat() -> None:
    chat = to_messages(TRACE)
    assert [message["role"] for message in chat["messages"]] == [
        "user", "assistant", "tool", "tool", "user", "assistant", "system",
    ]  # fmt: skip
    calls = chat["messages"][1]["tool_calls"]
    assert [json.loads(calls[0]["function"]["arguments"]), calls[1]["function"]["arguments"]] == [
        {"sku": 7, "share": 0.1},
        "{broken",
    ]
    answers = [message.get("tool_call_id") for message in chat["messages"]]
    assert answers[2:4] == [call["id"] for call in calls] and len(set(answers)) == 3
    assert chat["messages"][1]["name"] == "the_clerk"
    assert chat["tools"][0]["function"]["name"] == "stock"


def test_what_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    (trace,) = read(tmp_path / "chat.json", TRACE)
    assert trace.steps == STEPS
    assert (trace.format, trace.dialect, trace.id) == ("openai_chat", "somewhere", "t")
    assert (trace.agents, trace.tools, trace.task) == (TRACE.agents, TRACE.tools, TRACE.task)
    (again,) = read(tmp_path / "again.json", trace)
    assert again.steps == STEPS and again.dialect == "somewhere"
    assert [t.id for t in read(tmp_path / "two.json", TRACE, TRACE)] == ["t", "t~2"]


def test_a_long_chat_is_known_by_its_beginning(tmp_path: Path) -> None:
    long = [
        Step(index=i, native_index=i, kind="message", role="user", agent="a", text="x" * 900)
        for i in range(200)
    ]
    trace = TRACE.model_copy(update={"steps": tuple(long)})
    assert read(tmp_path / "chat.json", trace)[0].steps == trace.steps


def _drop(chat: dict[str, Any]) -> None:
    del chat["messages"][3]


def _retell(chat: dict[str, Any]) -> None:
    chat["messages"][1]["tool_calls"][0]["function"] = None


def _misnumber(chat: dict[str, Any]) -> None:
    chat["messages"][0]["traceloc"]["native_index"] = -1


def _mistype(chat: dict[str, Any]) -> None:
    chat["messages"][5]["traceloc"]["kind"] = "dance"


@pytest.mark.parametrize("change", [_drop, _misnumber, _mistype, _retell])
def test_a_chat_that_somebody_changed_is_read_like_any_other(tmp_path: Path, change: Any) -> None:
    chat = to_messages(TRACE)
    change(chat)
    if change is not _retell:
        assert from_messages(chat) is None
    (tmp_path / "chat.json").write_text(json.dumps(chat))
    (trace,) = load(tmp_path / "chat.json")
    assert trace.format == "openai_chat" and trace.steps[0].text == "Count."


def test_real_traces_there_and_back(shared: Path, tmp_path: Path) -> None:
    samples = shared / "samples"
    for name in ("autogen_agentchat", "claude_code", "chatdev", "inspect_ai", "openai_agents"):
        traces = list(load(samples / name))
        found = read(tmp_path / f"{name}.json", *traces)
        assert [trace.steps for trace in found] == [trace.steps for trace in traces]
        assert [trace.truth for trace in found] == [trace.truth for trace in traces]
