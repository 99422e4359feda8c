"""What has been said so far, so that repeated inputs point at the step they repeat."""

from __future__ import annotations

from typing import Any

from traceloc_plugins.spans.calls import canonical
from traceloc_plugins.spans.messages import Message, json_text
from traceloc_plugins.spans.values import decoded

_TELLING = 8
"""Shortest argument that is taken for a task when it comes back as a message."""

_LONGEST_JSON = 20_000
"""Longer results are compared as they stand."""


class Conversation:
    """Finds the step that a message repeats, in constant time per message."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], list[int]] = {}
        self._calls: dict[str, int] = {}
        self._results: dict[str, int] = {}
        self._same_calls: dict[tuple[str, str], list[int]] = {}
        self._passed_on: dict[str, int] = {}

    def said(self, role: str, text: str, step: int) -> None:
        """Remember the words of a step."""
        if key := _key(role, text):
            self._said.setdefault((role, key), []).append(step)

    def called(self, call_id: str, name: str, arguments: Any, step: int) -> None:
        """Remember which step made a call."""
        self._calls[call_id] = step
        self._same_calls.setdefault((name, canonical(arguments)), []).append(step)
        for value in arguments.values() if isinstance(arguments, dict) else (arguments,):
            if isinstance(value, str) and len(text := value.strip()) >= _TELLING:
                self._passed_on[text] = step

    def passed_on(self, text: str) -> int | None:
        """The step whose call has this text as an argument: how a task gets to a sub-agent."""
        return self._passed_on.get(text.strip())

    def answered(self, call_id: str, step: int) -> None:
        """Remember which step brought a call's result."""
        self._results[call_id] = step

    def caller(self, call_id: str | None) -> int | None:
        """The step that made a call."""
        return self._calls.get(call_id) if call_id else None

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
        if message.call_id is not None:
            found = self._results.get(message.call_id)
            if found is not None:
                return found
        for call in message.calls:
            if call.id is not None and (found := self._calls.get(call.id)) is not None:
                return found
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
