"""Conversations of the V1 agent SDK: a folder with a state, and a file for each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from traceloc.loading import (
    Source,
    TraceBuilder,
    declared_error,
    exit_error,
    parse_arguments,
    text_of,
)
from traceloc.trace import StepError, ToolCall, Trace, Usage
from traceloc_plugins.facts import moment, usage_from, word
from traceloc_plugins.openai_chat.loader import OpenAIChatLoader
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.openhands.steps import Writer, hand_over
from traceloc_plugins.records import bounded, integer, keep_fields, split_truth

_KINDS = frozenset(
    {
        "SystemPromptEvent",
        "SystemPromptUpdateEvent",
        "MessageEvent",
        "ActionEvent",
        "ObservationEvent",
        "AgentErrorEvent",
        "UserRejectObservation",
        "Condensation",
        "CondensationRequest",
        "CondensationSummaryEvent",
        "ConversationStateUpdateEvent",
        "ConversationErrorEvent",
        "PauseEvent",
        "TokenEvent",
    }
)
_USAGE = {"prompt_tokens": "input", "completion_tokens": "output"}
_FAILED = frozenset({"error", "stuck"})
_SOURCES = frozenset({"agent", "user", "environment", "hook"})
_EVERYWHERE = ("id", "timestamp", "source", "kind")


def is_event(record: Any) -> bool:
    """Whether a record is an event."""
    return (
        isinstance(record, dict)
        and word(record.get("kind")) in _KINDS
        and {"source", "timestamp"} <= record.keys()
    )


def is_later_event(record: Any) -> bool:
    """Whether a record is an event of a kind that a later version has."""
    return (
        isinstance(record, dict)
        and (word(record.get("kind")) or "").endswith("Event")
        and word(record.get("source")) in _SOURCES
        and {"timestamp", "id"} <= record.keys()
    )


def is_state(record: dict[str, Any]) -> bool:
    """Whether a record is the state a conversation was left in."""
    return {"agent", "workspace", "execution_status"} <= record.keys() and "id" in record


def read_conversations(
    sources: Sequence[Source], folder_of: Callable[[Source], Path]
) -> Iterator[Trace]:
    """A trace for each conversation; model calls that belong to none are chats."""
    events: list[tuple[str, str, int, dict[str, Any]]] = []
    states: list[dict[str, Any]] = []
    loose: list[Source] = []
    responses: dict[str, Usage] = {}
    for source in sources:
        for value, _ in source.documents():
            for place, item in enumerate(value if isinstance(value, list) else [value]):
                if is_event(item) or is_later_event(item):
                    # Times first: how files are called and listed is not the source's order.
                    events.append((str(item["timestamp"]), source.path, place, item))
                elif isinstance(item, dict) and is_state(item):
                    states.append(item)
                elif isinstance(item, dict) and isinstance(item.get("response"), dict):
                    loose.append(source)
                    _keep_usage(item, responses)
                else:
                    source.report("record is no event of a conversation", code="TL120")
    if events:
        path = str(folder_of(sources[0])) if len(sources) > 1 else sources[0].path
        told = [event for *_, event in sorted(events, key=lambda entry: entry[:3])]
        yield _Reader(path, responses).read(told, states[0] if states else {})
    elif loose:
        yield from OpenAIChatLoader().load(loose)
    elif states:
        sources[0].report("the conversation's events are missing", code="TL106")


def _keep_usage(record: dict[str, Any], responses: dict[str, Usage]) -> None:
    response = record["response"]
    usage = usage_from(response.get("usage"), _USAGE)
    if usage is not None and (id := word(response.get("id"))):
        responses[id] = usage


class _Reader:
    def __init__(self, path: str, responses: dict[str, Usage]) -> None:
        self.builder = TraceBuilder(format="openhands", source=path, dialect="v1")
        self.writer = Writer(self.builder)
        self._usage = responses
        self._skipped: Counter[str] = Counter()
        self._model: str | None = None

    def read(self, events: list[dict[str, Any]], state: dict[str, Any]) -> Trace:
        agent = state.get("agent")
        llm = agent.get("llm") if isinstance(agent, dict) else None
        self._model = word(llm.get("model")) if isinstance(llm, dict) else None
        self.writer.turns.introduce(self.writer.agent, attribution="role", model=self._model)
        for native, event in enumerate(events):
            try:
                self._event(event, native)
            except (ValueError, RecursionError):
                self.builder.note("skipped", "events that cannot be represented")
        for kind, count in sorted(self._skipped.items()):
            self.builder.note("note", f"{count} events of type {kind!r} are no steps")
        status = word(state.get("execution_status"))
        if status in _FAILED:
            self.builder.outcome("failed", source="error", detail=status)
        id = word(state.get("id"))
        facts = {key: value for key, value in state.items() if key not in ("id", "agent")}
        return self.builder.build(
            id=id,
            session_id=id,
            task=self.writer.turns.first_request,
            attributes=keep_fields(self.builder, bounded(facts)),
        )

    def _event(self, event: dict[str, Any], native: int) -> None:
        kind, id = event["kind"], word(event.get("id"))
        if kind in ("SystemPromptEvent", "SystemPromptUpdateEvent"):
            self._tools(event.get("tools"))
            text = text_of(bounded(event.get("system_prompt")))
            self.writer.instruct(text, event=id, **_place(event, native, "system_prompt", "tools"))
        elif kind == "MessageEvent":
            self._message(event, id, native)
        elif kind == "ActionEvent":
            self._action(event, id, native)
        elif kind in ("ObservationEvent", "AgentErrorEvent", "UserRejectObservation"):
            self._observation(event, id, native)
        elif kind == "Condensation":
            gone = event.get("forgotten_event_ids")
            self.writer.condense(
                text_of(bounded(event.get("summary"))),
                forgotten=[i for i in gone if isinstance(i, str)] if isinstance(gone, list) else [],
                event=id,
                **_place(event, native, "summary", "forgotten_event_ids"),
            )
        elif kind == "ConversationErrorEvent":
            text = text_of(bounded(event.get("detail"))) or "error"
            error = declared_error(text, type=word(event.get("code")), kind=None)
            self.writer.tell(text, error=error, **_place(event, native, "detail", "code"))
            self.builder.outcome("failed", source="error", detail=text[:500])
        elif kind == "PauseEvent":
            self.writer.tell("paused", **_place(event, native))
        else:
            self._skipped[str(kind)] += 1

    def _message(self, event: dict[str, Any], id: str | None, native: int) -> None:
        message = event.get("llm_message")
        message = message if isinstance(message, dict) else {}
        text = text_of(bounded(message.get("content")))
        place = _place(event, native, "llm_message", "llm_response_id", "activated_skills")
        if message.get("role") != "assistant" and event.get("source") != "agent":
            self.writer.ask(text, event=id, **place)
            return
        response = word(event.get("llm_response_id"))
        self.writer.act(
            None,
            text,
            event=id,
            response=response,
            reasoning=_reasoning(message),
            usage=self._usage.pop(response or "", None),
            model=self._model,
            **place,
        )

    def _action(self, event: dict[str, Any], id: str | None, native: int) -> None:
        raw, action = event.get("tool_call"), event.get("action")
        raw = raw if isinstance(raw, dict) else {}
        action = bounded(action) if isinstance(action, dict) else {}
        arguments = bounded(parse_arguments(raw.get("arguments")))
        if arguments is None:
            arguments = {key: value for key, value in action.items() if key != "kind"}
        call = ToolCall(
            name=word(event.get("tool_name")) or word(raw.get("name")) or "unknown",
            id=word(event.get("tool_call_id")) or word(raw.get("id")) or id,
            arguments=arguments,
        )
        text = text_of(bounded(event.get("thought")))
        if not text and call.name == "finish":
            text = text_of(action.get("message"))
        response = word(event.get("llm_response_id"))
        used = ("thought", "action", "tool_call", "tool_name", "tool_call_id", "reasoning_content")
        place = _place(event, native, *used, "thinking_blocks", "llm_response_id")
        step = self.writer.act(
            call,
            text,
            event=id,
            response=response,
            reasoning=_reasoning(event),
            usage=self._usage.pop(response or "", None),
            model=self._model,
            **place,
        )
        if call.name.startswith(("delegate", "task")):
            hand_over(self.writer, step, _helpers(action))

    def _observation(self, event: dict[str, Any], id: str | None, native: int) -> None:
        seen = event.get("observation")
        seen = bounded(seen) if isinstance(seen, dict) else {}
        text = text_of(seen.get("content"))
        error: StepError | None = None
        if event["kind"] == "AgentErrorEvent":
            text = text_of(bounded(event.get("error"))) or "error"
            error = declared_error(text)
        elif event["kind"] == "UserRejectObservation":
            text = text_of(bounded(event.get("rejection_reason"))) or "rejected"
            error = StepError(kind="user_rejection", message=text[:500])
        elif seen.get("is_error") is True:
            error = declared_error(text or "the tool failed")
        else:
            error = _exit_error(seen)
        call_id = word(event.get("tool_call_id"))
        if not self.writer.is_open(call_id):
            call_id = word(event.get("action_id"))
        used = ("observation", "error", "rejection_reason", "tool_name", "tool_call_id")
        place = _place(event, native, *used, "action_id")
        facts = {key: value for key, value in seen.items() if key not in ("content", "is_error")}
        place["attributes"] = {**facts, **(place["attributes"] or {})} or None
        tool = word(event.get("tool_name"))
        self.writer.answer(
            text,
            event=id,
            call_id=call_id,
            tool=tool,
            error=error,
            exit_code=integer(seen.get("exit_code")),
            **place,
        )

    def _tools(self, tools: Any) -> None:
        """Tools that were offered, in the SDK's own shape or the API's."""
        for tool in tools if isinstance(tools, list) else ():
            if isinstance(tool, dict) and (name := word(tool.get("title"))):
                schema = bounded(tool.get("parameters", tool.get("input_schema")))
                description = word(tool.get("description"))
                self.builder.tool(name, description=description, parameters=schema)
            else:
                add_tools(self.builder, [tool])


def _helpers(action: dict[str, Any]) -> list[str]:
    """Names of the agents that a delegating action sets to work."""
    tasks, ids = action.get("tasks"), action.get("ids")
    if isinstance(tasks, dict):
        return [name for name in tasks if name]
    if isinstance(ids, list):
        return [name for name in ids if isinstance(name, str)]
    name = word(action.get("subagent_type")) or word(action.get("agent"))
    return [name] if name else []


def _reasoning(holder: dict[str, Any]) -> str | None:
    if text := word(holder.get("reasoning_content")):
        return text
    told: list[str] = []
    blocks = holder.get("thinking_blocks")
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, dict) and (text := word(block.get("thinking"))):
            told.append(text)
    return "\n".join(told) or None


def _exit_error(seen: dict[str, Any]) -> StepError | None:
    error = exit_error(code := integer(seen.get("exit_code")))
    late = error and (seen.get("timeout") is True or code == -1)
    return error.model_copy(update={"kind": "timeout"}) if error and late else error


def _place(event: dict[str, Any], native: int, *used: str) -> dict[str, Any]:
    others = {k: v for k, v in event.items() if k not in used and k not in _EVERYWHERE}
    return {
        "native_index": native,
        "timestamp": moment(event.get("timestamp")),
        "attributes": split_truth(others).attributes or None,
    }
