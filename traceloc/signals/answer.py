"""Answer origin: the step where the final answer, or what it holds, first appears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import Origin, TokenKind, TraceGraph
from traceloc.graph.lexical import tokenize
from traceloc.graph.task import ANSWER_LOOK_BACK, ANSWER_MARKS, asked, compile_marks
from traceloc.signals.family import Family, first, quote_step

_MARKS = (*ANSWER_MARKS, "result:", "output:")
_MARK = compile_marks(_MARKS)
MIN_TOKENS = 3


def _states(text: str) -> bool:
    """Whether a text has a mark of an answer; the literal search spares the expression's cost."""
    lowered = text.lower()
    return any(mark in lowered for mark in _MARKS)


class AnswerSignal(Family):
    """Where the answer comes from."""

    name = "answer"
    features = (
        Feature("is_final", "gives the final answer", "system", sign=1),
        Feature("brings_in", "first brings in what the final answer holds", sign=1, prior=0.2),
        Feature("brings_in_share", "brings in a large part of the final answer", sign=1, prior=0.8),
        Feature("overlap", "holds what the final answer holds", sign=1, prior=0.3),
        Feature("first_full", "is the first to hold the whole answer", sign=1),
        Feature(
            "first_stated", "is the first step of an agent to state the answer", sign=1, prior=0.3
        ),
        Feature("read_from_tool", "is the first to take the answer from a tool's result"),
        Feature("after_answer", "comes after the answer was first there", "system"),
        Feature("states_answer", "states an answer in so many words", sign=1),
        Feature(
            "first_states", "is the first to state an answer in so many words", sign=1, prior=0.3
        ),
        Feature(
            "unsupported",
            "states an answer that no tool's result and no task holds",
            sign=1,
            prior=0.6,
            fault=True,
        ),
        Feature("differs", "states another answer than the final one"),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting = graph.is_acting
        final, ids = final_answer(graph)
        stated = np.fromiter(
            (bool(acting[s.index] and _states(s.text[-1500:])) for s in graph.steps), bool, n
        )
        columns: dict[str, NDArray[Any]] = {
            feature.name: np.zeros(n, np.float32) for feature in self.features
        }
        columns["states_answer"] = stated
        columns["first_states"] = first(stated)
        if final < 0:
            return columns
        is_final = np.zeros(n, bool)
        is_final[final] = True
        columns["is_final"] = is_final
        if not len(ids):
            return columns
        index = graph.lexical
        wanted = np.zeros(len(index.kinds), bool)
        wanted[ids] = True
        overlap = index.count(wanted[index.tokens]) / len(ids)
        origin = index.first_step[ids]
        unsupported = float((index.first_origin[ids] == Origin.AGENT).mean())
        brought = np.bincount(origin[origin >= 0], minlength=n).astype(np.float32)
        full = overlap >= 0.999
        first_full = first(full)
        by_agent = first(full & acting)
        after_tool = np.zeros(n, bool)
        where = np.flatnonzero(by_agent)
        if len(where) and np.flatnonzero(full)[0] < where[0]:
            after_tool[where[0]] = True
        arrived = int(np.flatnonzero(first_full)[0]) if first_full.any() else n
        columns |= {
            "brings_in": (brought > 0) & acting,
            "brings_in_share": brought / len(ids) * acting,
            "overlap": overlap * acting,
            "first_full": first_full & acting,
            "first_stated": by_agent,
            "read_from_tool": after_tool,
            "after_answer": acting & (np.arange(n) > arrived),
            "unsupported": unsupported * (overlap > 0.5) * acting,
            "differs": stated & (overlap < 0.5),
        }
        return columns

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        final, ids = final_answer(graph)
        index = graph.lexical
        if feature.startswith(("brings", "first_full", "overlap", "first_stated")) and final >= 0:
            held = ids[np.isin(ids, index.ids(step))]
            words = index.spell(held.tolist())[:4]
            cites = [quote_step(graph, step, pattern=words[0] if words else None)]
            if final != step:
                cites.append(quote_step(graph, final, pattern=words[0] if words else None))
            return ", ".join(words), cites
        found = _MARK.search(graph.steps[step].text)
        return "", [quote_step(graph, step, pattern=found[0] if found else None)]


def final_answer(graph: TraceGraph) -> tuple[int, NDArray[Any]]:
    """The step that gives the final answer, -1 without any, and the ids of the answer's values.

    That is the last of the final acting steps that says more than a word of parting; what the task
    itself states is no part of the answer.
    """
    return graph.memo("final_answer", _find_answer)


def _find_answer(graph: TraceGraph) -> tuple[int, NDArray[Any]]:
    index = graph.lexical
    acting = np.flatnonzero(graph.is_acting)[::-1][:ANSWER_LOOK_BACK].tolist()
    final = next((i for i in acting if _states(graph.steps[i].text)), None)
    if final is None:
        final = next((i for i in acting if index.lengths[i] >= MIN_TOKENS), -1)
    if final < 0:
        return -1, np.zeros(0, np.int32)
    given = asked(graph)
    ids = index.ids(final)
    marks = list(_MARK.finditer(graph.steps[final].text))
    if marks:
        said = {word.lower() for word in tokenize(graph.steps[final].text[marks[-1].end() :][:400])}
        narrowed = [i for i in ids.tolist() if index.spell([i])[0].lower() in said]
        ids = np.asarray(narrowed, np.int32) if narrowed else ids
    values = ids[(index.kinds[ids] >= TokenKind.SMALL) & ~np.isin(ids, given)]
    if not len(values):
        values = ids[(index.frequency[ids] <= 8) & ~np.isin(ids, given)]
    return int(final), values[:64]
