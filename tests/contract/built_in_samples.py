"""What the contract tests feed the plugins that traceloc ships."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

from traceloc.testing import Files
from traceloc.testing.traces import make_trace, rich_trace
from traceloc.trace import StepError

PLUGIN_TESTS = Path(__file__).parents[1] / "plugins"

EXPECTED_FAILURES: dict[tuple[str, str], dict[str, str]] = {}
"""By kind and name: check and reason. Strict: what no longer fails must go."""


FIXTURES = {
    ("judges", "replay"): "replay_prompts",
    ("judges", "pydantic_ai"): "chat_prompts",
    ("memories", "postgres"): "postgres_addresses",
}
"""Samples that something must run for."""


def _lines(*values: Any) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def _session(uuid: str, parent: str | None, type: str, content: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": type,
        "uuid": uuid,
        "parentUuid": parent,
        "sessionId": "s-1",
        "timestamp": f"2026-03-09T10:00:0{uuid[1]}.000Z",
        "message": {"role": type, "content": content, **more},
    }


CLAUDE_CODE_LINES = (
    _session("u1", None, "user", "How many lamps are left?"),
    _session(
        "u2",
        "u1",
        "assistant",
        [
            {"type": "text", "text": "I look it up."},
            {"type": "tool_use", "id": "c1", "name": "stock", "input": {"sku": 7}},
        ],
        model="m",
    ),
    _session(
        "u3", "u2", "user", [{"type": "tool_result", "tool_use_id": "c1", "content": "no such sku"}]
    ),
    _session("u4", "u3", "assistant", [{"type": "text", "text": "There are twelve."}], model="m"),
)

CLAUDE_CODE = _lines(*CLAUDE_CODE_LINES)
CLAUDE_CODE_FILES = {
    "s-1.jsonl": _lines(*CLAUDE_CODE_LINES[:2]),
    "later/s-1.jsonl": _lines(*CLAUDE_CODE_LINES[2:]),
}


def _span(id: str, parent: str | None, start: int, name: str, **attributes: str) -> dict[str, Any]:
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": id * 8,
        "parentSpanId": parent * 8 if parent else "",
        "name": name,
        "startTimeUnixNano": f"15447126{start:02}000000000",
        "endTimeUnixNano": f"15447126{start + 1:02}000000000",
        "attributes": [
            {"key": f"gen_ai.{key}".replace("__", "."), "value": {"stringValue": value}}
            for key, value in attributes.items()
        ],
    }


def _export(*spans: dict[str, Any]) -> bytes:
    scope = {"scope": {"name": "shop"}, "spans": list(spans)}
    service = {"key": "service.name", "value": {"stringValue": "shop"}}
    return _lines(
        {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [scope]}]}
    )


def _said(role: str, *parts: dict[str, Any]) -> str:
    return json.dumps([{"role": role, "parts": list(parts)}])


_AGENT = _span("a1", None, 10, "invoke_agent clerk", operation__name="invoke_agent",
               agent__name="clerk")  # fmt: skip
_CHAT = _span(
    "a2",
    "a1",
    11,
    "chat m",
    operation__name="chat",
    request__model="m",
    input__messages=_said("user", {"type": "text", "content": "How many lamps are left?"}),
    output__messages=_said(
        "assistant", {"type": "tool_call", "id": "c1", "name": "stock", "arguments": {"sku": 7}}
    ),
)
_TOOL = _span(
    "a3",
    "a1",
    13,
    "execute_tool stock",
    operation__name="execute_tool",
    tool__name="stock",
    tool__call__id="c1",
    tool__call__arguments='{"sku": 7}',
    tool__call__result="no such sku",
)
OTEL = _export(_AGENT, _CHAT, _TOOL)
OTEL_FILES = {"a.jsonl": _export(_CHAT), "b.jsonl": _export(_AGENT, _TOOL)}


def _native() -> tuple[Files, ...]:
    trace = rich_trace().model_copy(update={"format": "native"})
    document = Files.of(trace.model_dump_json())
    return document, Files.of(_lines(*(json.loads(trace.model_dump_json()),) * 2))


SAMPLES: dict[str, tuple[Any, ...]] = {
    "claude_code": (CLAUDE_CODE, Files.together(CLAUDE_CODE_FILES)),
    "native": _native(),
    "otel": (OTEL, Files.together(OTEL_FILES)),
}
"""Of loaders whose format is no JSON document."""

SIGNAL_SAMPLES = (
    make_trace(
        ("user", "Book a table for 4 at 19:30 and tell me the number."),
        ("Boss", "Ann, book the table.", {"to": ("Ann",)}),
        ("Ann", "The table for 6 is booked, number 8812."),
        ("tool.book", "", {"error": StepError(kind="timeout", message="took too long")}),
        ("user", "No, that is wrong: I said 4."),
        ("Ann", "Sorry. FINAL ANSWER: 8812"),
    ),
)


def _documents(name: str) -> dict[str, Any]:
    """What the tests of plugins hold under a name, by loader.

    ``DOCUMENTS``: one JSON document. ``SAMPLES``: several samples, such as bytes of a file that is
    no JSON. ``GROUPED``: files that belong together, by name.
    """
    found: dict[str, Any] = {}
    for path in (PLUGIN_TESTS / "conftest.py", *sorted((PLUGIN_TESTS / "documents").glob("*.py"))):
        found |= runpy.run_path(str(path)).get(name, {})
    return found


DOCUMENTS, GROUPED = _documents("DOCUMENTS"), _documents("GROUPED")
SAMPLES |= _documents("SAMPLES")


def samples_of(kind: str, name: str) -> tuple[Any, ...]:
    """Samples for a plugin; none where those of the kit are enough."""
    if kind == "signals":
        return SIGNAL_SAMPLES
    if kind != "loaders":
        return ()
    grouped = (Files.together(GROUPED[name]),) if name in GROUPED else ()
    single = (DOCUMENTS[name],) if name in DOCUMENTS else ()
    return (*SAMPLES.get(name, ()), *single, *grouped)
