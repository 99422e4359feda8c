"""Where a run parts from a passing one and does not come back within two steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from traceloc.repeats.sketch import Item, RunSketch

RECOVERY = 2
"""Steps within which a run may come back to the passing one."""
COMPARED = 3
"""Passing runs that are aligned, by the actions they share; of a long run only the nearest."""
LONG_RUN = 200
BAND = 16
"""Half-width of the band beyond the difference in length."""
MAX_BAND = 64

_OTHER, _OUTLINE, _ACTION, _CONTENT = range(4)
"""How far two items agree: not at all, in agent, kind and tool, in the action, in every word."""
_COST = (3, 1, 0, 0)
_GAP = 2
_ACTIONS_AGREE = 0.3
"""Share of equal actions from which actions are compared, and not only their outline."""


class Divergence(NamedTuple):
    """The first divergence that is not recovered from."""

    position: int | None
    """Position of the item; ``None`` where the run never parts for good."""
    sibling: RunSketch
    """The nearest passing run."""
    expected: Item | None
    """What the passing run does instead; ``None`` where it has ended."""
    likeness: float
    """Share of the longer run that agrees, 0 to 1: how much a divergence means."""


def find_divergence(run: RunSketch, passing: Sequence[RunSketch]) -> Divergence | None:
    """Compare a run with the passing run that is nearest to it.

    Args:
        run: The run that failed.
        passing: Runs of the same task that passed; of equally near ones the first counts.

    Returns:
        What the comparison says; ``None`` without a passing run.
    """
    actions = Counter(item.action for item in run.items)
    shared = [
        sum((actions & Counter(item.action for item in each.items)).values())
        / max(len(run.items), len(each.items))
        for each in passing
    ]
    order = sorted(range(len(passing)), key=lambda i: -shared[i])
    best: Divergence | None = None
    for i in order[: COMPARED if len(run.items) <= LONG_RUN else 1]:
        found = _compare(run, passing[i])
        if best is None or found.likeness > best.likeness:
            best = found
    return best


def _compare(run: RunSketch, sibling: RunSketch) -> Divergence:
    ours, theirs = run.items, sibling.items
    partner = align(ours, theirs)
    agreement = [
        _OTHER if j is None else _agree(item, theirs[j])
        for item, j in zip(ours, partner, strict=True)
    ]
    longer = max(len(ours), len(theirs))
    level = _level(ours, agreement)
    position = next((i for i in range(len(ours)) if _parts(agreement, partner, i, level)), None)
    if position is None and len(theirs) > len(ours) + RECOVERY:
        position = len(ours) - 1  # it stops where the other goes on
    likeness = sum(each >= level for each in agreement) / longer
    if level == _CONTENT:
        # A replay is word for word the same up to where something was changed.
        likeness = 1.0
    elif level == _OUTLINE:
        likeness *= 0.5
    expected = None
    if position is not None:
        j = partner[position]
        if j is None:
            before = [each for each in partner[:position] if each is not None]
            j = before[-1] + 1 if before else 0
        expected = theirs[j] if j < len(theirs) else None
    return Divergence(position, sibling, expected, likeness)


def _level(ours: Sequence[Item], agreement: Sequence[int]) -> int:
    """The finest level at which the two runs agree at all: finer, everything would differ."""
    for item, each in zip(ours, agreement, strict=True):
        if each < _CONTENT:
            break
        if item.acting and item.long:
            return _CONTENT
    acting = [each for item, each in zip(ours, agreement, strict=True) if item.acting]
    equal = sum(each >= _ACTION for each in acting)
    return _ACTION if equal >= _ACTIONS_AGREE * len(acting) else _OUTLINE


def _parts(
    agreement: Sequence[int], partner: Sequence[int | None], position: int, level: int
) -> bool:
    """Whether the item differs and neither of the next two agrees again."""
    window = agreement[position : position + 1 + RECOVERY]
    return all(each < level for each in window)


def _agree(ours: Item, theirs: Item) -> int:
    if ours.action == theirs.action:
        return _CONTENT if ours.content == theirs.content else _ACTION
    return _OUTLINE if ours.outline == theirs.outline else _OTHER


def align(ours: Sequence[Item], theirs: Sequence[Item]) -> list[int | None]:
    """The partner of each of our items in the other run, by banded edit distance.

    Wagner and Fischer (1974) within a diagonal band (Ukkonen 1985): time and memory are linear in
    the length for a given band. Equal actions cost nothing, equal outlines 1, a gap 2, others 3.

    Args:
        ours: Items of one run.
        theirs: Items of the other; what lies beyond the band is not looked at.

    Returns:
        Position in ``theirs`` for each item, ``None`` where it has no partner.
    """
    n, m = len(ours), len(theirs)
    start = 0
    while start < min(n, m) and ours[start].action == theirs[start].action:
        start += 1
    partner: list[int | None] = [*range(start), *[None] * (n - start)]
    ours, theirs = ours[start:], theirs[start:]
    n, m = len(ours), min(len(theirs), len(ours) + MAX_BAND)
    half = min(abs(n - m) + BAND, MAX_BAND + BAND)
    outlines = [item.outline for item in theirs[:m]]
    far = _COST[_OTHER] * (n + m + 1)
    above = {j: _GAP * j for j in range(min(m, half) + 1)}
    moves: list[dict[int, int]] = []
    for i in range(1, n + 1):
        action, outline = ours[i - 1].action, ours[i - 1].outline
        here: dict[int, int] = {}
        moved: dict[int, int] = {}
        for j in range(max(0, min(i - half, m)), min(m, i + half) + 1):
            best, move = above.get(j, far) + _GAP, 1
            if j:
                if theirs[j - 1].action == action:
                    cost = 0
                else:
                    cost = _COST[_OUTLINE if outlines[j - 1] == outline else _OTHER]
                cost += above.get(j - 1, far)
                if cost <= best:
                    best, move = cost, 0
                cost = here.get(j - 1, far) + _GAP
                if cost < best:
                    best, move = cost, 2
            here[j], moved[j] = best, move
        moves.append(moved)
        above = here
    j = min(above, key=lambda each: (above[each] + _GAP * (m - each), -each)) if n else 0
    i = n
    while i:
        move = moves[i - 1].get(j, 1)
        if move == 0:
            partner[start + i - 1] = start + j - 1
            i, j = i - 1, j - 1
        elif move == 1:
            i -= 1
        else:
            j -= 1
    return partner
