"""Hand-offs and plans: orders not carried out, constraints dropped, stalls, new plans, ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import Origin, TokenKind, TraceGraph
from traceloc.graph.lexical import is_common
from traceloc.graph.task import stated_task
from traceloc.signals.errors import empty_results, failed
from traceloc.signals.family import Family, at, before, first, quote_step
from traceloc.signals.phrases import found_phrase, themes
from traceloc.trace import Step

MIN_ORDER_WORDS = 5
"""Words from which an argument of a hand-over is an order."""


class HandoffSignal(Family):
    """How work is planned, ordered and taken up."""

    name = "handoff"
    features = (
        Feature(
            "order_not_taken_up",
            "answers an order with little of what was ordered",
            sign=1,
            prior=0.3,
            fault=True,
        ),
        Feature("order_taken_up", "answers an order with what was ordered"),
        Feature("ordered", "carries out what another agent ordered", sign=1, prior=0.1),
        Feature("first_ordered", "is the first to carry out an order", sign=1, prior=0.8),
        Feature(
            "order_failed",
            "gives an order whose execution fails or brings nothing",
            sign=1,
            fault=True,
        ),
        Feature("order_repeated", "gives an order again that was given before", fault=True),
        Feature(
            "no_effect",
            "is followed by the same order again, as if nothing had come of it",
            sign=1,
            prior=0.3,
            fault=True,
        ),
        Feature("order_then_stall", "gives the order after which progress stalls"),
        Feature("task_coverage", "holds much of what the task asks for"),
        Feature("task_words", "speaks in the words of the task", sign=1, prior=0.2),
        Feature(
            "drops_task_values",
            "passes the task on without some of its values",
            sign=1,
            prior=0.5,
            fault=True,
        ),
        Feature("plans", "makes a plan"),
        Feature("first_plan", "makes the first plan"),
        Feature("replans", "makes a new plan"),
        Feature("before_replan", "is the last work before a new plan is made", sign=1),
        Feature("replans_before", "comes after new plans were made", sign=-1),
        Feature("stall_noted", "notes that no progress is made"),
        Feature("before_stall", "is the last work before a stall is noted", sign=1, prior=0.2),
        Feature("stalls_before", "comes after noted stalls", sign=-1),
        Feature("stalls_soon", "is followed by noted stalls soon", sign=1),
        Feature(
            "before_first_stall", "is the last work before the first noted stall", sign=1, prior=0.4
        ),
        Feature("speaker_change", "takes over from another agent"),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        acting, theme = graph.is_acting, themes(graph)
        stalled = _stalled(graph)
        replans = (theme["replan"] > 0) & (theme["plan"] > 0) & acting
        planning = (theme["plan"] > 1) & acting
        taken, missed = _taken_up(graph)
        orders = np.fromiter((bool(s.to) for s in graph.steps), bool, n) & acting
        work = acting & ~orders & ~stalled & ~_thoughts(graph)
        coverage, drops = _task_coverage(graph)
        last_work = graph.preceding(work)
        last_order = graph.preceding(orders)
        agents = graph.agent_of
        ordered = np.zeros(n, bool)
        # What a person or a system prompt addresses to an agent is the task, and no order.
        source, target, _ = graph.edges("delegates")
        ordered[target[acting[source]]] = True
        ordered &= acting
        near = np.zeros(n, np.float32)
        for distance in range(1, 7):
            near += at(stalled, np.arange(n) + distance) / distance
        return {
            "order_not_taken_up": missed,
            "order_taken_up": taken,
            "ordered": ordered,
            "first_ordered": first(ordered),
            "order_failed": _failed_orders(graph, orders),
            "order_repeated": _repeated(graph, orders),
            "no_effect": _no_effect(graph, orders),
            "order_then_stall": _marked(last_order, stalled),
            "task_coverage": coverage,
            "task_words": _task_words(graph),
            "drops_task_values": drops,
            "plans": planning,
            "first_plan": first(planning),
            "replans": replans,
            "before_replan": _marked(last_work, replans),
            "replans_before": np.log1p(before(replans)) * acting,
            "stall_noted": stalled,
            "before_stall": _marked(last_work, stalled),
            "stalls_before": np.log1p(before(stalled)) * acting,
            "stalls_soon": near * acting,
            "before_first_stall": _marked(last_work, first(stalled)),
            "speaker_change": acting & (np.diff(agents, prepend=-1) != 0),
        }

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        here = quote_step(graph, step)
        if feature in ("order_not_taken_up", "order_taken_up"):
            orders = graph.edges("delegates")
            givers = orders.source[orders.target == step]
            return "", [here, *(quote_step(graph, int(j)) for j in givers[-1:])]
        if feature == "drops_task_values":
            missing = _missing_values(graph, step)
            return ", ".join(missing[:5]), [here, quote_step(graph, _task_step(graph))]
        if "stall" in feature or "replan" in feature:
            marked = _stalled(graph) if "stall" in feature else themes(graph)["replan"] > 0
            later = int(graph.following(marked)[step])
            if later < len(graph):
                phrase = found_phrase(graph, later, "stall" if "stall" in feature else "replan")
                return "", [here, quote_step(graph, later, pattern=phrase)]
        return "", [here]


def _thoughts(graph: TraceGraph) -> NDArray[Any]:
    return np.fromiter((s.kind == "thought" for s in graph.steps), bool, len(graph))


def _stalled(graph: TraceGraph) -> NDArray[Any]:
    """Steps that note a stall: in a progress ledger, where there is one, else in words."""
    return graph.memo("stalled", _find_stalls)


def _find_stalls(graph: TraceGraph) -> NDArray[Any]:
    spoken = themes(graph)["stall"] > 0
    noted = np.zeros(len(graph), bool)
    for s in graph.steps:
        ledger = s.attributes.get("ledger")
        if isinstance(ledger, dict):
            noted[s.index] = _answer(ledger, "loop") is True or _answer(ledger, "progress") is False
        else:
            noted[s.index] = spoken[s.index]
    return np.asarray(noted & graph.is_acting)


def _answer(ledger: dict[str, Any], word: str) -> Any:
    """The ledger's answer to the question whose key holds a word."""
    for key, value in ledger.items():
        if word in key:
            return value.get("answer") if isinstance(value, dict) else value
    return None


def _taken_up(graph: TraceGraph) -> tuple[NDArray[Any], NDArray[Any]]:
    """Share of an order's values that the ordered step takes up, and of those it misses."""
    n = len(graph)
    taken, missed = np.zeros(n, np.float32), np.zeros(n, np.float32)
    index = graph.lexical
    orders = graph.edges("delegates")
    for source, target in zip(orders.source.tolist(), orders.target.tolist(), strict=True):
        ordered = index.values(source)
        if 0 < len(ordered) <= 400:
            kept = float(np.isin(ordered, index.ids(target), assume_unique=True).mean())
            taken[target], missed[target] = kept, 1 - kept
    return taken, missed


def _failed_orders(graph: TraceGraph, orders: NDArray[Any]) -> NDArray[Any]:
    bad = failed(graph) | empty_results(graph)
    index = np.arange(len(graph))
    return np.asarray((at(bad, index + 1) + at(bad, index + 2)) * orders)


def _repeated(graph: TraceGraph, orders: NDArray[Any]) -> NDArray[Any]:
    mask = np.zeros(len(graph), bool)
    seen: set[tuple[tuple[str, ...], str]] = set()
    for i in np.flatnonzero(orders).tolist():
        step = graph.steps[i]
        key = (step.to, " ".join(step.text.lower().split())[:400])
        mask[i] = key in seen
        seen.add(key)
    return mask


def _no_effect(graph: TraceGraph, orders: NDArray[Any]) -> NDArray[Any]:
    """How alike the orders before and after a step are, for the steps in between."""
    column = np.zeros(len(graph), np.float32)
    index = graph.lexical
    where = np.flatnonzero(orders).tolist()
    for before_it, after_it in pairwise(where):
        left, right = index.ids(before_it), index.ids(after_it)
        shared = np.isin(left, right, assume_unique=True).sum()
        total = len(left) + len(right) - shared
        column[before_it + 1 : after_it] = shared / total if total else 0.0
    return column * graph.is_acting


def _marked(last_work: NDArray[Any], events: NDArray[Any]) -> NDArray[Any]:
    """The work before each event."""
    mask = np.zeros(len(events), bool)
    where = last_work[events]
    mask[where[where >= 0]] = True
    return mask


def _task_values(graph: TraceGraph) -> NDArray[Any]:
    """Ids of the values that the task states."""
    index = graph.lexical
    stated = stated_task(graph)
    values = stated[index.kinds[stated] >= TokenKind.NUMBER]
    return values if len(values) else index.values(_task_step(graph))


def _task_step(graph: TraceGraph) -> int:
    """The step that states the task: the first a person takes, else the first of an agent."""
    for origin in (Origin.HUMAN, Origin.AGENT):
        where = np.flatnonzero(graph.origins == origin)
        if len(where):
            return int(where[0])
    return 0


def _task_coverage(graph: TraceGraph) -> tuple[NDArray[Any], NDArray[Any]]:
    """Share of the task's values in each acting step, and for orders the share that is left out.

    Only an order in words can leave something out: a bare hand-over passes the conversation on.
    """
    n = len(graph)
    values = _task_values(graph)
    if not len(values):
        return np.zeros(n, np.float32), np.zeros(n, np.float32)
    index = graph.lexical
    wanted = np.zeros(len(index.kinds), bool)
    wanted[values] = True
    coverage = index.count(wanted[index.tokens]) / len(values)
    coverage *= graph.is_acting
    orders = np.fromiter((_orders_in_words(s) for s in graph.steps), bool, n) & graph.is_acting
    return coverage, np.where(orders, 1 - coverage, 0).astype(np.float32)


def _orders_in_words(step: Step) -> bool:
    """Whether a step tells another agent what to do, in its text or in the call that hands over."""
    if not step.to or not step.tool_calls:
        return bool(step.to)
    return any(
        isinstance(value, str) and value.count(" ") >= MIN_ORDER_WORDS - 1
        for call in step.tool_calls
        if isinstance(call.arguments, dict)
        for value in call.arguments.values()
    )


def _task_words(graph: TraceGraph) -> NDArray[Any]:
    """Share of the task's words, but for the commonest, in each step that an agent took."""
    index = graph.lexical
    stated = stated_task(graph)
    ids = stated if len(stated) else index.ids(_task_step(graph))
    wanted = np.zeros(len(index.kinds), bool)
    wanted[ids] = True
    wanted[[i for i in ids.tolist() if is_common(index.spelling[i])]] = False
    share = index.count(wanted[index.tokens]) / max(int(wanted.sum()), 1)
    return np.asarray(share * graph.is_acting)


def _missing_values(graph: TraceGraph, step: int) -> list[str]:
    values = _task_values(graph)
    index = graph.lexical
    missing = values[~np.isin(values, index.ids(step))]
    return index.spell(missing.tolist())
