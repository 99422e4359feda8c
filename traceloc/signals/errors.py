"""Errors and what follows them: the step whose act failed, the step that passes over a failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import TraceGraph
from traceloc.quoting import shorten
from traceloc.signals.family import Family, at, before, first, last, quote_step
from traceloc.signals.phrases import themes

MAX_DETAIL = 120
"""Characters of an error message that evidence repeats."""

_EMPTY = re.compile(
    r"\s*(?:exit ?code: ?0[^\n]*\n)?(?:code output:)?\s*"
    r"(?:none|null|nan|\[\s*\]|\{\s*\}|\(\s*\)|0(?:\.0+)?|false"
    r"|no (?:results?|output|data|matches)[^\n]{0,40}"
    r"|\"\"|''|empty(?: dataframe[^\n]*)?|not found\.?)?\s*",
    re.IGNORECASE,
)
_EMPTY_INSIDE = re.compile(
    r"(?:no|0|zero) (?:results?|matches|records|rows|data|items|relevant)\b|not found|\b404\b"
    r"|[\"'](?:results?|data|items|rows|matches)[\"']\s*:\s*(?:\[\s*\]|null|None)",
    re.IGNORECASE,
)


def failed(graph: TraceGraph) -> NDArray[Any]:
    """Steps that carry an error; control flow is none."""
    return np.fromiter(
        (s.error is not None and s.error.kind != "control_flow" for s in graph.steps),
        bool,
        len(graph),
    )


def empty_results(graph: TraceGraph) -> NDArray[Any]:
    """Environment steps that brought nothing back: ``[]``, ``None``, ``0``, "no results"."""
    return graph.memo("empty_results", _empty_results)


def _empty_results(graph: TraceGraph) -> NDArray[Any]:
    empty = np.zeros(len(graph), bool)
    for i in np.flatnonzero(graph.is_environment).tolist():
        text = graph.steps[i].text
        if len(text) < 200:
            empty[i] = bool(_EMPTY.fullmatch(text) or _EMPTY_INSIDE.search(text))
        elif len(text) < 4000:
            empty[i] = bool(_EMPTY_INSIDE.search(text[:300]))
    return empty


class ErrorsSignal(Family):
    """Failures around a step."""

    name = "errors"
    features = (
        Feature("failed", "fails itself", sign=-1, fault=True),
        Feature(
            "act_failed", "makes a call or runs code that fails", sign=1, prior=0.3, fault=True
        ),
        Feature(
            "first_act_failed",
            "makes the first call of the run that fails",
            sign=1,
            prior=0.4,
            fault=True,
        ),
        Feature(
            "act_empty", "makes a call that brings nothing back", sign=1, prior=0.2, fault=True
        ),
        Feature("after_error", "comes right after a failure"),
        Feature(
            "ignores_error",
            "goes on after a failure without another try",
            sign=1,
            prior=0.5,
            fault=True,
        ),
        Feature(
            "concludes_after_error",
            "draws a conclusion right after a failure",
            sign=1,
            prior=0.6,
            fault=True,
        ),
        Feature("after_empty", "comes right after a result that holds nothing"),
        Feature(
            "concludes_after_empty",
            "draws a conclusion from a result that holds nothing",
            sign=1,
            prior=0.5,
            fault=True,
        ),
        Feature(
            "before_first_error", "is the last decision before the first failure", sign=1, prior=0.3
        ),
        Feature("before_last_error", "is the last decision before the last failure", sign=1),
        Feature("errors_before", "comes after failures"),
        Feature("errors_soon", "is followed by failures soon", sign=1),
        Feature("after_all_errors", "comes after the last failure"),
        Feature(
            "unrecovered",
            "fails in a way that no later act of this kind repairs",
            sign=1,
            prior=0.5,
            fault=True,
        ),
        Feature("act_succeeds", "makes a call that works"),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting, environment = graph.is_acting, graph.is_environment
        error = failed(graph)
        empty = empty_results(graph)
        outcome = graph.outcome_of
        act_failed = acting & (at(error, outcome) > 0)
        act_empty = acting & (at(empty, outcome) > 0) & ~act_failed
        previous = np.arange(n) - 1
        after_error = acting & (at(error, previous) > 0)
        after_empty = acting & (at(empty, previous) > 0) & ~after_error
        concludes = themes(graph)["conclude"] > 0
        retries = outcome >= 0
        decided = graph.preceding(acting)
        any_failure = error | empty
        soon = at(any_failure, np.arange(n) + 1) + at(any_failure, np.arange(n) + 2)
        errors_before = before(error)
        return {
            "failed": error,
            "act_failed": act_failed,
            "first_act_failed": first(act_failed),
            "act_empty": act_empty,
            "after_error": after_error,
            "ignores_error": after_error & ~retries,
            "concludes_after_error": after_error & concludes,
            "after_empty": after_empty,
            "concludes_after_empty": after_empty & (concludes | ~retries),
            "before_first_error": _points_to(decided, first(error & environment), n),
            "before_last_error": _points_to(decided, last(error & environment), n),
            "errors_before": np.log1p(errors_before) * acting,
            "errors_soon": soon * acting,
            "after_all_errors": acting & (errors_before == error.sum()) & bool(error.any()),
            "unrecovered": act_failed & ~_succeeds_later(graph, outcome, error),
            "act_succeeds": acting & (outcome >= 0) & ~act_failed & ~act_empty,
        }

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        here = quote_step(graph, step)
        where = None
        if feature in ("act_failed", "first_act_failed", "act_empty", "unrecovered"):
            where = int(graph.outcome_of[step])
        elif feature == "after_all_errors":
            where = int(graph.preceding(failed(graph))[step])
        elif feature.startswith(("after", "ignores", "concludes")):
            where = step - 1
        elif feature in ("before_first_error", "before_last_error"):
            later = graph.following(failed(graph))
            where = int(later[step]) if later[step] < len(graph) else None
        if where is None or where < 0:
            return "", [here]
        error = graph.steps[where].error
        detail = shorten(" ".join(error.message.split()), MAX_DETAIL) if error else ""
        return detail, [here, quote_step(graph, where)]


def _points_to(decided: NDArray[Any], chosen: NDArray[Any], n: int) -> NDArray[Any]:
    """The decision that stands before a chosen step."""
    mask = np.zeros(n, bool)
    for i in np.flatnonzero(chosen).tolist():
        if decided[i] >= 0:
            mask[decided[i]] = True
    return mask


def _succeeds_later(graph: TraceGraph, outcome: NDArray[Any], error: NDArray[Any]) -> NDArray[Any]:
    """Whether a later act of the same agent (and tool, where it names one) works."""
    recovered = np.zeros(len(graph), bool)
    working: set[tuple[str, str]] = set()
    for s in reversed(graph.steps):
        result = outcome[s.index]
        if result < 0:
            continue
        keys = [(s.agent, call.name) for call in s.tool_calls] or [(s.agent, "")]
        recovered[s.index] = any(key in working for key in keys)
        if not error[result]:
            working.update(keys)
    return recovered
