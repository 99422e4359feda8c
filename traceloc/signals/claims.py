"""Claims: verification without an act, conclusions, doubts, and words that a result contradicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import LexicalIndex, TokenKind, TraceGraph
from traceloc.graph.lexical import clip
from traceloc.signals.family import Family, at, before, first, quote_step
from traceloc.signals.phrases import found_phrase, themes

_THEMES = {
    "hedge": "is unsure of what it says",
    "verify": "speaks of verification",
    "conclude": "draws a conclusion",
    "complain": "finds fault with something",
    "admit": "admits or corrects a mistake",
    "give_up": "says that something could not be found or done",
    "done": "reports something as done",
    "request": "asks others for something",
}
"""Themes of :mod:`traceloc.signals.phrases`, and what a step does that uses one."""
_ASSERTING = (" is ", " are ", " was ", " were ")
_EQUATIONS = re.compile(r"[=≈]\s*[-$€£]?\d")
RARE = 12
"""Steps in which a value may occur at most to point at the one that brings it in."""
LOOK_BACK = 4
"""Steps before a step in which a number it may have misread is looked for."""
MAX_COMPARED = 48
"""Numbers of a step that are compared with those of the result before it."""


class ClaimsSignal(Family):
    """What a step asserts, and whether anything stands behind it."""

    name = "claims"
    features = (
        *(Feature(theme, claim) for theme, claim in _THEMES.items()),
        Feature(
            "verifies_unseen",
            "claims to have verified and does nothing to verify",
            sign=1,
            prior=0.4,
            fault=True,
        ),
        Feature(
            "concludes_without_tool",
            "concludes before any tool has returned anything",
            sign=1,
            prior=0.3,
            fault=True,
        ),
        Feature("first_conclusion", "is the first to conclude", sign=1, prior=0.4),
        Feature("first_complaint", "is the first to find fault"),
        Feature(
            "complained_of_next",
            "is found fault with in the next step of another agent",
            sign=1,
            prior=0.4,
            fault=True,
        ),
        Feature(
            "complained_of_soon",
            "is found fault with within three steps",
            sign=1,
            prior=0.2,
            fault=True,
        ),
        Feature(
            "before_first_complaint",
            "is the last step before anybody finds fault",
            sign=1,
            prior=0.2,
        ),
        Feature(
            "named_in_complaints",
            "brings in values that are named where fault is found later",
            sign=1,
            prior=0.15,
            fault=True,
        ),
        Feature("complaints_before", "comes after complaints", sign=-1),
        Feature(
            "corrected_by_self",
            "is taken back by the same agent later",
            sign=1,
            prior=0.3,
            fault=True,
        ),
        Feature("asserts", "asserts much", sign=1),
        Feature("equations", "states results of calculations", sign=1, prior=0.1),
        Feature(
            "near_miss",
            "states a number that differs by a digit from one it was given",
            sign=1,
            prior=2.0,
            fault=True,
        ),
        Feature("drops_result", "leaves out what the result before it says", sign=1, fault=True),
        Feature("follows_result", "rests on the result before it"),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting = graph.is_acting
        theme = themes(graph)
        acts = graph.outcome_of >= 0
        complains = (theme["complain"] + theme["admit"] > 0) & acting
        concludes = (theme["conclude"] > 0) & acting
        nobody = before(graph.is_environment) == 0
        following = graph.following(acting)
        agents = graph.agent_of
        other = at(agents, following) != agents
        next_complains = (at(complains, following) > 0) & other & acting
        soon = np.zeros(n, np.float32)
        for distance in (1, 2, 3):
            soon += at(complains, np.arange(n) + distance)
        overlap, dropped = self._overlap(graph)
        return {
            **{name: np.log1p(theme[name]) for name in _THEMES},
            "verifies_unseen": (theme["verify"] > 0) & acting & ~acts,
            "concludes_without_tool": concludes & nobody,
            "first_conclusion": first(concludes),
            "first_complaint": first(complains),
            "complained_of_next": next_complains,
            "complained_of_soon": np.log1p(soon) * acting,
            "before_first_complaint": _step_before(first(complains), graph.preceding(acting)),
            "named_in_complaints": _named_in(graph, complains) * acting,
            "complaints_before": np.log1p(before(complains)) * acting,
            "corrected_by_self": _taken_back(graph, theme["admit"] > 0),
            "asserts": np.log1p(_count(graph, _assertions)),
            "equations": np.log1p(_count(graph, _equations)),
            "near_miss": _near_misses(graph),
            "drops_result": dropped,
            "follows_result": overlap,
        }

    def _overlap(self, graph: TraceGraph) -> tuple[NDArray[Any], NDArray[Any]]:
        """Share of the previous result's values that a step takes up, and that it leaves out."""
        n = len(graph)
        taken, dropped = np.zeros(n, np.float32), np.zeros(n, np.float32)
        index, environment = graph.lexical, graph.is_environment
        for i in np.flatnonzero(graph.is_acting[1:] & environment[:-1]) + 1:
            given = index.values(int(i) - 1)
            if 0 < len(given) <= 200:
                kept = np.isin(given, index.ids(int(i)), assume_unique=True).mean()
                taken[i], dropped[i] = kept, 1 - kept
        return taken, dropped

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        theme = {"verifies_unseen": "verify", "first_conclusion": "conclude"}.get(feature, feature)
        if theme in _THEMES and (phrase := found_phrase(graph, step, theme)):
            return f"{phrase.strip()!r}", [quote_step(graph, step, pattern=phrase)]
        here = quote_step(graph, step)
        if feature == "near_miss":
            pairs = _near_pairs(graph, step)[:3]
            said = "; ".join(f"{mine} where {given} was given" for mine, given, _ in pairs)
            cites = [quote_step(graph, step, pattern=mine) for mine, _, _ in pairs[:1]]
            cites += [quote_step(graph, where, pattern=given) for _, given, where in pairs[:1]]
            return said, cites or [here]
        if feature in ("drops_result", "follows_result"):
            return "", [here, quote_step(graph, step - 1)]
        if feature in ("complained_of_next", "complained_of_soon", "before_first_complaint"):
            for later in range(step + 1, min(step + 8, len(graph))):
                for name in ("complain", "admit"):
                    if graph.is_acting[later] and (phrase := found_phrase(graph, later, name)):
                        return "", [here, quote_step(graph, later, pattern=phrase)]
        return "", [here]


def _named_in(graph: TraceGraph, marked: NDArray[Any]) -> NDArray[Any]:
    """Rarer values that each step brings in and that marked steps after it name, damped."""
    index, n = graph.lexical, len(graph)
    said = marked[index.step_of] & (index.kinds[index.tokens] >= TokenKind.SMALL)
    words, steps = index.tokens[said], index.step_of[said]
    source = index.first_step[words]
    rare = (source >= 0) & (source < steps) & (index.frequency[words] <= RARE)
    return np.log1p(np.bincount(source[rare], minlength=n)[:n])


def _step_before(chosen: NDArray[Any], preceding: NDArray[Any]) -> NDArray[Any]:
    mask = np.zeros(len(chosen), bool)
    for i in np.flatnonzero(chosen).tolist():
        if preceding[i] >= 0:
            mask[preceding[i]] = True
    return mask


def _taken_back(graph: TraceGraph, admits: NDArray[Any]) -> NDArray[Any]:
    """Steps whose agent admits a mistake in its next step."""
    mask = np.zeros(len(graph), bool)
    last: dict[str, int] = {}
    acting = graph.is_acting.tolist()
    for s in graph.steps:
        if acting[s.index]:
            if admits[s.index] and s.agent in last:
                mask[last[s.agent]] = True
            last[s.agent] = s.index
    return mask


def _count(graph: TraceGraph, count: Callable[[str], int]) -> NDArray[Any]:
    """What a count gives for each step that an agent took."""
    column = np.zeros(len(graph), np.float32)
    for i in np.flatnonzero(graph.is_acting).tolist():
        column[i] = count(clip(graph.steps[i].text))
    return column


def _assertions(text: str) -> int:
    return sum(text.count(verb) for verb in _ASSERTING)


def _equations(text: str) -> int:
    # The literal test spares most texts the expression.
    return len(_EQUATIONS.findall(text)) if "=" in text or "≈" in text else 0


def _near_misses(graph: TraceGraph) -> NDArray[Any]:
    column = np.zeros(len(graph), np.float32)
    candidates = graph.is_acting & (_last_given(graph) >= 0)
    for i in np.flatnonzero(candidates).tolist():
        column[i] = np.log1p(len(_near_pairs(graph, i)))
    return column


def _last_given(graph: TraceGraph) -> NDArray[Any]:
    """The last step of the environment that stands at most ``LOOK_BACK`` steps before each step."""
    last = graph.preceding(graph.is_environment)
    return np.where(np.arange(len(graph)) - last <= LOOK_BACK, last, -1)


def _near_pairs(graph: TraceGraph, step: int) -> list[tuple[str, str, int]]:
    """New numbers of a step, the numbers returned just before that they nearly are, and where."""
    index = graph.lexical
    new = index.introduced(step)
    new = new[index.kinds[new] == TokenKind.NUMBER][:MAX_COMPARED]
    if not len(new):
        return []
    given = [
        (theirs, source)
        for source in range(max(0, step - LOOK_BACK), step)
        if graph.is_environment[source]
        for theirs in index.spell(_numbers(index, source)[:MAX_COMPARED].tolist())
    ]
    pairs = []
    for mine in index.spell(new.tolist()):
        for theirs, source in given:
            if _nearly_same(mine.replace(",", ""), theirs.replace(",", "")):
                pairs.append((mine, theirs, source))
                break
    return pairs


def _numbers(index: LexicalIndex, step: int) -> NDArray[Any]:
    ids = index.values(step)
    return np.asarray(ids[index.kinds[ids] == TokenKind.NUMBER])


def _nearly_same(left: str, right: str) -> bool:
    """Numbers of at least three digits that differ in one digit or by swapping two neighbours."""
    if len(left) != len(right) or len(left) < 3:
        return False
    differing = [k for k in range(len(left)) if left[k] != right[k]]
    if len(differing) == 1:
        # 2019 and 2020 are two years, not a slip: the last digits of a count go up by themselves.
        return differing[0] < len(left) - 1 and not (len(left) == 4 and left[:2] in ("19", "20"))
    if len(differing) == 2 and differing[1] == differing[0] + 1:
        a, b = differing
        return left[a] == right[b] and left[b] == right[a]
    return False
