"""What has been said so far, so that repeated inputs point at the step they repeat."""

from __future__ import annotations

from typing import Any

from traceloc_plugins.spans.calls import canonical
from traceloc_plugins.spans.messages import Call, Message
from traceloc_plugins.spans.returned import json_text
from traceloc_plugins.spans.values import decoded

_TELLING = 8
"""Shortest argument that is taken for a task when it comes back as a message."""

_LONGEST_JSON = 20_000
"""Longer results are compared as they stand."""


class Conversation:
    """Finds the step that a message repeats, in constant time per message."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], list[int]] = {}
        self._calls: dict[str, list[int]] = {}
        self._asked: dict[tuple[str, str], list[int]] = {}
        self._results: dict[str, list[int]] = {}
        self._brought: dict[tuple[str, str], list[int]] = {}
        self._same_calls: dict[tuple[str, str], list[int]] = {}
        self._passed_on: dict[str, int] = {}

    def said(self, role: str, text: str, step: int) -> None:
        """Remember the words of a step."""
        if key := _key(role, text):
            self._said.setdefault((role, key), []).append(step)

    def called(self, call_id: str, name: str, arguments: Any, step: int) -> None:
        """Remember which step made a call."""
        asked = canonical(arguments)
        self._calls.setdefault(call_id, []).append(step)
        self._asked.setdefault((call_id, f"{name} {asked}"), []).append(step)
        self._same_calls.setdefault((name, asked), []).append(step)
        for value in arguments.values() if isinstance(arguments, dict) else (arguments,):
            if isinstance(value, str) and len(text := value.strip()) >= _TELLING:
                self._passed_on[text] = step

    def passed_on(self, text: str) -> int | None:
        """The step whose call has this text as an argument: how a task gets to a sub-agent."""
        return self._passed_on.get(text.strip())

    def answered(self, call_id: str, step: int, text: str) -> None:
        """Remember which step brought a call's result."""
        self._results.setdefault(call_id, []).append(step)
        self._brought.setdefault((call_id, _key("tool", text)), []).append(step)

    def results(self, call_id: str | None) -> list[int]:
        """The steps that brought results of calls with this id, in order."""
        return self._results.get(call_id or "", [])

    def caller(self, call_id: str | None) -> int | None:
        """The step that made a call."""
        made = self._calls.get(call_id) if call_id else None
        return made[-1] if made else None

    def has_said(self, role: str, text: str) -> bool:
        """Whether some step said exactly this."""
        return (role, _key(role, text)) in self._said

    def find(self, message: Message, times: dict[tuple[str, str], int]) -> int | None:
        """The step a message repeats.

        Args:
            message: One message of an input.
            times: How often this input has said what it says, counted here: the second "go on"
                of a conversation is not the first one again.
        """
        if message.call_id is not None and message.call_id in self._results:
            return self._result(message.call_id, message.text, times)
        for call in message.calls:
            if call.id is not None and (made := self._calls.get(call.id)):
                return self._maker(call, made, times)
        text = _key(message.role, message.text)
        if not text and message.calls:
            # Responses items have two ids, and some instrumentations repeat the other one.
            call = message.calls[0]
            return _nth(self._same_calls, (call.name, canonical(call.arguments)), times)
        if not text:
            return None
        role = message.role
        if (role, text) not in self._said and (role != "system"):
            # Another agent's words come back as a user message, a result as plain text.
            role = next((r for r in ("assistant", "tool") if (r, text) in self._said), role)
        return _nth(self._said, (role, text), times)

    def _result(self, call_id: str, text: str, times: dict[tuple[str, str], int]) -> int | None:
        """The result of a call; of several calls with one id, the one that says the same."""
        if len(self._calls.get(call_id, ())) < 2:
            return self._results[call_id][-1]
        return _nth(self._brought, (call_id, _key("tool", text)), times)

    def _maker(self, call: Call, made: list[int], times: dict[tuple[str, str], int]) -> int:
        """The step that made a call; of several calls with one id, the one that asks the same."""
        if len(made) < 2:
            return made[-1]
        key = (call.id or "", f"{call.name} {canonical(call.arguments)}")
        found = _nth(self._asked, key, times)
        return made[-1] if found is None else found


def _key(role: str, text: str) -> str:
    """What two texts share that say the same: JSON that a tool returned is spaced as one likes."""
    text = text.strip()
    if role == "tool" and text[:1] in ("{", "[") and len(text) <= _LONGEST_JSON:
        return json_text(decoded(text))
    return text


def _nth(
    known: dict[tuple[str, str], list[int]],
    key: tuple[str, str],
    times: dict[tuple[str, str], int],
) -> int | None:
    steps = known.get(key)
    if not steps:
        return None
    count = times[key] = times.get(key, 0) + 1
    return steps[count - 1] if count <= len(steps) else None
