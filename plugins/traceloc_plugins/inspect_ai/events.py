"""Events of a sample as steps; the tree of spans says who acted.

The list of messages is no help where agents hand over: a sub-agent's turns are flattened there into
text, and its results into messages of the user.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from traceloc.loading import TraceBuilder, declared_error, text_of
from traceloc.trace import ErrorKind, StepError
from traceloc_plugins.facts import moment, usage_from, word
from traceloc_plugins.inspect_ai.content import Pool, as_message, calls_of, said
from traceloc_plugins.inspect_ai.tree import SpanTree
from traceloc_plugins.records import bounded
from traceloc_plugins.turns import Turns

MAIN = "assistant"
_USAGE = {
    "input_tokens": "input",
    "output_tokens": "output",
    "input_tokens_cache_read": "cache_read",
    "input_tokens_cache_write": "cache_write",
    "reasoning_tokens": "reasoning",
    "total_cost": "cost_usd",
}
_ERRORS: dict[str, ErrorKind] = {
    "parsing": "parse",
    "timeout": "timeout",
    "permission": "permission",
    "limit": "limit",
    "output_limit": "limit",
    "approval": "user_rejection",
}
_MAX_NESTING = 24


class EventReader:
    """Adds events to a trace.

    Args:
        builder: The trace under construction.
        pool: What events refer to.
        path: The file, for messages.
    """

    def __init__(self, builder: TraceBuilder, pool: Pool, path: str) -> None:
        self.builder = builder
        self.pool = pool
        self.turns = Turns(builder)
        self._tree = SpanTree(self.turns)
        self._skipped: Counter[str] = Counter()
        self._known: set[str] = set()
        """Ids of messages that steps stand for."""
        self._prompted: set[str] = set()
        self._native = 0

    def ask(self, given: Any) -> None:
        """The sample's input, before anything happens."""
        given = given if isinstance(given, list) else [{"role": "user", "content": given}]
        for message in given:
            if isinstance(message, dict) and message.get("role") == "user":
                text, _ = said(self.pool, message)
                self._note_id(message)
                self.turns.ask(text, native_index=0)

    def read(self, events: list[Any]) -> None:
        """All events of the sample."""
        names = [
            str(event.get("name"))
            for event in events
            if isinstance(event, dict)
            and event.get("type") == "agent"
            and event.get("event") in ("span_begin", "step")
            and word(event.get("name"))
        ]
        for name in names:  # known before they are handed over to
            self.turns.introduce(name)
        for native, event in enumerate(events):
            self._native = native
            self._guard(event, 0)
        self._close(None)
        for kind, count in sorted(self._skipped.items()):
            self.builder.note("note", f"{count} events of type {kind!r} are no steps")

    def _guard(self, event: Any, depth: int) -> None:
        if not isinstance(event, dict):
            self.builder.note("skipped", "items that are no event")
            return
        try:
            self._event(event, depth)
        except (ValueError, RecursionError):
            self.builder.note("skipped", "events that cannot be represented")

    def _event(self, event: dict[str, Any], depth: int) -> None:
        kind = event.get("event")
        if kind == "span_begin" or (kind == "step" and event.get("action") == "begin"):
            self._tree.open(event, self._native)
        elif kind == "span_end" or kind == "step":
            self._close(event)
        elif kind == "score":
            self._score(event)
        elif self._tree.is_judging:
            self._skipped[f"{kind} of a scorer"[:64]] += 1
        elif kind == "model":
            self._model(event)
        elif kind == "tool":
            self._tool(event, depth)
        elif kind == "subtask":
            self._nested(event, word(event.get("name")) or "subtask", depth)
        elif kind in ("error", "sample_limit", "info", "input", "compaction", "approval"):
            self._other(event, kind)
        else:
            self._skipped[str(kind)[:64]] += 1

    def _close(self, event: dict[str, Any] | None) -> None:
        """End a span, or all; results that waited for its end come now."""
        for result in self._tree.close(event):
            self._returned(result)

    @property
    def _agent(self) -> str:
        found = self._tree.top.agent if self._tree.top else None
        if found is None:
            self.turns.introduce(MAIN, attribution="role")
        return found or MAIN

    def _place(self, event: dict[str, Any]) -> dict[str, Any]:
        inside = self._tree.top.id if self._tree.top else None
        return {
            "native_index": self._native,
            "timestamp": moment(event.get("timestamp")),
            "span_id": word(event.get("span_id")) or inside,
        }

    # What happened

    def _model(self, event: dict[str, Any]) -> None:
        if event.get("role") == "grader":
            self._skipped["model of a grader"] += 1
            return
        agent, given = self._agent, self.pool.input_of(event)
        self._tools(event.get("tools"))
        self._hear(given, agent, event)
        output = event.get("output")
        output = output if isinstance(output, dict) else {}
        choices = output.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        message = first.get("message") if isinstance(first, dict) else None
        message = message if isinstance(message, dict) else {}
        text, thoughts = said(self.pool, message)
        calls = calls_of(self.pool, message)
        told = event.get("error") or output.get("error")
        error = declared_error(text_of(bounded(told)), kind="model") if told else None
        stopped = first.get("stop_reason") if isinstance(first, dict) else None
        extra = {key: event[key] for key in ("retries", "cache") if event.get(key)}
        if stopped and stopped not in ("stop", "tool_calls"):
            extra["stop_reason"] = stopped
        if isinstance(choices, list) and len(choices) > 1:
            self.builder.note("note", "only the first of several choices is a step")
        self._note_id(message)
        self.turns.say(
            agent,
            text,
            calls=calls,
            reasoning=thoughts,
            kind="event" if error and not (text or calls) else None,
            error=error,
            model=word(output.get("model")) or word(event.get("model")),
            usage=usage_from(output.get("usage"), _USAGE),
            llm_call_id=word(event.get("uuid")),
            inputs=self.turns.given(as_message(self.pool, message) for message in given),
            attributes=bounded(extra) or None,
            **self._place(event),
        )

    def _hear(self, given: list[dict[str, Any]], agent: str, event: dict[str, Any]) -> None:
        """Prompts in a model's input that no step stands for yet."""
        first = agent not in self._prompted
        self._prompted.add(agent)
        taken_over = first and len(self._prompted) > 1
        for message in given:
            role, id = message.get("role"), word(message.get("id"))
            if role not in ("system", "user") or (id and id in self._known):
                continue
            text, _ = said(self.pool, message)
            self._note_id(message)
            if not text or self.turns.has_said(role, text):
                continue
            if role == "system":
                self.turns.instruct(agent, text, **self._place(event))
            elif not taken_over:
                own = message.get("source") == "input"
                extra: dict[str, Any] = {} if own else {"kind": "event", "flags": ("synthetic",)}
                self.turns.ask(text, to=(agent,), **extra, **self._place(event))

    def _tool(self, event: dict[str, Any], depth: int) -> None:
        self._note_id({"id": event.get("message_id")})
        name = word(event.get("function")) or "tool"
        nested = event.get("events")
        if word(event.get("agent")) and not nested:
            self._returned(event)  # the other agent is told so before it begins
            return
        if isinstance(nested, list) and nested:
            self._nested(event, word(event.get("agent")) or name, depth)
        top = self._tree.top
        if top is not None and top.kind == "tool" and not nested:
            top.later.append({**event, "native": self._native})
        else:
            self._returned(event)

    def _returned(self, event: dict[str, Any]) -> None:
        text = text_of(bounded(self.pool.resolve(event.get("result"))))
        error = self._error(event.get("error"))
        place = self._place(event)
        place["native_index"] = event.get("native", place["native_index"])
        place["timestamp"] = moment(event.get("completed")) or place["timestamp"]
        if error is not None and not text:
            text = error.message
        extra = {key: event[key] for key in ("truncated", "failed") if event.get(key)}
        self.turns.answer(
            text,
            call_id=word(event.get("id")),
            tool=word(event.get("function")),
            error=error,
            attributes=bounded(extra) or None,
            **place,
        )

    def _nested(self, event: dict[str, Any], name: str, depth: int) -> None:
        """Events that older logs keep inside a tool's or subtask's event."""
        events = event.get("events")
        if not isinstance(events, list) or not events:
            self._skipped[str(event.get("event"))[:64]] += event.get("event") != "tool"
            return
        if depth >= _MAX_NESTING:
            self.builder.note("skipped", "events nested too deeply")
            return
        boss = self._agent
        works = any(isinstance(e, dict) and e.get("event") == "model" for e in events)
        if works:
            self.turns.introduce(name, parent=boss if boss != name else None)
            self.builder.agent(boss, kind="orchestrator")
        id = f"{self._native}.{depth}"
        self._tree.nest(id, name, name if works else boss)
        for inner in events:
            self._guard(inner, depth + 1)
        self._close({"id": id})

    def _other(self, event: dict[str, Any], kind: str) -> None:
        place = self._place(event)
        if kind == "input":
            self.turns.ask(text_of(bounded(event.get("input"))), to=(self._agent,), **place)
            return
        if kind == "approval" and event.get("decision") in ("approve", None):
            self._skipped["approval"] += 1
            return
        told = event.get("error") if kind == "error" else None
        message = told.get("message") if isinstance(told, dict) else event.get("message")
        text = text_of(bounded(message or event.get("data") or event.get("explanation")))
        error: StepError | None = None
        if kind == "error":
            error = declared_error(text or "error")
        elif kind == "sample_limit":
            error = StepError(kind="limit", message=text or str(event.get("type")))
        elif kind == "approval":
            error = StepError(kind="user_rejection", message=text or str(event.get("decision")))
        flags = ("copied_context",) if kind == "compaction" else None
        self.turns.tell(text or kind, error=error, flags=flags, **place)

    def _score(self, event: dict[str, Any]) -> None:
        told = {key: bounded(event[key]) for key in ("score", "target") if key in event}
        self.builder.truth(**{f"events[{self._native}]": told})

    def _error(self, raw: Any) -> StepError | None:
        if not isinstance(raw, dict):
            return None
        kind, message = word(raw.get("type")), text_of(bounded(raw.get("message")))
        return declared_error(message or "error", type=kind, kind=_ERRORS.get(kind or ""))

    def _tools(self, tools: Any) -> None:
        for tool in tools if isinstance(tools, list) else ():
            if isinstance(tool, dict) and (name := word(tool.get("name"))):
                description = word(self.pool.resolve(tool.get("description")))
                parameters = bounded(self.pool.resolve(tool.get("parameters")))
                self.builder.tool(name, description=description, parameters=parameters)

    def _note_id(self, message: dict[str, Any]) -> None:
        if id := word(message.get("id")):
            self._known.add(id)
