"""Events of ADK, in all spellings: camel case, snake case, and that before 1.0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

from traceloc.loading import TraceBuilder
from traceloc.trace import InputMessage, ToolCall, Usage
from traceloc_plugins.records import bounded, id_field, integer, split_truth, text_field
from traceloc_plugins.spans.returned import result_text
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.spelling import snake
from traceloc_plugins.turns import MAX_INPUTS, Turns, model_error

_TRANSFERS = frozenset(("transfer_to_agent", "transfer_to_other_agent"))
_READ = frozenset(
    ("id", "timestamp", "content", "author", "partial", "usage_metadata", "error_code")
) | {"error_message", "model_version", "actions", "branch", "invocation_id", "node_info"}
_PARTS = frozenset(
    """
    text thought thought_signature inline_data file_data function_call function_response
    executable_code code_execution_result video_metadata
    """.split()
)
"""What parts of a content are made of."""
_DEFAULTS: tuple[Any, ...] = ({}, [], "", False, None)
_CODE = "code_execution"


def is_event(value: Any) -> bool:
    """Whether a JSON value is an event of a session."""
    if not isinstance(value, dict) or not isinstance(value.get("author"), str):
        return False
    if "invocationId" not in value and "invocation_id" not in value:
        return False
    content = value.get("content")
    return content is None or (isinstance(content, dict) and ("parts" in content or not content))


class EventReader:
    """Adds the events of one session to a trace.

    Args:
        builder: The trace under construction.
        events: All events, as parsed.
    """

    def __init__(self, builder: TraceBuilder, events: Sequence[Any]) -> None:
        self._builder = builder
        self._events = [bounded(event) if is_event(event) else None for event in events]
        authors = (event["author"] for event in self._events if event)
        self.turns = Turns(builder, (a for a in authors if a and a != "user"))
        self._branches: list[tuple[str, int]] = []
        self._waiting: dict[str, list[str]] = {}
        self._seen: set[str] = set()

    def read(self) -> None:
        """Add all events; what cannot be read is noted."""
        for index, event in enumerate(self._events):
            if event is None:
                self._builder.note("skipped", "items that are no event of a session")
                continue
            try:
                self._add(snake(event), index)
            except (ValueError, RecursionError):
                self._builder.note("skipped", "events that cannot be represented")

    def _add(self, event: dict[str, Any], index: int) -> None:
        if event.get("partial") is True:
            self._builder.note("skipped", "streamed pieces of answers that follow whole")
            return
        author = text_field(event, "author") or "agent"
        actions = snake(event.get("actions"))
        branch = text_field(event, "branch") or ""
        id = id_field(event, "id")
        fields: dict[str, Any] = {
            "native_index": index,
            "timestamp": moment(nanoseconds(event.get("timestamp"))),
            "attributes": self._others(event, actions, index),
        }
        if id and id in self._seen:
            fields["flags"] = ("duplicate",)
        self._seen.add(id or "")
        first = len(self._builder.steps)
        content = event.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        parts = [_stated(part) for part in parts] if isinstance(parts, list) else []
        for kind in (key for part in parts for key in part if key not in _PARTS):
            self._builder.note("skipped", f"parts of kind {kind[:64]!r}")
        if author == "user" and not any("function_response" in part for part in parts):
            text = _words(parts)
            if text or parts:
                self.turns.ask(text, **fields)
            elif (summary := _compacted(actions)) is not None:
                fields["flags"] = ("copied_context",)
                self.turns.tell(summary, **fields)
            else:
                self._builder.note("skipped", "events that hold nothing")
        else:
            self._place(event, author)
            self._add_answers(parts, fields)
            self._add_words(event, author, parts, actions, branch, fields)
        self._branches += ((branch, step) for step in range(first, len(self._builder.steps)))

    def _place(self, event: dict[str, Any], author: str) -> None:
        """Where an agent stands in the tree, by its path ``boss@1/clerk@1``."""
        path = text_field(snake(event.get("node_info")), "path") or ""
        names = [piece.partition("@")[0] for piece in path.split("/")][-2:]
        boss = names[0] if len(names) == 2 and names[1] == author != names[0] else None
        self.turns.introduce(author, parent=boss)

    def _add_words(
        self,
        event: dict[str, Any],
        author: str,
        parts: list[dict[str, Any]],
        actions: dict[str, Any],
        branch: str,
        fields: dict[str, Any],
    ) -> None:
        calls = self._calls(parts)
        text = _words(part for part in parts if part.get("thought") is not True)
        thoughts = _words(part for part in parts if part.get("thought") is True)
        error = text_field(event, "error_message", "error_code")
        usage = snake(event.get("usage_metadata"))
        if text or calls or thoughts:
            to = _transfers(calls, author)
            for name in to or ():
                self.turns.introduce(name)
            step = self.turns.say(
                author,
                text,
                calls=calls,
                to=to,
                reasoning=thoughts,
                inputs=self._visible(branch),
                usage=_usage(usage),
                model=text_field(event, "model_version"),
                llm_call_id=id_field(event, "id") if usage else None,
                error=model_error(error) if error else None,
                **fields,
            )
            for call in self._builder.steps[step].tool_calls:
                self._waiting.setdefault(call.name, []).append(call.id or "")
            return
        if any("function_response" in part or "code_execution_result" in part for part in parts):
            return
        target = text_field(actions, "transfer_to_agent")
        changed = bounded(actions.get("state_delta"))
        if not error and not target and not changed and actions.get("escalate") is not True:
            self._builder.note("skipped", "events that hold nothing")
            return
        self._builder.step(
            kind="event" if error or not target else "handoff",
            role="assistant",
            agent=author,
            to=(self.turns.introduce(target),) if target and target != author else None,
            text=error or (to_json(changed).decode() if changed else ""),
            error=model_error(error, type=text_field(event, "error_code")) if error else None,
            **fields,
        )

    def _calls(self, parts: Iterable[dict[str, Any]]) -> list[ToolCall]:
        calls: list[ToolCall] = []
        for part in parts:
            call = part.get("function_call")
            if isinstance(call, dict) and (name := text_field(call, "name")):
                calls.append(
                    ToolCall(name=name, id=id_field(call, "id"), arguments=call.get("args"))
                )
            elif isinstance(code := part.get("executable_code"), dict):
                calls.append(ToolCall(name=_CODE, arguments=code))
        return calls

    def _add_answers(self, parts: Iterable[dict[str, Any]], fields: dict[str, Any]) -> None:
        for part in parts:
            answer = part.get("function_response")
            if isinstance(answer, dict):
                value = answer.get("response")
                only = value.get("result") if isinstance(value, dict) and len(value) == 1 else None
                name, id = text_field(answer, "name"), id_field(answer, "id")
                self.turns.answer(
                    result_text(value if only is None else only),
                    call_id=id,
                    tool=name,
                    value=value,
                    **fields,
                )
            elif isinstance(result := part.get("code_execution_result"), dict):
                failed = "OUTCOME_OK" not in str(result.get("outcome") or "OUTCOME_OK")
                text = text_field(result, "output") or ""
                self.turns.answer(text, tool=_CODE, failed=failed, **fields)

    def _visible(self, branch: str) -> tuple[InputMessage, ...] | None:
        """What agents that work side by side see: their own branch and what led to it."""
        if not any(other for other, _ in self._branches[-MAX_INPUTS:]):
            return None
        seen = [
            step
            for other, step in self._branches[-MAX_INPUTS:]
            if not other or branch == other or branch.startswith(f"{other}.")
        ]
        return tuple(self.turns.repeat(step) for step in seen)

    def _others(
        self, event: dict[str, Any], actions: dict[str, Any], index: int
    ) -> dict[str, Any] | None:
        others = {k: v for k, v in event.items() if k not in _READ and v not in _DEFAULTS}
        acted = {k: v for k, v in actions.items() if v not in _DEFAULTS}
        acted.pop("transfer_to_agent", None)
        if acted:
            others["actions"] = acted
        if branch := event.get("branch"):
            others["branch"] = branch
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"events[{index}]": truth})
        return attributes or None


def _transfers(calls: Sequence[ToolCall], author: str) -> tuple[str, ...] | None:
    """Whom calls transfer to; ``None`` where there is no transfer among them."""
    if not any(call.name in _TRANSFERS for call in calls):
        return None
    names = [
        name
        for call in calls
        if call.name in _TRANSFERS and isinstance(call.arguments, dict)
        if isinstance(name := call.arguments.get("agent_name"), str) and name and name != author
    ]
    return tuple(dict.fromkeys(names))


def _stated(part: Any) -> dict[str, Any]:
    """A part without the kinds that it is not, which a plain dump gives as null."""
    return {key: value for key, value in snake(part).items() if value is not None}


def _compacted(actions: dict[str, Any]) -> str | None:
    """The summary that stands in later requests for the events before."""
    content = snake(snake(actions.get("compaction")).get("compacted_content"))
    parts = content.get("parts")
    return _words(_stated(part) for part in parts) if isinstance(parts, list) else None


def _words(parts: Iterable[dict[str, Any]]) -> str:
    words = []
    for part in parts:
        if isinstance(text := part.get("text"), str) and text:
            words.append(text)
        elif isinstance(data := part.get("inline_data") or part.get("file_data"), dict):
            kind = data.get("mimeType") or data.get("mime_type") or "file"
            words.append(f"[{kind}]")
    return "\n".join(words)


def _usage(usage: dict[str, Any]) -> Usage | None:
    if not usage:
        return None
    return Usage(
        input=integer(usage.get("prompt_token_count")),
        output=integer(usage.get("candidates_token_count")),
        cache_read=integer(usage.get("cached_content_token_count")),
        reasoning=integer(usage.get("thoughts_token_count")),
    )
