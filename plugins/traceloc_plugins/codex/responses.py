"""What one agent emits: items of a model response gathered into one step, with its usage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from traceloc.loading.builder import lean
from traceloc.trace import InputMessage, ToolCall, Usage
from traceloc_plugins.turns import Turns

MAX_INPUTS = 400
"""Beyond this many steps an agent's inputs are left to mean "everything before"."""


@dataclass
class Voice:
    """One agent's side of a session.

    A response comes as several items: reasoning, words, calls. They are held until something that
    is no part of the response comes.
    """

    turns: Turns
    agent: str
    boss: str | None = None
    """The agent that started this one."""
    said: frozenset[tuple[str, str]] = frozenset()
    """Messages the model was given or wrote, by role and text."""
    model: str | None = None
    tools: dict[str, str] = field(default_factory=dict)
    """Tool of each call."""
    _texts: list[str] = field(default_factory=list)
    _thoughts: list[str] = field(default_factory=list)
    _calls: list[ToolCall] = field(default_factory=list)
    _place: dict[str, Any] | None = None
    _later: list[Callable[[], object]] = field(default_factory=list)
    _heard: list[InputMessage] | None = None
    _steps: dict[str, int] = field(default_factory=dict)
    _counted: Any = None
    _usage: Usage | None = None
    _last: int | None = None

    def __post_init__(self) -> None:
        if self.boss is not None:
            self._heard = []

    def think(self, text: str, **place: Any) -> None:
        """Add reasoning."""
        if text:
            self._open(place)
            self._thoughts.append(text)

    def speak(self, text: str, **place: Any) -> None:
        """Add words."""
        if text:
            self._open(place)
            self._texts.append(text)

    def call(self, call: ToolCall, **place: Any) -> None:
        """Add a call."""
        self._open(place)
        self._calls.append(call)
        if call.id:
            self.tools[call.id] = call.name

    def afterwards(self, write: Callable[[], object]) -> None:
        """Write something that stands among the items of a response, behind the response."""
        if self._place is None:
            write()
        else:
            self._later.append(write)

    def hear(self, step: int) -> None:
        """Note a step the agent is shown."""
        if self._heard is not None:
            self._heard.append(self.turns.repeat(step))

    def compact(self, text: str, **place: Any) -> None:
        """The history was replaced with a summary: from here on the agent knows only that."""
        self.end()
        step = self.turns.tell(text, to=(self.agent,), flags=("copied_context",), **place)
        self._heard = [self.turns.repeat(step)]

    def count(self, usage: Usage | None, total: Any) -> None:
        """Usage of a response; older versions write it before its items, newer ones behind them."""
        if usage is None or (total is not None and total == self._counted):
            return  # repeated for the sake of the rate limits beside it
        self._counted = total
        builder = self.turns.builder
        if self._place is None and self._last is not None:
            step = builder.steps[self._last]
            if step.usage is None:
                builder.steps[self._last] = lean(step.model_copy(update={"usage": usage}))
                return
        self._usage = usage

    def hand_over(self, call_id: str, to: str) -> None:
        """Note that a call set another agent to work."""
        index = self._steps.get(call_id)
        if index is None:
            return
        builder = self.turns.builder
        step = builder.steps[index]
        targets = tuple(dict.fromkeys((*step.to, to)))
        alone = len(targets) >= len(step.tool_calls)
        update = {"to": targets, "kind": "handoff" if alone else step.kind}
        builder.steps[index] = lean(step.model_copy(update=update))

    def end(self) -> None:
        """The response is complete: write its step."""
        if self._place is None:
            return
        index = self.turns.say(
            self.agent,
            "\n".join(self._texts),
            calls=self._calls,
            reasoning="\n".join(self._thoughts),
            model=self.model,
            usage=self._usage,
            inputs=self._inputs(),
            **self._place,
        )
        for call in self._calls:
            if call.id:
                self._steps[call.id] = index
        self.hear(index)
        self._texts, self._thoughts, self._calls = [], [], []
        self._place, self._usage, self._last = None, None, index
        later, self._later = self._later, []
        for write in later:
            write()

    def _open(self, place: dict[str, Any]) -> None:
        if self._place is None:
            self._place = dict(place)
        elif others := place.get("attributes"):
            self._place["attributes"] = {**others, **(self._place.get("attributes") or {})}

    def _inputs(self) -> tuple[InputMessage, ...] | None:
        if self._heard is None or len(self._heard) > MAX_INPUTS:
            return None
        return tuple(self._heard)
