"""The order of what happened: by time, but never an effect before its cause."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any, Literal

ItemKind = Literal["inputs", "output", "call", "result", "handoff", "event"]
_RANK: dict[ItemKind, int] = {
    "inputs": 0,
    "output": 1,
    "call": 2,
    "handoff": 3,
    "result": 4,
    "event": 5,
}


@dataclass(slots=True)
class Item:
    """Something that may become a step."""

    kind: ItemKind
    node: int
    """Position of the span it came from."""
    time: int
    payload: Any = None
    waits_for: int = 0
    causes: list[Item] = field(default_factory=list)

    def before(self, other: Item) -> None:
        """State that ``other`` cannot have happened earlier."""
        self.causes.append(other)
        other.waits_for += 1


def in_order(items: list[Item]) -> tuple[list[Item], int]:
    """Items by time, ties by place in the file, with causes first; and how many broke the rule."""

    def key(number: int) -> tuple[int, int, int, int]:
        item = items[number]
        return item.time, item.node, _RANK[item.kind], number

    numbers = {id(item): number for number, item in enumerate(items)}
    ready = [key(number) for number, item in enumerate(items) if item.waits_for == 0]
    heapq.heapify(ready)
    ordered: list[Item] = []
    while ready:
        item = items[heapq.heappop(ready)[3]]
        ordered.append(item)
        for effect in item.causes:
            effect.waits_for -= 1
            if effect.waits_for == 0:
                heapq.heappush(ready, key(numbers[id(effect)]))
    if len(ordered) == len(items):
        return ordered, 0
    # Only contradictory records come here: what is left keeps its order in time.
    left = sorted(key(number) for number, item in enumerate(items) if item.waits_for > 0)
    return ordered + [items[entry[3]] for entry in left], len(left)
