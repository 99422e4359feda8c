"""One small, valid document of each format, written for these tests."""

from __future__ import annotations

import copy
import json
import random
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traceloc import Trace, TraceFormatError, load
from traceloc.loading import Source

CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": '{"sku": 7}'}}
CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You keep the stock of a shop."},
        {"role": "user", "content": "How many lamps are left?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "name": "stock", "content": "Error: no such sku"},
        {"role": "assistant", "content": "Twelve."},
    ],
    "tools": [{"type": "function", "function": {"name": "stock", "parameters": {}}}],
}
TAU: dict[str, Any] = {
    "task_id": 4,
    "trial": 1,
    "reward": 0.0,
    "info": {
        "task": {"instruction": "You are angry.", "actions": [{"name": "refund"}], "outputs": []},
        "reward_info": {"reward": 0.0},
        "user_cost": 1,
    },
    "traj": CHAT["messages"],
}
AG2: dict[str, Any] = {
    "chat_history": [
        {"role": "assistant", "name": "desk", "content": "Count the lamps."},
        {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "c2"}]},
        {
            "role": "tool",
            "name": "desk",
            "content": "12\n\nError: timeout",
            "tool_responses": [
                {"tool_call_id": "c1", "role": "tool", "content": "12"},
                {"tool_call_id": "c2", "role": "tool", "content": "Error: timeout"},
            ],
        },
        {"role": "user", "name": "clerk", "content": "Twelve lamps."},
    ],
    "summary": "Twelve.",
}
SHAREGPT: dict[str, Any] = {
    "id": "row-3",
    "system": "You keep the stock.",
    "conversations": [
        {"from": "human", "value": "How many lamps?"},
        {"from": "function_call", "value": '{"name": "stock", "arguments": {"sku": 7}}'},
        {"from": "observation", "value": "12"},
        {"from": "gpt", "value": "Twelve."},
    ],
}
WHO_AND_WHEN: dict[str, Any] = {
    "is_correct": False,
    "question": "How many lamps are left?",
    "ground_truth": "11",
    "history": [
        {"role": "assistant", "name": "Planner", "content": "Run this:\n```python\nprint(12)\n```"},
        {"role": "user", "name": "Shell", "content": "exitcode: 1 (execution failed)\nboom"},
        {"role": "user", "name": "Clerk", "content": "It must be twelve."},
    ],
    "mistake_agent": "Clerk",
    "mistake_step": "2",
    "mistake_reason": "made up",
    "system_prompt": {"Clerk": "You count.", "Planner": "You plan."},
}
MAGENTIC: list[Any] = [
    {"role": "human", "content": "How many lamps are left?"},
    {"role": "Boss (thought)", "content": 'Updated Ledger:\n{"done": {"answer": false}}'},
    {"role": "Boss (-> Clerk)", "content": "Please count."},
    {"role": "Clerk", "content": "Twelve."},
    {"role": "Boss (termination condition)", "content": "Nobody is left to speak."},
]
EVOAGENTOPS: list[Any] = [
    {
        "step": 1,
        "agent_name": "counter",
        "agent": {
            "input": [{"role": "user", "content": "How many lamps?"}],
            "output": "",
            "tools_called": [
                {"tool_name": "stock", "tool_args": {"sku": 7}, "tool_response": "12"}
            ],
        },
        "environment": None,
        "step_usage": {"input_tokens": 5, "output_tokens": 2, "model": "m"},
        "start_time": "1768141060054352896",
        "span_id": "0x1",
        "trace_id": "0x9",
    },
    {
        "step": 2,
        "agent_name": "writer",
        "agent": {
            "input": [{"role": "user", "content": "12"}],
            "output": "Twelve.",
            "tools_called": [],
        },
        "span_id": "0x2",
        "trace_id": "0x9",
    },
]
AUTOGEN: dict[str, Any] = {
    "messages": [
        {"source": "user", "type": "TextMessage", "content": "How many lamps are left?"},
        {
            "id": "m1",
            "source": "clerk",
            "type": "ThoughtEvent",
            "content": "I look it up.",
            "models_usage": None,
        },
        {
            "id": "m2",
            "source": "clerk",
            "type": "ToolCallRequestEvent",
            "created_at": "2026-03-09T10:00:00Z",
            "models_usage": {"prompt_tokens": 5, "completion_tokens": 2},
            "content": [
                {"id": "c1", "name": "stock", "arguments": '{"sku": 7}'},
                {"id": "c2", "name": "stock", "arguments": "{broken"},
            ],
        },
        {
            "source": "clerk",
            "type": "ToolCallExecutionEvent",
            "content": [
                {"content": "12", "name": "stock", "call_id": "c1", "is_error": False},
                {"content": "took too long", "name": "stock", "call_id": "c2", "is_error": True},
            ],
        },
        {"source": "clerk", "type": "ToolCallSummaryMessage", "content": "12\ntook too long"},
        {"source": "clerk", "type": "HandoffMessage", "content": "Go on.", "target": "writer"},
        {"source": "writer", "type": "StructuredMessage[Answer]", "content": {"lamps": 12}},
        {"source": "writer", "type": "TextMessage", "content": "Twelve."},
    ],
    "stop_reason": "Maximum number of messages reached",
}
DOCUMENTS: dict[str, Any] = {
    "autogen": AUTOGEN,
    "openai_chat": CHAT,
    "tau_bench": TAU,
    "ag2": AG2,
    "sharegpt": SHAREGPT,
    "who_and_when": WHO_AND_WHEN,
    "magentic_one": MAGENTIC,
    "evoagentops": EVOAGENTOPS,
}
# A file each for the others: ``DOCUMENTS``, by the name of the loader.
for _path in sorted(Path(__file__).with_name("documents").glob("*.py")):
    DOCUMENTS |= runpy.run_path(str(_path))["DOCUMENTS"]


@pytest.fixture
def documents() -> dict[str, Any]:
    """One document of each format, to be changed at will."""
    return copy.deepcopy(DOCUMENTS)


@pytest.fixture
def load_all(tmp_path: Path) -> Callable[..., list[Trace]]:
    """Loads a document, or the text of a file, by way of a file whose name says nothing."""

    def load_document(document: Any, *, format: str | None = None) -> list[Trace]:
        path = tmp_path / "run.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return list(load(path, format=format, strict=True))

    return load_document


@pytest.fixture
def load_one(load_all: Callable[..., list[Trace]]) -> Callable[..., Trace]:
    """Loads a document that holds one trace."""

    def load_document(document: Any, **options: Any) -> Trace:
        (trace,) = load_all(document, **options)
        return trace

    return load_document


@pytest.fixture
def check_damaged() -> Callable[..., None]:
    """Loads variants of a document, each with some values replaced, removed or repeated."""

    def places(value: Any) -> Iterator[Any]:
        if isinstance(value, dict | list) and value:
            yield value
            for inner in list(value.values() if isinstance(value, dict) else value):
                yield from places(inner)

    def vary(variant: Any, chance: random.Random) -> None:
        junk = [None, 17, -1.5, "", "x", [], {}, [[]], {"type": []}, [{"id": {}}], True, 2**70]
        for _ in range(chance.randint(1, 4)):
            place = chance.choice(list(places(variant)))
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = chance.choice(keys)
            if chance.random() < 0.7:
                place[key] = copy.deepcopy(chance.choice(junk))
            elif len(keys) > 1:
                del place[key]
            elif isinstance(place, list):
                place.append(place[key])

    def check(loader: Any, document: Any, count: int = 200) -> None:
        chance = random.Random(7)
        for _ in range(count):
            variant = copy.deepcopy(document)
            vary(variant, chance)
            items = variant if isinstance(variant, list) else [variant]
            for text in (json.dumps(variant), "\n".join(map(json.dumps, items))):
                source = Source("-", content=text.encode())
                assert 0.0 <= loader.sniff(source.head()) <= 1.0
                try:
                    traces = list(loader.load([source]))
                except TraceFormatError:
                    continue
                for trace in traces:
                    assert Trace.model_validate_json(trace.model_dump_json()) == trace

    return check
