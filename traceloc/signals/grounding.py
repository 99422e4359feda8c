"""Provenance: numbers, names and data that no earlier message or tool output contains.

A made-up value is the one defect that shows in every kind of system: it appears in an agent's words
without a source, and later steps rest on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import Origin, TokenKind, TraceGraph
from traceloc.signals.family import Family, before, first, quote_step, share
from traceloc.signals.kind import has_code
from traceloc.signals.phrases import PHRASES, found_phrase, themes

_DATA_LITERAL = re.compile(r"=\s*[\[{(]\s*(?:\n\s*)?(?:[\"'\d{\[(][^\n]*[,:]){1}")
_THEMES = ("assume", "simulate", "memory", "no_access")


class GroundingSignal(Family):
    """What a step brings in without a source."""

    name = "grounding"
    features = (
        Feature(
            "numbers",
            "states numbers that nothing before it contains",
            sign=1,
            prior=0.1,
            fault=True,
        ),
        Feature("names", "names things that nothing before it mentions", sign=1, prior=0.05),
        Feature(
            "identifiers",
            "uses identifiers that nothing before it contains",
            sign=1,
            prior=0.05,
            fault=True,
        ),
        Feature(
            "links", "gives links that nothing before it contains", sign=1, prior=0.1, fault=True
        ),
        Feature("new_share", "consists largely of words not seen before", sign=1, prior=0.5),
        Feature(
            "new_values_share", "brings in much of what the run ever brings in", sign=1, prior=0.8
        ),
        Feature("number_share", "brings in much of the run's unsourced numbers", sign=1, prior=0.3),
        Feature(
            "numbers_no_tool",
            "states new numbers before any tool has returned anything",
            sign=1,
            prior=0.1,
            fault=True,
        ),
        Feature(
            "numbers_in_words", "states new numbers outside code", sign=1, prior=0.1, fault=True
        ),
        Feature("numbers_in_code", "writes new numbers into code", sign=1, prior=0.1),
        Feature(
            "data_in_code",
            "writes data into code in place of reading it",
            sign=1,
            prior=0.2,
            fault=True,
        ),
        Feature(
            "after_tool_new_numbers",
            "adds numbers that the result before it does not hold",
            sign=1,
            prior=0.1,
            fault=True,
        ),
        Feature(
            "relied_on",
            "brings in unsourced values that later steps rely on",
            sign=1,
            prior=0.1,
            fault=True,
        ),
        Feature(
            "in_answer",
            "brings in unsourced values that the last step still holds",
            sign=1,
            prior=0.3,
            fault=True,
        ),
        Feature("assume", "assumes something", sign=1, prior=0.3, fault=True),
        Feature(
            "simulate", "uses simulated, sample or placeholder data", sign=1, prior=0.5, fault=True
        ),
        Feature("memory", "answers from memory", sign=1, prior=0.2, fault=True),
        Feature(
            "no_access",
            "says that it has no access to what it needs",
            sign=1,
            prior=0.3,
            fault=True,
        ),
        Feature(
            "first_assumption",
            "is the first to assume, simulate or recall",
            sign=1,
            prior=0.4,
            fault=True,
        ),
        Feature(
            "first_numbers",
            "is the first to state numbers without a source",
            sign=1,
            prior=0.2,
            fault=True,
        ),
        Feature(
            "unbacked",
            "states new facts without having looked anything up",
            sign=1,
            prior=0.2,
            fault=True,
        ),
        Feature(
            "unbacked_act",
            "speaks as if it had looked something up, and did not",
            sign=1,
            prior=0.4,
            fault=True,
        ),
        Feature("all_numbers", "is full of numbers", sign=1),
        Feature(
            "assume_and_data",
            "assumes or simulates and states new numbers",
            sign=1,
            prior=0.5,
            fault=True,
        ),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        index = graph.lexical
        acting = graph.is_acting
        kinds = index.kinds[index.tokens]
        new = index.first_step[index.tokens] == index.step_of
        new &= index.first_origin[index.tokens] != Origin.INPUT
        new &= acting[index.step_of]
        numbers = index.count(new & (kinds == TokenKind.NUMBER))
        names = index.count(new & (kinds == TokenKind.NAME))
        values = index.count(new & (kinds >= TokenKind.NUMBER))
        distinct = np.diff(index.offsets).astype(np.float32)
        code = has_code(graph)
        theme = themes(graph)
        returned = before(graph.is_environment) > 0
        assumed = sum((theme[name] for name in ("assume", "simulate", "memory")), np.zeros(n)) > 0
        relied, answered = self._reliance(graph, new & (kinds >= TokenKind.NUMBER))
        after_tool = np.zeros(n, bool)
        after_tool[1:] = graph.is_environment[:-1]
        idle = acting & ~after_tool & (graph.outcome_of < 0)
        return {
            "numbers": np.log1p(numbers),
            "names": np.log1p(names),
            "identifiers": np.log1p(index.count(new & (kinds == TokenKind.IDENTIFIER))),
            "links": np.log1p(index.count(new & (kinds == TokenKind.LINK))),
            "new_share": index.count(new) / np.maximum(distinct, 8),
            "new_values_share": share(values),
            "number_share": share(numbers),
            "numbers_no_tool": np.log1p(numbers) * ~returned,
            "numbers_in_words": np.log1p(numbers) * ~code,
            "numbers_in_code": np.log1p(numbers) * code,
            "data_in_code": _data_in_code(graph, code),
            "after_tool_new_numbers": np.log1p(numbers) * after_tool,
            "relied_on": np.log1p(relied),
            "in_answer": np.log1p(answered),
            **{name: np.log1p(theme[name]) for name in _THEMES},
            "first_assumption": first(assumed & acting),
            "first_numbers": first(numbers >= 2),
            "unbacked": np.log1p(values) * idle,
            "unbacked_act": (theme["claims_act"] > 0) & idle,
            "all_numbers": np.log1p(index.count(kinds == TokenKind.NUMBER)) * acting,
            "assume_and_data": (assumed & (numbers >= 2)) * 1.0,
        }

    def _reliance(self, graph: TraceGraph, mask: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Uses elsewhere of the values each step brings in, and how many the last step holds."""
        index = graph.lexical
        n = len(graph)
        ids, steps = index.tokens[mask], index.step_of[mask]
        elsewhere = np.minimum(index.frequency[ids] - 1, 8)
        relied = np.bincount(steps, weights=elsewhere, minlength=n)
        acting = np.flatnonzero(graph.is_acting)
        if not len(acting):
            return relied, np.zeros(n)
        final = np.zeros(len(index.kinds), bool)
        final[index.ids(int(acting[-1]))] = True
        held = final[ids] & (steps != acting[-1])
        return relied, np.bincount(steps[held], minlength=n).astype(np.float64)

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        spoken: dict[str, tuple[str, ...]] = {"unbacked_act": ("claims_act",)}
        if feature.startswith(("first_assumption", "assume_and")):
            spoken[feature] = _THEMES
        for theme in spoken.get(feature, (feature,)):
            if theme in PHRASES and (phrase := found_phrase(graph, step, theme)):
                return f"{phrase.strip()!r}", [quote_step(graph, step, pattern=phrase)]
        index = graph.lexical
        wanted = {
            "names": TokenKind.NAME,
            "identifiers": TokenKind.IDENTIFIER,
            "links": TokenKind.LINK,
        }
        ids = index.introduced(step)
        if "number" in feature or feature in wanted:
            ids = ids[index.kinds[ids] == wanted.get(feature, TokenKind.NUMBER)]
        values = index.spell(ids[np.argsort(-index.frequency[ids], kind="stable")][:6].tolist())
        if not values:
            return "", [quote_step(graph, step)]
        cites = [quote_step(graph, step, pattern=values[0])]
        if feature in ("relied_on", "in_answer"):
            edges = graph.edges("uses")
            later = edges.target[edges.source == step]
            cites += [quote_step(graph, int(j), pattern=values[0]) for j in later[-2:]]
        return ", ".join(values), cites


def _data_in_code(graph: TraceGraph, code: NDArray[Any]) -> NDArray[Any]:
    """Number of literals assigned in code, damped."""
    column = np.zeros(len(graph), np.float32)
    for i in np.flatnonzero(code).tolist():
        column[i] = np.log1p(len(_DATA_LITERAL.findall(graph.content(i))))
    return column
