"""Adds Pydantic AI's messages to a trace: requests to a model, and its responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from traceloc.loading import declared_error, parse_arguments, text_of
from traceloc.trace import ErrorKind, StepError, ToolCall, Usage
from traceloc_plugins.records import bounded, id_field, integer, keep_rest, split_truth, text_field
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.turns import Turns

_CALLS = ("tool-call", "builtin-tool-call", "native-tool-call")
_RETURNS = ("tool-return", "builtin-tool-return", "native-tool-return")
_SHOWN = ("finish_reason", "provider_name", "state", "metadata")
_OF_A_MESSAGE = frozenset(
    ("kind", "parts", "timestamp", "instructions", "run_id", "conversation_id", "usage")
) | {"model_name", "provider_response_id", "vendor_id", "provider_url", *_SHOWN[:3]}
_GOOD = ("success", None, "")

Interlude = Callable[[ToolCall], None]
"""Called after a step for each of its calls: where the work of a sub-agent goes."""


def is_message(value: Any) -> bool:
    """Whether a JSON value is a request or response."""
    if not isinstance(value, dict) or value.get("kind") not in ("request", "response"):
        return False
    parts = value.get("parts")
    return isinstance(parts, list) and (
        not parts or any(isinstance(p, dict) and "part_kind" in p for p in parts[:5])
    )


class MessageReader:
    """Adds the history of one agent.

    Args:
        turns: Takes the steps.
        agent: The agent; its messages do not name it.
        offset: Number of messages of other histories before this one.
        boss: The agent that set this one to work, if another did.
        interlude: What happens while a call is worked on.
    """

    def __init__(
        self,
        turns: Turns,
        agent: str,
        *,
        offset: int = 0,
        boss: str | None = None,
        interlude: Interlude | None = None,
    ) -> None:
        self._turns = turns
        self._agent = agent
        self._offset = offset
        self._boss = boss
        self._interlude = interlude
        self._instructions: set[str] = set()
        self._mine: list[int] = []

    def add(self, message: Any, index: int) -> None:
        """Add a message; what cannot be read is noted, and nothing is raised."""
        builder = self._turns.builder
        if not is_message(message):
            builder.note("skipped", "items that are no request or response")
            return
        try:
            message = bounded(message)
            place = self._offset + index
            keep_rest(builder, message, _OF_A_MESSAGE, place=f"messages[{place}]")
            if message["kind"] == "request":
                self._add_request(message, self._offset + index)
            else:
                self._add_response(message, self._offset + index)
        except (ValueError, RecursionError):
            builder.note("skipped", "messages that cannot be represented")

    def _add_request(self, message: dict[str, Any], index: int) -> None:
        rules = text_field(message, "instructions")
        when = moment(nanoseconds(message.get("timestamp")))
        if rules and rules not in self._instructions:
            self._instructions.add(rules)
            step = self._turns.instruct(self._agent, rules, native_index=index, timestamp=when)
            self._mine.append(step)
        for part in message["parts"]:
            if isinstance(part, dict):
                own = moment(nanoseconds(part.get("timestamp")))
                fields = {"native_index": index, "timestamp": own or when}
                self._mine += self._add_part(part, fields)

    def _add_part(self, part: dict[str, Any], fields: dict[str, Any]) -> Iterator[int]:
        kind = part.get("part_kind")
        turns = self._turns
        if kind == "system-prompt":
            yield turns.instruct(self._agent, _words(part), **fields)
        elif kind == "user-prompt" and self._boss:
            yield turns.builder.step(
                kind="handoff",
                role="user",
                agent=self._boss,
                text=_words(part),
                to=(self._agent,),
                flags=("copied_context",),
                **fields,
            )
        elif kind == "user-prompt":
            yield turns.ask(_words(part), to=(self._agent,), **fields)
        elif kind in _RETURNS or (kind == "retry-prompt" and part.get("tool_name")):
            yield self._add_result(part, fields)
        elif kind == "retry-prompt":
            text = _words(part)
            yield turns.builder.step(
                kind="event",
                role="user",
                agent=turns.builder.agent("system", kind="system", attribution="role"),
                text=text,
                to=(self._agent,),
                error=declared_error(text or "the answer was refused", kind="parse"),
                **fields,
            )
        else:
            turns.builder.note("skipped", f"parts of kind {str(kind)[:40]!r}")

    def _add_result(self, part: dict[str, Any], fields: dict[str, Any]) -> int:
        content = part.get("content")
        text = result_text(content)
        outcome = part.get("outcome")
        error: StepError | None = None
        if part["part_kind"] == "retry-prompt":
            # A list tells what was wrong with the arguments, a text what the tool objected to.
            error = declared_error(
                text or "retry", kind="parse" if isinstance(content, list) else None
            )
        elif outcome not in _GOOD:
            denied: ErrorKind | None = "permission" if outcome == "denied" else None
            error = declared_error(text or str(outcome), kind=denied)
        retry = part.get("retry")
        attributes = {"outcome": outcome} if outcome not in _GOOD else {}
        if isinstance(retry, dict):
            attributes["retry"] = retry
        return self._turns.answer(
            text,
            call_id=id_field(part, "tool_call_id"),
            tool=text_field(part, "tool_name"),
            value=content if isinstance(content, dict) else None,
            error=error,
            **{**fields, "attributes": attributes or None},
        )

    def _add_response(self, message: dict[str, Any], index: int) -> None:
        parts = [part for part in message["parts"] if isinstance(part, dict)]
        words, thoughts, calls = [], [], []
        for part in parts:
            kind = part.get("part_kind")
            if kind in _CALLS:
                calls.append(_call(part))
            elif kind == "thinking":
                thoughts.append(text_of(part.get("content")))
            elif kind == "text":
                words.append(text_of(part.get("content")))
            elif kind == "file":
                words.append("[file]")
            elif kind not in _RETURNS:
                self._turns.builder.note("skipped", f"parts of kind {str(kind)[:40]!r}")
        shown = {key: message[key] for key in _SHOWN if message.get(key)}
        attributes, truth = split_truth(shown)
        if truth:
            self._turns.builder.truth(**{f"messages[{index}]": truth})
        fields: dict[str, Any] = {
            "native_index": index,
            "timestamp": moment(nanoseconds(message.get("timestamp"))),
        }
        private = self._boss is not None or self._interlude is not None
        step = self._turns.say(
            self._agent,
            "\n".join(filter(None, words)),
            calls=calls,
            reasoning="\n".join(filter(None, thoughts)),
            inputs=tuple(map(self._turns.repeat, self._mine[-1000:])) if private else None,
            model=text_field(message, "model_name"),
            usage=_usage(message.get("usage")),
            llm_call_id=id_field(message, "provider_response_id", "vendor_id") or f"{index}",
            attributes=attributes or None,
            **fields,
        )
        self._mine.append(step)
        for part in parts:
            if part.get("part_kind") in _RETURNS:
                self._mine.append(self._add_result(part, fields))
        for call in calls:
            if self._interlude:
                self._interlude(call)


def _call(part: dict[str, Any]) -> ToolCall:
    return ToolCall(
        name=text_field(part, "tool_name") or "unknown",
        id=id_field(part, "tool_call_id"),
        arguments=bounded(parse_arguments(part.get("args"))),
    )


def _words(part: dict[str, Any]) -> str:
    content = part.get("content")
    items = content if isinstance(content, list) else [content]
    words = []
    for item in items:
        kind = item.get("kind") if isinstance(item, dict) else None
        words.append(f"[{kind}]" if isinstance(kind, str) and "text" not in kind else text_of(item))
    return "\n".join(filter(None, words))


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("details")
    details = details if isinstance(details, dict) else {}
    cost = usage.get("cost")
    try:
        cost = float(cost) if isinstance(cost, str | float) else None
    except ValueError:
        cost = None
    return Usage(
        input=integer(usage.get("input_tokens", usage.get("request_tokens"))),
        output=integer(usage.get("output_tokens", usage.get("response_tokens"))),
        cache_read=integer(usage.get("cache_read_tokens")),
        cache_write=integer(usage.get("cache_write_tokens")),
        reasoning=integer(details.get("reasoning_tokens")),
        cost_usd=cost,
    )
