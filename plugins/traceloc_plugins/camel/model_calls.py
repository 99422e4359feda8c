"""Logs of model calls: each holds the whole history again, and the response."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from traceloc.loading import Source, TraceBuilder
from traceloc.trace import Trace, Usage
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import bounded, id_field, integer, keep_rest, text_field
from traceloc_plugins.spans.messages import Message, read_messages
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.turns import Thread, Turns, as_tool_calls, model_error

_OF_A_CALL = frozenset(
    ("agent_id", "model", "request", "response", "request_timestamp", "response_timestamp")
)
_ROLE = re.compile(
    r"Never forget you are an? (?P<name>[^\n]{1,60}?) and I am an? (?:(?P<peer>[^\n.]{1,60})\.)?"
)
_TASK = re.compile(r"Here is the task: (?P<task>.{1,4000}?)Never forget our task!", re.DOTALL)
_BEGIN = "Now start to give me instructions one by one."
"""What the framework says to the side that instructs, before anybody has spoken."""


def is_model_call(value: Any) -> bool:
    """Whether a JSON value is the log of a model call."""
    if not isinstance(value, dict) or "request_timestamp" not in value:
        return False
    request = value.get("request")
    return isinstance(value.get("agent_id"), str) and isinstance(request, dict)


def read_model_calls(name: str, source: Source, calls: Iterable[dict[str, Any]]) -> Iterator[Trace]:
    """Yield a trace for each agent, of its calls in the order of their time."""
    by_agent: dict[str, list[dict[str, Any]]] = {}
    for call in calls:
        by_agent.setdefault(call["agent_id"], []).append(call)
    for id, own in by_agent.items():
        own.sort(key=lambda call: nanoseconds(call.get("request_timestamp")) or 0)
        builder = TraceBuilder(format=name, source=source.path, dialect="model log")
        trace = _read(builder, id, own)
        if trace.steps:
            yield trace


def _read(builder: TraceBuilder, id: str, calls: list[dict[str, Any]]) -> Trace:
    requests = [_given(call) for call in calls]
    # The id is made anew for every run and says nothing.
    prompt = next((m.text[:8000] for m in requests[0] if m.role == "system"), "") if calls else ""
    play, asked = _ROLE.search(prompt), _TASK.search(prompt)
    role, peer = (play["name"].strip(), play["peer"]) if play else (None, None)
    peer = peer.strip() if peer else None
    agent = role or "assistant"
    turns = Turns(builder)
    turns.introduce(agent, attribution="guess" if role else "role")
    thread = Thread(turns, agent)
    seen: list[tuple[str, str, str | None]] = []
    for index, (call, given) in enumerate(zip(calls, requests, strict=True)):
        keep_rest(builder, call, _OF_A_CALL, place=f"calls[{index}]")
        # What the last request held already, and the response it got, are steps.
        fresh = _after(given, seen)
        when = moment(nanoseconds(call.get("request_timestamp")))
        for message in fresh:
            if message.role == "assistant" and turns.has_said("assistant", message.text):
                continue
            if peer is None or message.role != "user":
                thread.add(message, native_index=index, timestamp=when)
            elif message.text.startswith(_BEGIN):
                extra: dict[str, Any] = {"kind": "event", "flags": ("synthetic",)}
                thread.add(message, native_index=index, timestamp=when, **extra)
            else:  # in a role play the user is the other agent
                turns.introduce(peer, attribution="guess")
                turns.say(
                    peer,
                    message.text,
                    kind="message",
                    to=(agent,),
                    native_index=index,
                    timestamp=when,
                )
        config = call["request"].get("model_config_dict")
        add_tools(builder, bounded(config.get("tools")) if isinstance(config, dict) else None)
        said = _respond(turns, agent, call, given, index)
        seen = [*map(_key, given), *said]
    task = asked["task"].strip() if asked else turns.first_request
    return builder.build(id=id, task=task, attributes={"agent_id": id})


def _given(call: dict[str, Any]) -> list[Message]:
    return read_messages(bounded(call["request"].get("messages")))


def _key(message: Message) -> tuple[str, str, str | None]:
    id = message.call_id or next((c.id for c in message.calls if c.id), None)
    return message.role, message.text.strip(), id


def _after(given: list[Message], seen: list[tuple[str, str, str | None]]) -> list[Message]:
    """The messages that come after what was seen; all of them where the history was cut anew."""
    keys = list(map(_key, given))
    if seen and keys[: len(seen)] == seen:
        return given[len(seen) :]
    known = set(seen)
    return [message for message, key in zip(given, keys, strict=True) if key not in known]


def _respond(
    turns: Turns, agent: str, call: dict[str, Any], given: list[Message], index: int
) -> list[tuple[str, str, str | None]]:
    response = bounded(call.get("response"))
    fields: dict[str, Any] = {
        "native_index": index,
        "timestamp": moment(nanoseconds(call.get("response_timestamp"))),
    }
    body = response if isinstance(response, dict) else {}
    choices = body.get("choices")
    usage = _usage(body.get("usage"))
    said = []
    for choice in choices if isinstance(choices, list) else ():
        inner = choice.get("message") if isinstance(choice, dict) else None
        for message in read_messages([inner], "assistant"):
            turns.say(
                agent,
                message.text,
                calls=as_tool_calls(message.calls),
                reasoning=message.reasoning,
                inputs=turns.given(given),
                model=text_field(call, "model"),
                usage=usage,
                llm_call_id=id_field(body, "id"),
                **fields,
            )
            usage = None
            said.append(_key(message))
    if not said:
        text = text_field(body, "error") or (response if isinstance(response, str) else "")
        if text:
            turns.builder.step(
                kind="event",
                role="system",
                agent=agent,
                text=text,
                error=model_error(text) if "error" in text.lower() else None,
                **fields,
            )
        else:
            turns.builder.note(
                "missing", "the response to some model calls, which failed or have not ended"
            )
    return said


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return Usage(
        input=integer(usage.get("prompt_tokens")),
        output=integer(usage.get("completion_tokens")),
        cache_read=integer(details.get("cached_tokens")) if isinstance(details, dict) else None,
    )
