"""Writes messages as steps: who said them, what was called, who was set to work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traceloc.loading import TraceBuilder, parse_arguments
from traceloc.loading.bounding import bounded, is_deep
from traceloc.trace import StepError, ToolCall
from traceloc_plugins.facts import moment, word
from traceloc_plugins.langgraph.messages import Entry, Failure, model_of, usage_of
from traceloc_plugins.langgraph.namespaces import agent_in, is_inner
from traceloc_plugins.langgraph.words import read_words
from traceloc_plugins.records import split_truth
from traceloc_plugins.spans.messages import Message
from traceloc_plugins.turns import Turns, as_tool_calls

_READ = frozenset(
    {"content", "type", "name", "tool_calls", "tool_call_id", "status", "usage_metadata", "role"}
    | {"invalid_tool_calls", "additional_kwargs", "tool_call_chunks", "example", "chunk_position"}
)
_SAID_AGAIN = frozenset({"tool_calls", "function_call", "reasoning_content"})
"""Of ``additional_kwargs``: what the model's API sent, and the message states in its own words."""
_NOTHING: tuple[Any, ...] = (None, [], {})
_TELLING = 8
"""Shortest argument that is taken for a task when it comes back as a message."""
_PERSONS = frozenset({"user", "human", "customer", "you"})
_NO_NAMES = frozenset({"langgraph", "assistant", "unknown", "ai"})


class Scribe:
    """Writes messages as steps.

    Args:
        builder: The trace under construction.
        entries: All of them, to know who takes part.
    """

    def __init__(self, builder: TraceBuilder, entries: Sequence[Entry | Failure]) -> None:
        self._builder = builder
        self._first_person: str | None = None
        self._next: dict[int, str | None] = {}
        """Who speaks next after each prompt, by its position."""
        self._passed_on: dict[str, tuple[int, str | None]] = {}
        """Steps whose call has a text as an argument: how a task gets to a sub-agent."""
        names: dict[str, None] = {}
        speaker = None
        for entry in reversed(entries):
            if not isinstance(entry, Entry):
                continue
            if entry.fields["type"] == "ai":
                speaker = self._stated_name(entry)
                names.update({speaker: None} if speaker else {})
            elif entry.fields["type"] in ("system", "human"):
                self._next[entry.position] = speaker
        self._unnamed = next(iter(names), None) if len(names) == 1 else None
        self.turns = Turns(builder, names)

    def write(self, entry: Entry | Failure) -> None:
        """Write one entry; what cannot be read is noted, and nothing is raised."""
        try:
            if isinstance(entry, Failure):
                self._write_failure(entry)
            else:
                self._write_message(entry)
        except (ValueError, RecursionError):
            self._builder.note("skipped", "messages that cannot be represented", line=entry.line)

    def _write_message(self, entry: Entry) -> None:
        fields = entry.fields
        if is_deep(fields):  # looking takes half as long as a bounded copy
            fields = bounded(fields)
        found = read_words(fields)
        common: dict[str, Any] = {
            "native_index": entry.position,
            "timestamp": moment(entry.time),
            "line": entry.line,
            "attributes": self._other_fields(fields, entry.position),
            "flags": ("duplicate",) if entry.repeated else None,
        }
        if _is_made_up(fields):
            common["flags"] = (*(common["flags"] or ()), "synthetic")
        kind = fields["type"]
        for message in found:
            if kind == "ai" and message.role != "tool":
                self._write_answer(entry, fields, message, common)
            elif message.role == "tool":
                self.turns.answer(
                    message.text,
                    call_id=message.call_id,
                    tool=word(fields.get("name")) if kind in ("tool", "function") else None,
                    failed=message.failed,
                    **common,
                )
            elif message.role == "system":
                agent = self._next.get(entry.position) or self._agent(entry)
                self.turns.instruct(agent, message.text, **common)
            else:
                self._write_words(entry, fields, message, common)

    def _write_answer(
        self, entry: Entry, fields: dict[str, Any], message: Message, common: dict[str, Any]
    ) -> None:
        calls = as_tool_calls(message.calls)
        error = None
        broken = fields.get("invalid_tool_calls")
        for call in broken if isinstance(broken, list) else ():
            if isinstance(call, dict):
                calls = (*calls, _broken_call(call))
                words = word(call.get("error")) or f"arguments of {calls[-1].name} are no JSON"
                error = StepError(kind="parse", message=words[:4000])
        more = fields.get("additional_kwargs")
        thoughts = more.get("reasoning_content") if isinstance(more, dict) else None
        agent = self._agent(entry)
        below = tuple(name for call in calls if (name := _subagent(call)) and name != agent)
        for name in below:
            self.turns.introduce(name, parent=agent)
        step = self.turns.say(
            agent,
            message.text,
            calls=calls,
            to=below or None,
            reasoning=message.reasoning or word(thoughts),
            error=error,
            model=model_of(fields),
            usage=usage_of(fields),
            llm_call_id=word(fields.get("id")),
            **common,
        )
        for call in calls:
            given = call.arguments.values() if isinstance(call.arguments, dict) else ()
            for text in given:
                if isinstance(text, str) and len(text.strip()) >= _TELLING:
                    self._passed_on[text.strip()] = step, _subagent(call)

    def _pass_on(self, caller: int, agent: str, text: str, common: dict[str, Any]) -> None:
        """The task of a sub-agent comes from the agent that called it."""
        made = self._builder.steps[caller]
        if agent not in made.to:
            kind = "handoff" if len(made.tool_calls) == 1 else made.kind
            update = {"to": (*made.to, agent), "kind": kind}
            self._builder.steps[caller] = made.model_copy(update=update)
        self.turns.introduce(agent, parent=made.agent)
        self._builder.step(
            kind="handoff",
            role="user",
            agent=made.agent,
            to=(agent,),
            text=text,
            **{**common, "flags": ("copied_context",)},
        )

    def _write_words(
        self, entry: Entry, fields: dict[str, Any], message: Message, common: dict[str, Any]
    ) -> None:
        """A human message: of a person, or of an agent whose graph passes its words on as such."""
        caller, agent = self._passed_on.get(message.text.strip(), (None, None))
        agent = agent or self._next.get(entry.position)
        if caller is not None and agent and agent != self._builder.steps[caller].agent:
            self._pass_on(caller, agent, message.text, common)
            return
        name = word(fields.get("name")) or (
            word(fields.get("role")) if fields["type"] == "chat" else None
        )
        person = name is None or name.lower() in _PERSONS or name == self._first_person
        if person or self._first_person is None:
            self._first_person = self._first_person or name or "user"
            self.turns.ask(message.text, agent=name or "user", **common)
        else:
            self.turns.say(str(name), message.text, **common)

    def _write_failure(self, failure: Failure) -> None:
        node = failure.node
        agent = agent_in(failure.namespace) or (None if is_inner(node) else node)
        self._builder.step(
            kind="event",
            role="other",
            agent=self.turns.introduce(agent or self._unnamed or "assistant"),
            native_index=failure.position,
            text=failure.text,
            error=failure.error,
            timestamp=moment(failure.time),
            line=failure.line,
        )

    def _agent(self, entry: Entry) -> str:
        if entry.fields["type"] == "ai" and (name := self._stated_name(entry)):
            certainty = "explicit" if word(entry.fields.get("name")) == name else "namespace"
            return self.turns.introduce(name, attribution=certainty)
        name = self._unnamed or "assistant"
        return self.turns.introduce(name, attribution="role" if not self._unnamed else "guess")

    @staticmethod
    def _stated_name(entry: Entry) -> str | None:
        name = word(entry.fields.get("name"))
        if name and not is_inner(name) and name.lower() not in _NO_NAMES:
            return name
        return agent_in(entry.namespace)

    def _other_fields(self, fields: dict[str, Any], position: int) -> dict[str, Any] | None:
        others = {
            key: value
            for key, value in fields.items()
            if key not in _READ and (value or value not in _NOTHING)
        }
        if fields["type"] == "ai":
            others.pop("id", None)
        more = fields.get("additional_kwargs")
        if more and isinstance(more, dict):
            others["additional_kwargs"] = {k: v for k, v in more.items() if k not in _SAID_AGAIN}
        if not others:
            return None
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"messages[{position}]": truth})
        return attributes or None


def _subagent(call: ToolCall) -> str | None:
    """Whom a call of deep agents' own tool sets to work."""
    given = call.arguments if call.name == "task" else None
    return word(given.get("subagent_type")) if isinstance(given, dict) else None


def _broken_call(call: dict[str, Any]) -> ToolCall:
    return ToolCall(
        name=word(call.get("name")) or "unknown",
        id=word(call.get("id")),
        arguments=parse_arguments(call.get("args")),
    )


def _is_made_up(fields: dict[str, Any]) -> bool:
    """Whether the framework wrote the message to tell that control went back."""
    about = fields.get("response_metadata")
    return isinstance(about, dict) and about.get("__is_handoff_back") is True
