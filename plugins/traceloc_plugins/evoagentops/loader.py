"""Reads EvoAgentOps recordings: a list of ``{agent_name, agent: {input, output, tools_called}}``.

An item is one agent step with what came back from its tools; all of it shares the item's position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, parse_arguments, result_error, text_of
from traceloc.trace import InputMessage, Span, ToolCall, Trace, Usage
from traceloc_plugins.records import bounded, drain, integer, read_traces, split_truth
from traceloc_plugins.roles import ROLES

_READ = frozenset(
    (
        "step",
        "agent_name",
        "agent",
        "environment",
        "step_usage",
        "start_time",
        "end_time",
        "span_id",
        "trace_id",
        "parent_span_id",
    )
)
_AGENT_READ = frozenset(("input", "output", "tools_called"))
_ARGUMENTS = ("tool_args", "arguments")
_RESULTS = ("tool_response", "result")


class EvoAgentOpsLoader:
    """Loader of EvoAgentOps recordings."""

    name = "evoagentops"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write what the agent was given as `input` of its item",
        "agents": "write `agent_name` of each item",
        "instructions": "write the system message into `input` of each item",
        "schemas": "the format does not hold them",
        "calls": "write `tools_called` of each item; without any the run made none",
        "results": "write `tool_response` of each call",
        "inputs": "write what the agent was given as `input` of its item",
        "times": "write `start_time` of each item",
        "usage": "write `step_usage` of each item",
    }

    def sniff(self, head: Head) -> float:
        """Items that name an agent and hold its input, output and calls."""
        return 1.0 if any(_is_item(record) for record in head.records[:1]) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each list of items."""
        return read_traces(
            self.name, sources, is_trace=_is_recording, is_item=_is_item, read=_read_recording
        )


def _is_item(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("agent_name"), str)
        and isinstance(value.get("agent"), dict)
        and not _AGENT_READ.isdisjoint(value["agent"])
    )


def _is_recording(value: Any) -> bool:
    return isinstance(value, list) and any(_is_item(item) for item in value[:20])


def _read_recording(builder: TraceBuilder, items: list[Any]) -> Trace:
    reader = _Recording(builder)
    for index, item in drain(items):
        if not isinstance(item, dict):
            builder.note("skipped", "items that are no step")
            continue
        try:
            reader.add(item, index)
        except (ValueError, RecursionError):
            builder.note("skipped", "items that cannot be represented")
    # A replay keeps the trace id of the run it replays, so it tells sessions and not traces.
    return builder.build(task=reader.task, session_id=reader.trace_id)


class _Recording:
    """Adds items to a trace, remembering what was said so that inputs can point to it."""

    def __init__(self, builder: TraceBuilder) -> None:
        self.task: str | None = None
        self.trace_id: str | None = None
        self._builder = builder
        self._said: dict[str, int] = {}
        self._spans: set[str] = set()

    def add(self, item: dict[str, Any], index: int) -> None:
        """Add one item: the agent's step, then a step for each tool that answered."""
        builder = self._builder
        body = item.get("agent")
        body = body if isinstance(body, dict) else {}
        agent = item.get("agent_name")
        if not isinstance(agent, str) or not agent:
            builder.note("missing", "items do not name their agent; write agent_name of each")
            agent = "unknown"
        builder.agent(agent, kind="worker")
        inputs = self._inputs(body.get("input"))
        if self.task is None:
            self.task = next((given.text for given in inputs if given.role == "user"), None)
        if isinstance(item.get("trace_id"), str):
            self.trace_id = self.trace_id or item["trace_id"]

        answers = [call for call in _list(body.get("tools_called")) if isinstance(call, dict)]
        calls = [_call(call, f"{index}.{place}") for place, call in enumerate(answers)]
        start, end = _time(item.get("start_time")), _time(item.get("end_time"))
        span_id = item.get("span_id") if isinstance(item.get("span_id"), str) else None
        duplicate = span_id in self._spans
        if span_id and not duplicate:
            self._spans.add(span_id)
            builder.spans.append(_span(item, agent, span_id, start, end))
        usage, model, attributes = _usage(item.get("step_usage"))
        attributes.update(self._other_fields(item, body, index))
        text = text_of(bounded(body.get("output")))
        step = builder.step(
            kind="action" if calls else "message",
            role="assistant",
            agent=agent,
            native_index=index,
            text=text,
            calls=calls,
            inputs=tuple(inputs),
            span_id=span_id,
            timestamp=start,
            model=model,
            usage=usage,
            flags=("duplicate",) if duplicate else None,
            attributes=attributes or None,
        )
        if text:
            self._said.setdefault(text, step)
        self._add_results(answers, calls, item, index, span_id, end)

    def _add_results(
        self,
        answers: list[dict[str, Any]],
        calls: list[ToolCall],
        item: dict[str, Any],
        index: int,
        span_id: str | None,
        time: datetime | None,
    ) -> None:
        results = [
            (call.name, call.id, value)
            for call, answer in zip(calls, answers, strict=True)
            if (value := _first(answer, _RESULTS)) is not None
        ]
        if item.get("environment"):
            results.append(("environment", None, item["environment"]))
        for tool, call_id, value in results:
            text = text_of(bounded(value))
            self._builder.agent(tool, kind="tool")
            step = self._builder.step(
                kind="result",
                role="tool",
                agent=tool,
                native_index=index,
                text=text,
                call_id=call_id,
                tool=tool,
                error=result_error(value),
                span_id=span_id,
                timestamp=time,
            )
            self._said.setdefault(text, step)

    def _inputs(self, given: Any) -> list[InputMessage]:
        messages = []
        for message in _list(given):
            if not isinstance(message, dict):
                continue
            role = message.get("role")
            text = text_of(bounded(message.get("content")))
            step = self._said.get(text)
            messages.append(
                InputMessage(
                    role=ROLES.get(role, "other") if isinstance(role, str) else "other",
                    step=step,
                    text=text if step is None else "",
                )
            )
        return messages

    def _other_fields(
        self, item: dict[str, Any], body: dict[str, Any], index: int
    ) -> dict[str, Any]:
        others = {key: value for key, value in item.items() if key not in _READ}
        others |= {key: value for key, value in body.items() if key not in _AGENT_READ}
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"items[{index}]": truth})
        return attributes


def _call(call: dict[str, Any], id: str) -> ToolCall:
    name = call.get("tool_name", call.get("name"))
    return ToolCall(
        name=name if isinstance(name, str) and name else "unknown",
        id=id,
        arguments=bounded(parse_arguments(_first(call, _ARGUMENTS))),
    )


def _span(
    item: dict[str, Any], agent: str, id: str, start: datetime | None, end: datetime | None
) -> Span:
    parent = item.get("parent_span_id")
    return Span(
        id=id,
        parent_id=parent if isinstance(parent, str) else None,
        kind="agent",
        name=agent,
        agent=agent,
        start=start,
        end=end,
    )


def _usage(stated: Any) -> tuple[Usage | None, str | None, dict[str, Any]]:
    """Tokens, the model, and what else the item says of its cost."""
    if not isinstance(stated, dict):
        return None, None, {}
    fields = dict(stated)
    given, taken = (
        integer(fields.pop("input_tokens", None)),
        integer(fields.pop("output_tokens", None)),
    )
    model = fields.pop("model", None)
    usage = Usage(input=given, output=taken) if given is not None or taken is not None else None
    return usage, model if isinstance(model, str) else None, split_truth(fields).attributes


def _time(value: Any) -> datetime | None:
    """Nanoseconds since 1970, written as text."""
    nanoseconds = integer(value)
    if nanoseconds is None:
        return None
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _first(fields: dict[str, Any], keys: Sequence[str]) -> Any:
    return next((fields[key] for key in keys if fields.get(key) is not None), None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
