"""Messages of a run, with what the list of turns says beside them."""

from __future__ import annotations

import re
from typing import Any

from traceloc.loading import TraceBuilder, text_of
from traceloc.trace import StepError, ToolCall
from traceloc_plugins.facts import word
from traceloc_plugins.openai_chat.content import read_content
from traceloc_plugins.records import bounded, drain, split_truth
from traceloc_plugins.turns import Turns

MAIN = "swe-agent"
_UNNAMED = frozenset({"main", "primary"})
"""What every run calls its agent."""
_COMMANDS = frozenset(
    {
        "open",
        "create",
        "edit",
        "insert",
        "goto",
        "scroll_up",
        "scroll_down",
        "find_file",
        "search_dir",
        "search_file",
        "str_replace_editor",
        "filemap",
        "submit",
        "exit_forfeit",
    }
)
"""Tools of the agent-computer interface; anything else is a command of the shell."""
_FAILED = re.compile(
    r"Your proposed edit has introduced new syntax error|Your edit was NOT applied"
    r"|No replacement was performed|Text not found\. |: command not found"
    r"|EXECUTION TIMED OUT|COMMAND TIMED OUT"
)
"""How the interface says in words that an action was not carried out."""
_READ = frozenset(
    ("role", "content", "agent", "message_type", "thought", "action", "tool_calls", "is_demo")
)
_BULK = frozenset(("action", "observation", "response", "thought", "messages", "query"))
"""Fields of a turn that repeat the messages."""


def read_history(builder: TraceBuilder, history: list[Any], turns: list[Any]) -> str | None:
    """Add a run's steps; gives the task."""
    reader = _Reader(builder, turns)
    if history:
        for native, message in drain(history):
            reader.guard(reader.message, message, native)
        reader.rest(len(history))
    else:
        for native, turn in enumerate(turns):
            reader.guard(reader.turn, turn, native)
    return reader.turns.first_request


class _Reader:
    def __init__(self, builder: TraceBuilder, turns: list[Any]) -> None:
        self.builder = builder
        self.turns = Turns(builder)
        self._beside = turns
        self._done = 0
        """Turns that messages were found for."""
        self._matches = False
        """Whether the last of them is the turn of its message."""
        self._open: dict[str, str] = {}
        self._native = 0

    def guard(self, read: Any, item: Any, native: int) -> None:
        """Add one item; what cannot be read is noted."""
        if not isinstance(item, dict):
            self.builder.note("skipped", "items that are no message")
            return
        try:
            read(item, native)
        except (ValueError, RecursionError):
            self.builder.note("skipped", "messages that cannot be represented")

    def message(self, message: dict[str, Any], native: int) -> None:
        """Add a message of the history."""
        role, agent = message.get("role"), _agent(message)
        text = text_of(bounded(message.get("content")))
        others = {key: value for key, value in message.items() if key not in _READ}
        others.pop("tool_call_ids", None)
        place: dict[str, Any] = {
            "native_index": native,
            "attributes": self._known(others, native) or None,
        }
        if message.get("is_demo") is True:
            self._demonstration(role, text, place)
        elif role == "system":
            self.turns.instruct(agent, text, **place)
        elif role == "assistant":
            self._emit(message, agent, text, native, place)
        elif self._open and (role == "tool" or message.get("message_type") != "user"):
            self._result(message, text, place)
        else:
            self.turns.ask(text, to=(agent,), **place)

    def _known(self, fields: dict[str, Any], native: int) -> dict[str, Any]:
        """Fields without the ground truth among them, which goes elsewhere."""
        attributes, truth = split_truth(bounded(fields))
        if truth:
            self.builder.truth(**{f"history[{native}]": truth})
        return attributes

    def turn(self, turn: dict[str, Any], native: int) -> None:
        """Add a turn, where there are no messages."""
        place = {"native_index": native}
        text = text_of(bounded(turn.get("thought"))) or text_of(bounded(turn.get("response")))
        message = {"action": turn.get("action"), "thought": text}
        self._emit(message, MAIN, text, native, place)
        if self._open:
            self._result({}, text_of(bounded(turn.get("observation"))), place)

    def rest(self, after: int) -> None:
        """Add turns that became no message, since nobody was told of them any more.

        Args:
            after: Length of the history, from which their positions are counted on.
        """
        if not self._matches:
            return
        done = self._beside[self._done - 1]
        text = text_of(bounded(done.get("observation")))
        if self._open and text:
            self._result({}, text, {"native_index": self._native})
        for place, turn in enumerate(self._beside[self._done :]):
            self.builder.note("inferred", "turns without a message stand behind the history")
            self.guard(self.turn, turn, after + place)

    def _demonstration(self, role: Any, text: str, place: dict[str, Any]) -> None:
        self.builder.agent("demonstration", kind="system", attribution="role")
        self.builder.step(
            kind="event",
            role="assistant" if role == "assistant" else "user",
            agent="demonstration",
            text=text,
            flags=("demo",),
            **place,
        )

    def _emit(
        self, message: dict[str, Any], agent: str, text: str, native: int, place: dict[str, Any]
    ) -> None:
        self._open.clear()
        self._native = native
        calls = list(read_content({"tool_calls": message.get("tool_calls")}).calls)
        action = message.get("action")
        if not calls and isinstance(action, str) and action.strip():
            first = action.split(maxsplit=1)[0]
            name = first if first in _COMMANDS else "bash"
            calls = [ToolCall(name=name, id=f"action {native}", arguments={"command": action})]
        thought = word(message.get("thought"))
        beside: Any = self._beside[self._done] if self._done < len(self._beside) else None
        matches = isinstance(beside, dict) and beside.get("action") == action
        if calls or matches:
            self._done += 1
            self._matches = matches
            if matches:
                facts = self._known(
                    {k: v for k, v in beside.items() if k not in _BULK and v}, native
                )
                known = place.get("attributes") or {}
                place = {**place, "attributes": {**known, **facts} or None}
        self._open = {call.id: call.name for call in calls if call.id}
        said = thought.strip() if thought and calls else text
        self.turns.say(agent, said, calls=calls, **place)

    def _result(self, message: dict[str, Any], text: str, place: dict[str, Any]) -> None:
        ids = message.get("tool_call_ids")
        named = [id for id in ids if word(id) in self._open] if isinstance(ids, list) else []
        call_id = named[0] if named else next(iter(self._open))
        failed = _FAILED.search(text[:2000])
        error = StepError(kind="tool", message=failed[0], declared=False) if failed else None
        tool = self._open.pop(call_id)
        self.turns.answer(text, call_id=call_id, tool=tool, error=error, **place)


def _agent(message: dict[str, Any]) -> str:
    name = word(message.get("agent"))
    return MAIN if name is None or name in _UNNAMED else name
