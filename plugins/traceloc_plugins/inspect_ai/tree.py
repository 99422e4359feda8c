"""The tree of spans while it is walked: who acts, and what is part of the judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from traceloc.trace import SpanKind
from traceloc_plugins.facts import moment, word
from traceloc_plugins.turns import Turns

_SPANS: dict[str, SpanKind] = {
    "agent": "agent",
    "tool": "tool",
    "handoff": "handoff",
    "solver": "task",
    "solvers": "workflow",
    "subtask": "task",
}
_JUDGING = frozenset({"scorer", "scorers"})


@dataclass(slots=True)
class Frame:
    """A span that is open."""

    id: str
    kind: str
    name: str
    agent: str | None
    judging: bool
    later: list[dict[str, Any]] = field(default_factory=list)
    """Results of the span's tool, which come when it ends."""


class SpanTree:
    """Spans that are open, outermost first; older logs call them steps.

    Args:
        turns: Where agents are introduced, and spans kept.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._frames: list[Frame] = []
        self._begun: dict[str, tuple[dict[str, Any], str | None]] = {}

    @property
    def top(self) -> Frame | None:
        """The innermost one."""
        return self._frames[-1] if self._frames else None

    @property
    def is_judging(self) -> bool:
        """Whether a scorer is at work."""
        return self.top is not None and self.top.judging

    def open(self, event: dict[str, Any], native: int) -> None:
        """Begin a span."""
        kind, name = word(event.get("type")) or "", word(event.get("name")) or ""
        id = word(event.get("id")) or f"step {native}"
        above = self.top
        agent = above.agent if above else None
        if kind == "agent" and name:
            boss = agent if agent != name else None
            self._turns.introduce(name, parent=boss)
            if boss:
                self._turns.builder.agent(boss, kind="orchestrator")
            agent = name
        judging = kind in _JUDGING or self.is_judging
        self._frames.append(Frame(id, kind, name, agent, judging))
        if not judging:
            parent = word(event.get("parent_id")) or (above.id if above else None)
            self._begun[id] = (event, parent)

    def nest(self, id: str, name: str, agent: str) -> None:
        """Begin what older logs keep inside one event."""
        self._frames.append(Frame(id, "nested", name, agent, self.is_judging))

    def close(self, event: dict[str, Any] | None) -> list[dict[str, Any]]:
        """End the span that an event names, and those left open inside it; without one, all.

        An event that names none ends the innermost. Gives the results that waited for the end.
        """
        wanted = word(event.get("id")) if event else None
        if wanted and all(frame.id != wanted for frame in self._frames):
            return []
        results: list[dict[str, Any]] = []
        while self._frames:
            frame = self._frames.pop()
            self._keep(frame, event)
            results += frame.later
            if event is not None and wanted in (None, frame.id):
                break
        return results

    def _keep(self, frame: Frame, event: dict[str, Any] | None) -> None:
        begun, parent = self._begun.pop(frame.id, (None, None))
        if begun is None:
            return
        self._turns.builder.span(
            id=frame.id,
            parent_id=parent,
            kind=_SPANS.get(frame.kind, "other"),
            name=frame.name,
            agent=frame.agent,
            start=moment(begun.get("timestamp")),
            end=moment(event.get("timestamp")) if event else None,
            status="ok" if event else "unknown",
        )
