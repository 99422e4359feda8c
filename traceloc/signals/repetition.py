"""Repetition and loops: the same call again, the same words again, results that do not change."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.signals.family import Family, quote_step
from traceloc.signals.kind import has_code

PROGRAMS = 16
"""Earlier steps with code that a step's code is compared with."""


def call_keys(graph: TraceGraph) -> list[tuple[str, ...]]:
    """Name and arguments of the calls of each step, comparable; empty without calls."""
    return graph.memo("call_keys", _call_keys)


def _call_keys(graph: TraceGraph) -> list[tuple[str, ...]]:
    return [
        tuple(f"{call.name} {to_json(call.arguments).decode()}" for call in s.tool_calls)
        for s in graph.steps
    ]


class RepetitionSignal(Family):
    """How far a step repeats what was done before."""

    name = "repetition"
    features = (
        Feature(
            "same_call", "makes a call that was made before with the same arguments", fault=True
        ),
        Feature("same_text", "says again word for word what was said before", sign=-1),
        Feature("like_own_last", "is much like the same agent's step before"),
        Feature("like_previous", "is much like the step before"),
        Feature("taken_up", "is taken up in the words of the next step", sign=1),
        Feature("starts_loop", "is the first of a series of alike steps", fault=True),
        Feature("no_change", "has the same effect as the act before it", fault=True),
        Feature("same_tool_again", "calls the same tool as the same agent's step before"),
        Feature("new_code", "writes code unlike any before it", sign=1, prior=0.3),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting = graph.is_acting.tolist()
        columns = {feature.name: np.zeros(n, np.float32) for feature in self.features}
        index = graph.lexical
        tokens, offsets = index.tokens.tolist(), index.offsets.tolist()
        seen_calls: set[str] = set()
        seen_texts: set[int] = set()
        last_own: dict[str, tuple[int, set[int], str]] = {}
        before: set[int] = set()
        programs: deque[set[int]] = deque(maxlen=PROGRAMS)
        code = has_code(graph).tolist()
        previous = -1
        result: int | None = None
        keys = call_keys(graph)
        for s in graph.steps:
            i = s.index
            words = set(tokens[offsets[i] : offsets[i + 1]])
            if not acting[i]:
                digest = hash(s.text)
                if result == digest and s.text.strip() and acting[i - 1]:
                    columns["no_change"][i - 1] = 1
                result = digest
                continue
            if keys[i]:
                columns["same_call"][i] = any(key in seen_calls for key in keys[i])
                seen_calls.update(keys[i])
            digest = hash(s.text)
            if len(s.text) > 20:
                columns["same_text"][i] = digest in seen_texts
                seen_texts.add(digest)
            own = last_own.get(s.agent)
            tool = s.tool_calls[0].name if s.tool_calls else ""
            if own is not None:
                alike = _jaccard(words, own[1])
                columns["like_own_last"][i] = alike
                if alike > 0.8 and not columns["like_own_last"][own[0]] > 0.8:
                    columns["starts_loop"][own[0]] = 1
                columns["same_tool_again"][i] = bool(tool) and tool == own[2]
            if code[i] and words:
                known = max((len(words & earlier) for earlier in programs), default=0)
                columns["new_code"][i] = 1 - known / len(words)
                programs.append(words)
            columns["like_previous"][i] = _jaccard(words, before)
            if previous >= 0:
                columns["taken_up"][previous] = len(words & before) / max(len(words), 5)
            previous = i
            last_own[s.agent] = (i, words, tool)
            before = words
        return dict(columns)

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        here = quote_step(graph, step)
        keys = call_keys(graph)
        if feature == "same_call":
            same = [j for j in range(step) if set(keys[j]) & set(keys[step])]
            return "", [here, *(quote_step(graph, j) for j in same[-1:])]
        if feature == "same_text":
            text = graph.steps[step].text
            same = [j for j in range(step) if graph.steps[j].text == text]
            return "", [here, *(quote_step(graph, j) for j in same[:1])]
        if feature == "new_code":
            return "", [here]
        own = graph.is_acting & (graph.agent_of == graph.agent_of[step])
        alike = own if feature not in ("like_previous", "taken_up") else graph.is_acting
        forward = feature in ("starts_loop", "taken_up")
        other = int((graph.following(alike) if forward else graph.preceding(alike))[step])
        return "", [here, *(quote_step(graph, j) for j in (other,) if 0 <= j < len(graph))]


def _jaccard(left: set[int], right: set[int]) -> float:
    if not left or not right:
        return 0.0
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)
