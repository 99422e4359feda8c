"""Items of the Responses API: which steps they make, one for each answer of the model.

An answer is several items in a row: reasoning, words, calls. A result or somebody else's words end
it. Items name no agent; where the caller knows none, a hand-off tells who comes next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from traceloc.loading import TraceBuilder, parse_arguments
from traceloc.trace import StepError, ToolCall, Usage
from traceloc_plugins.facts import moment, word
from traceloc_plugins.records import bounded, id_field, rest_of
from traceloc_plugins.spans.messages import read_messages
from traceloc_plugins.spans.returned import json_text
from traceloc_plugins.turns import Turns

_DEFAULT_ERRORS = ("An error occurred while running the tool", "An error occurred while parsing")
"""What the SDK returns in place of an exception."""
_NOT_APPROVED = "Tool execution was not approved"
_FAILED = frozenset({"failed", "incomplete", "error"})
_HOSTED_ARGUMENTS = ("action", "queries", "code", "arguments", "input", "operation", "prompt")
_HOSTED_RESULTS = ("output", "outputs", "results", "result")
_OF_AN_ITEM = frozenset(
    """
    type role content id call_id callId name server_label arguments status summary rawContent
    encrypted_content error is_error action queries code input operation prompt output outputs
    results result
    """.split()
)
_SILENT = frozenset({"item_reference", "mcp_list_tools", "mcp_approval_request"})


class Item(NamedTuple):
    """One item and what the source says of it."""

    fields: dict[str, Any]
    position: int
    agent: str | None = None
    target: str | None = None
    """The agent that a hand-off leads to."""
    answer: str | None = None
    """Id of the response it came in."""
    time: Any = None
    line: int | None = None


@dataclass(slots=True)
class _Answer:
    """The items of one answer, as they come."""

    first: Item
    words: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    hosted: list[tuple[Item, dict[str, Any]]] = field(default_factory=list)
    """Calls that the model's maker executed, whose results stand in the same item."""
    beside: dict[str, Any] = field(default_factory=dict)
    """What the items say that has no field."""


def kind_of(value: Any) -> str:
    """The type of an item; a message may do without."""
    if not isinstance(value, dict):
        return ""
    kind = value.get("type")
    if isinstance(kind, str):
        return kind
    return "message" if isinstance(value.get("role"), str) and "content" in value else ""


def is_item(value: Any) -> bool:
    """Whether a JSON value can only be an item of the Responses API."""
    kind = kind_of(value)
    if kind.endswith(("_call", "_call_output", "_call_result")):
        return bool({"call_id", "callId", "id"} & value.keys())
    return kind == "reasoning" and "summary" in value


def is_chat_only(value: Any) -> bool:
    """Whether a JSON value is a message as only the older API has it, with its calls inside."""
    if not isinstance(value, dict) or "role" not in value:
        return False
    return value["role"] in ("tool", "function") or not value.keys().isdisjoint(
        ("tool_calls", "function_call", "tool_call_id")
    )


class ItemReader:
    """Writes items as steps.

    Args:
        builder: Takes the steps.
        agents: Names of agents known beforehand.
        start: The agent that works first, where the source says so.
    """

    def __init__(
        self, builder: TraceBuilder, agents: Sequence[str] = (), *, start: str | None = None
    ) -> None:
        self.turns = Turns(builder, agents)
        self.usage: dict[str, tuple[Usage | None, str | None]] = {}
        """Tokens and model by the id of a response."""
        self._builder = builder
        self._speaker = start
        self._open: _Answer | None = None
        self._pending: dict[str, str] = {}
        self._seen: dict[str, int] = {}
        """Where an item was met first: one that holds its own result is placed twice."""

    def add(self, item: Item) -> None:
        """Take in one item; what cannot be read is noted, and nothing is raised."""
        try:
            self._add(item._replace(fields=bounded(item.fields)))
        except (ValueError, RecursionError):
            self._builder.note("skipped", "items that cannot be represented", line=item.line)

    def close(self) -> None:
        """Write the answer that is still open."""
        answer, self._open = self._open, None
        if answer is not None:
            self._write(answer)

    def _add(self, item: Item) -> None:
        kind, fields = kind_of(item.fields), item.fields
        if kind == "message" and fields.get("role") == "assistant":
            answer = self._answer(item)
            if answer.words and item.answer is None:
                self.close()
                answer = self._answer(item)
            answer.words.append(_words(fields))
        elif kind == "reasoning":
            answer = self._answer(item)
            parts = fields.get("summary") or fields.get("content") or fields.get("rawContent")
            answer.thoughts.extend(m.text or m.reasoning for m in read_messages(parts, "other"))
        elif kind.endswith("_call"):
            self._add_call(item, kind)
        else:
            self.close()
            self._builder.beside(self._rest(item))
            self._add_other(item, kind)
            return
        if self._open is not None:
            self._open.beside.update(self._rest(item))

    def _answer(self, item: Item) -> _Answer:
        """The answer an item belongs to: the open one, unless it is another's."""
        before = self._open
        if before is not None:
            other_agent = item.agent is not None and item.agent != before.first.agent
            if other_agent or item.answer != before.first.answer:
                self.close()
        if self._open is None:
            self._open = _Answer(item)
        return self._open

    def _rest(self, item: Item) -> dict[str, Any]:
        place = f"items[{item.position}]"
        return rest_of(self._builder, item.fields, _OF_AN_ITEM, place=place)

    def _add_call(self, item: Item, kind: str) -> None:
        fields, answer = item.fields, self._answer(item)
        name = word(fields.get("name")) or word(fields.get("server_label"))
        name = name or kind.removesuffix("_call")
        arguments = next((fields[key] for key in _HOSTED_ARGUMENTS if key in fields), None)
        id = id_field(fields, "call_id", "callId", "id")
        call = ToolCall(name=name, id=id, arguments=parse_arguments(arguments))
        answer.calls.append(call)
        if item.target:
            answer.targets.append(item.target)
            if id:
                self._pending[id] = item.target
        hosted = not {"call_id", "callId"} & fields.keys()
        if hosted and ({*_HOSTED_RESULTS, "error"} & fields.keys() or _failed(fields)):
            answer.hosted.append((item, fields))

    def _add_other(self, item: Item, kind: str) -> None:
        common = self._place(item)
        if kind.endswith(("_output", "_result")):
            self._add_result(item.fields, common)
        elif kind == "message":
            self._add_message(item, common)
        elif kind in _SILENT or not kind:
            self._builder.note("skipped", f"items of type {kind or 'unknown'!r}", line=item.line)
        else:
            self._builder.agent("system", kind="system", attribution="role")
            text = _plain(item.fields)
            refused = kind == "mcp_approval_response" and item.fields.get("approve") is False
            error = StepError(kind="user_rejection", message=text[:500]) if refused else None
            self._builder.step(
                kind="event", role="other", agent="system", text=text, error=error, **common
            )

    def _add_message(self, item: Item, common: dict[str, Any]) -> None:
        role, text = str(item.fields.get("role")), _words(item.fields)
        if role in ("system", "developer"):
            self.turns.instruct(self._who(item), text, **common)
        else:
            self.turns.ask(text, **common)

    def _add_result(self, fields: dict[str, Any], common: dict[str, Any]) -> None:
        value = next((fields[key] for key in _HOSTED_RESULTS if fields.get(key) is not None), None)
        text = value if isinstance(value, str) else _result_text(value)
        error = None
        stated = fields.get("error")
        if stated:
            words = stated if isinstance(stated, str) else _plain(stated)
            text, error = text or words, StepError(kind="tool", message=words[:4000])
        elif text.startswith(_DEFAULT_ERRORS):
            error = StepError(kind="tool", message=text[:500], declared=False)
        elif text.startswith(_NOT_APPROVED):
            error = StepError(kind="user_rejection", message=text[:500], declared=False)
        id = id_field(fields, "call_id", "callId", "id")
        self.turns.answer(
            text,
            call_id=id,
            tool=word(fields.get("name")),
            failed=_failed(fields) or fields.get("is_error") is True,
            error=error,
            **common,
        )
        handed = self._pending.pop(id or "", None)
        if handed is not None and error is None:
            self._speaker = handed  # from now on the other one answers

    def _write(self, answer: _Answer) -> None:
        first = answer.first
        agent = self._who(first)
        usage, model = self.usage.get(first.answer or "", (None, None))
        known = self.turns
        targets = tuple(dict.fromkeys(answer.targets))
        for target in targets:
            known.introduce(target, attribution="explicit" if first.agent else "guess")
        self._builder.beside(answer.beside)
        known.say(
            agent,
            "\n".join(filter(None, answer.words)),
            calls=answer.calls,
            to=targets,
            kind="handoff" if targets and len(targets) == len(answer.calls) else None,
            reasoning="\n".join(filter(None, answer.thoughts)),
            usage=usage,
            model=model,
            llm_call_id=first.answer,
            **self._place(first),
        )
        for item, fields in answer.hosted:
            self._add_result(fields, self._place(item))

    def _who(self, item: Item) -> str:
        name = item.agent or self._speaker
        if name is None:
            return self.turns.introduce("assistant", attribution="role")
        return self.turns.introduce(name, attribution="explicit" if item.agent else "guess")

    def _place(self, item: Item) -> dict[str, Any]:
        id = id_field(item.fields, "id")
        known = self._seen.setdefault(f"{kind_of(item.fields)}:{id}", item.position)
        repeated = id is not None and known != item.position
        return {
            "native_index": item.position,
            "timestamp": moment(item.time),
            "line": item.line,
            "flags": ("duplicate",) if repeated else None,
        }


def _words(fields: dict[str, Any]) -> str:
    found = read_messages({"role": "assistant", "content": fields.get("content")}, "assistant")
    return "\n".join(message.text for message in found if message.text)


def _result_text(value: Any) -> str:
    if value is None:
        return ""
    found = read_messages({"role": "tool", "content": value}, "tool")
    text = "\n".join(message.text for message in found if message.text)
    return text or _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _failed(fields: dict[str, Any]) -> bool:
    return word(fields.get("status")) in _FAILED
