"""Writes small OpenTelemetry traces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from traceloc import Trace, load

OPERATION = "gen_ai.operation.name"


class Otlp:
    """Spans as the GenAI conventions and OTLP's JSON encoding have them.

    Args:
        folder: Takes the files that are read.
    """

    TRACE = "0af7651916cd43dd8448eb211c80319c"
    START = 1_700_000_000_000_000_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self.ASK = self.text("user", "How much is 2 kg of tea?")
        self.LOOK = self.call("price", {"item": "tea"}, " c1")
        answer = {"type": "tool_call_response", "id": "c1", "response": "9"}
        self.FOUND = {"role": "tool", "parts": [answer]}
        self.DONE = self.text("assistant", "18 EUR")

    def any_value(self, value: Any) -> dict[str, Any]:
        if isinstance(value, bool):
            return {"boolValue": value}
        if isinstance(value, int):
            return {"intValue": str(value)}
        if isinstance(value, list):
            return {"arrayValue": {"values": [self.any_value(item) for item in value]}}
        if isinstance(value, dict):
            return {"kvlistValue": {"values": self.pairs(value)}}
        return {"stringValue": value}

    def pairs(self, attributes: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"key": key, "value": self.any_value(value)} for key, value in attributes.items()]

    def span(
        self, number: int, name: str, at: tuple[int, int], parent: int = 0, **more: Any
    ) -> dict:
        """One span; times in nanoseconds after the start, parents by number."""
        events = [
            {"name": event, "attributes": self.pairs(fields)}
            for event, fields in more.pop("events", ())
        ]
        return {
            "traceId": self.TRACE,
            "spanId": f"{number:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "",
            "name": name,
            "startTimeUnixNano": str(self.START + at[0]),
            "endTimeUnixNano": str(self.START + at[1]),
            "attributes": self.pairs(more.pop("attributes", {})),
            "events": events,
            **more,
        }

    def otlp(self, *spans: dict, service: str = "desk", scope: str = "test") -> str:
        """The spans as one line of OTLP/JSON."""
        resource = {"attributes": self.pairs({"service.name": service})}
        scoped = [{"scope": {"name": scope}, "spans": list(spans)}]
        return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]})

    @staticmethod
    def text(role: str, words: str) -> dict[str, Any]:
        return {"role": role, "parts": [{"type": "text", "content": words}]}

    @staticmethod
    def call(name: str, arguments: Any, call_id: str) -> dict[str, Any]:
        part = {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
        return {"role": "assistant", "parts": [part]}

    @staticmethod
    def chat(given: list[dict], said: list[dict], agent: str | None = "clerk", **more: Any) -> dict:
        """Attributes of a model call."""
        found = {
            OPERATION: "chat",
            "gen_ai.input.messages": json.dumps(given),
            "gen_ai.output.messages": json.dumps(said),
            "gen_ai.usage.input_tokens": 7,
            **more,
        }
        return {**found, "gen_ai.agent.name": agent} if agent else found

    @staticmethod
    def tool(name: str, call_id: str | None, result: Any = None, **more: Any) -> dict[str, Any]:
        """Attributes of a tool's run."""
        found: dict[str, Any] = {OPERATION: "execute_tool", "gen_ai.tool.name": name, **more}
        if call_id:
            found["gen_ai.tool.call.id"] = call_id
        if result is not None:
            found["gen_ai.tool.call.result"] = result
        return found

    def small_run(self) -> list[dict]:
        """A question, a call, its result and an answer, children first as exporters write them."""
        asked = self.chat([self.ASK], [self.LOOK])
        answered = self.chat([self.ASK, self.LOOK, self.FOUND], [self.DONE])
        root = {OPERATION: "invoke_agent"}
        return [
            self.span(2, "chat m", (1, 2), 1, attributes=asked),
            self.span(3, "execute_tool price", (2, 3), 1, attributes=self.tool("price", "c1", "9")),
            self.span(4, "chat m", (4, 5), 1, attributes=answered),
            self.span(1, "invoke_agent clerk", (0, 6), attributes=root),
        ]

    def read(self, *documents: str) -> Trace:
        """The one trace of a file with these lines."""
        self._files += 1
        path = self._folder / f"trace{self._files}.jsonl"
        path.write_text("\n".join(documents) + "\n")
        (trace,) = load(path, strict=True)
        return trace


@pytest.fixture
def otel(tmp_path_factory: pytest.TempPathFactory) -> Otlp:
    """Writes spans and reads them back."""
    return Otlp(tmp_path_factory.mktemp("otel"))
