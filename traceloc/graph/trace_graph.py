"""TraceGraph: typed edges over the steps of one trace, in arrays, built when asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from traceloc.graph.lexical import LexicalIndex, Origin, TokenKind, clip
from traceloc.trace import AgentKind, Step, Trace

if TYPE_CHECKING:
    import networkx as nx

T = TypeVar("T")
EdgeKind = Literal["next", "reply", "delegates", "calls", "returns", "uses"]
EDGE_KINDS: tuple[EdgeKind, ...] = ("next", "reply", "delegates", "calls", "returns", "uses")
MAX_USES_PER_STEP = 64
"""Values of a step that become ``uses`` edges, rarest first: a bound on what a table can cost."""


MAX_LEAVES = 256
"""Values of one call's arguments that are read."""


class Edges(NamedTuple):
    """Edges of one kind, as parallel arrays sorted by target and source."""

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float32]


class TraceGraph:
    """What signals look at: the steps of one trace and how they hang together.

    * ``next``: the step after.
    * ``reply``: to what a step answers: the last step addressed to its agent that it has not
      answered yet, else the last one that somebody else took.
    * ``delegates``: an order or hand-off to the first step of the agent it names.
    * ``calls`` / ``returns``: from a call to its result, from a result to the caller's next step.
    * ``uses``: a value (number, name, identifier, link) first seen at the source is relied on at
      the target; the weight is the number of such values.

    The trace is blinded first: no truth, outcome, file name or system can be read from here. Two
    threads may share a graph; at worst a part is built twice.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace.blind()
        self.steps: tuple[Step, ...] = self.trace.steps

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def agent_kinds(self) -> dict[str, AgentKind]:
        """Kind of each agent by name."""
        return {agent.name: agent.kind for agent in self.trace.agents}

    @cached_property
    def agent_names(self) -> tuple[str, ...]:
        """Agents in the order of their first step."""
        return tuple(dict.fromkeys(step.agent for step in self.steps))

    @cached_property
    def agent_of(self) -> NDArray[np.int32]:
        """Position in ``agent_names`` of who took each step."""
        position = {name: i for i, name in enumerate(self.agent_names)}
        return np.fromiter((position[s.agent] for s in self.steps), np.int32, len(self.steps))

    @cached_property
    def origins(self) -> NDArray[np.uint8]:
        """Each step's :class:`~traceloc.graph.lexical.Origin`."""
        kinds = self.agent_kinds
        return np.fromiter(
            (_origin(s, kinds.get(s.agent)) for s in self.steps), np.uint8, len(self)
        )

    @cached_property
    def is_acting(self) -> NDArray[np.bool_]:
        """Steps taken by an agent: neither environment, human nor system."""
        return np.asarray(self.origins == Origin.AGENT)

    @cached_property
    def is_environment(self) -> NDArray[np.bool_]:
        """Steps that came back from a tool or the environment."""
        return np.asarray(self.origins == Origin.ENVIRONMENT)

    @cached_property
    def turn_of(self) -> NDArray[np.int32]:
        """Number of the turn each step is in: a run of steps by one agent."""
        change = np.diff(self.agent_of, prepend=self.agent_of[:1]) != 0
        return np.cumsum(change).astype(np.int32)

    @cached_property
    def outcome_of(self) -> NDArray[np.int32]:
        """Step that shows what came of each step, -1 where there is none.

        That is its call's result, else an environment step that follows at once.
        """
        n = len(self)
        outcome = np.full(n, -1, np.int32)
        directly = self.is_acting[:-1] & self.is_environment[1:]
        outcome[:-1][directly] = np.flatnonzero(directly) + 1
        calls = self.edges("calls")
        # Of several results the first that failed tells most; without failure the last one read.
        failed = np.fromiter((self.steps[i].error is not None for i in calls.target), bool)
        outcome[calls.source[~failed]] = calls.target[~failed]
        outcome[calls.source[failed][::-1]] = calls.target[failed][::-1]
        return outcome

    def following(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """For each step the first later one under a mask; ``n`` where there is none."""
        where = np.append(np.flatnonzero(mask), len(self))
        return where[np.searchsorted(where[:-1], np.arange(len(self)), side="right")]

    def preceding(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """For each step the last earlier one under a mask; -1 where there is none."""
        where = np.insert(np.flatnonzero(mask), 0, -1)
        return where[np.searchsorted(where[1:], np.arange(len(self)), side="left")]

    def memo(self, key: str, build: Callable[[TraceGraph], T]) -> T:
        """What ``build`` makes of this graph, made once: for what several signals share."""
        cache: dict[str, T] = self.__dict__.setdefault("_memo", {})
        if key not in cache:
            cache[key] = build(self)
        return cache[key]

    def content(self, index: int) -> str:
        """What a step says and what it passes to tools, clipped to a bounded length.

        Names of tools and parameters are left out: they come from a schema, not from the run.
        """
        step = self.steps[index]
        if not step.tool_calls and not step.reasoning:
            return clip(step.text)
        parts = [step.reasoning or "", step.text]
        for call in step.tool_calls:
            parts.extend(_leaves(call.arguments))
        return clip("\n".join(part for part in parts if part))

    @cached_property
    def lexical(self) -> LexicalIndex:
        """Words and values of each step, and where each was first seen."""
        return LexicalIndex(
            self.steps, content=self.content, origins=self.origins.tolist(), task=self._unsaid_task
        )

    @property
    def _unsaid_task(self) -> str | None:
        """The task, unless one of the first steps says it anyway."""
        task = self.trace.task
        if not task or any(task[:200] in step.text for step in self.steps[:4]):
            return None
        return task

    def edges(self, kind: EdgeKind) -> Edges:
        """The edges of one kind."""
        build = {
            "next": self._next,
            "reply": self._reply,
            "delegates": self._delegates,
            "calls": self._calls,
            "returns": self._returns,
            "uses": self._uses,
        }
        if kind not in build:
            raise ValueError(f"{kind!r} is no edge kind; there are {', '.join(EDGE_KINDS)}")
        cache: dict[str, Edges] = self.__dict__.setdefault("_edges", {})
        if kind not in cache:
            cache[kind] = build[kind]()
        return cache[kind]

    def to_networkx(self, *kinds: EdgeKind) -> nx.MultiDiGraph:
        """A networkx multigraph: nodes are step indices, edges carry kind and weight."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        for step in self.steps:
            graph.add_node(step.index, agent=step.agent, kind=step.kind)
        for kind in kinds or EDGE_KINDS:
            for source, target, weight in zip(*(a.tolist() for a in self.edges(kind)), strict=True):
                graph.add_edge(source, target, key=kind, kind=kind, weight=weight)
        return graph

    def shared_values(self, source: int, target: int, *, limit: int = 8) -> list[str]:
        """Values first seen at ``source`` that ``target`` relies on, rarest first."""
        index = self.lexical
        ids = index.values(target)
        ids = ids[index.first_step[ids] == source]
        rarest = ids[np.argsort(index.frequency[ids], kind="stable")][:limit]
        return index.spell(rarest.tolist())

    def _next(self) -> Edges:
        n = len(self)
        return _edges(range(n - 1), range(1, n))

    def _reply(self) -> Edges:
        addressed: dict[str, int] = {}
        previous: list[int] = []
        last_other = -1
        for step in self.steps:
            index = step.index
            if index and self.steps[index - 1].agent != step.agent:
                last_other = index - 1
            # An order is answered once; what follows answers whoever spoke last.
            previous.append(addressed.pop(step.agent, last_other))
            for name in step.to:
                if name != step.agent:
                    addressed[name] = index
        pairs = [(source, i) for i, source in enumerate(previous) if source >= 0]
        return _edges(*zip(*pairs, strict=True)) if pairs else _edges((), ())

    def _delegates(self) -> Edges:
        following: dict[str, int] = {}
        pairs: list[tuple[int, int]] = []
        for step in reversed(self.steps):
            for name in step.to:
                if name in following and name != step.agent:
                    pairs.append((step.index, following[name]))
            following[step.agent] = step.index
        pairs.reverse()
        return _edges(*zip(*pairs, strict=True)) if pairs else _edges((), ())

    def _calls(self) -> Edges:
        pairs = [
            (step.index, call.result_step)
            for step in self.steps
            for call in step.tool_calls
            if call.result_step is not None
        ]
        return _edges(*zip(*pairs, strict=True)) if pairs else _edges((), ())

    def _returns(self) -> Edges:
        following: dict[str, int] = {}
        pairs: list[tuple[int, int]] = []
        for step in reversed(self.steps):
            made = step.tool_result.call_step if step.tool_result else None
            if made is not None:
                reader = following.get(self.steps[made].agent)
                if reader is not None:
                    pairs.append((step.index, reader))
            else:
                following[step.agent] = step.index
        pairs.reverse()
        return _edges(*zip(*pairs, strict=True)) if pairs else _edges((), ())

    def _uses(self) -> Edges:
        index = self.lexical
        ids, steps = index.tokens, index.step_of
        first = index.first_step[ids]
        keep = (index.kinds[ids] >= TokenKind.NUMBER) & (first >= 0) & (first < steps)
        ids, steps, first = ids[keep], steps[keep], first[keep]
        order = np.lexsort((index.frequency[ids], steps))
        steps, first = steps[order], first[order]
        # Place of each entry within its step, to keep the rarest values of each.
        starts = np.searchsorted(steps, steps, side="left")
        bounded = np.arange(len(steps)) - starts < MAX_USES_PER_STEP
        keys = steps[bounded].astype(np.int64) << 32 | first[bounded]
        pairs, weights = np.unique(keys, return_counts=True)
        return Edges(
            (pairs & 0xFFFFFFFF).astype(np.int32),
            (pairs >> 32).astype(np.int32),
            weights.astype(np.float32),
        )


def _origin(step: Step, kind: AgentKind | None) -> Origin:
    if step.is_environment or kind == "tool":
        return Origin.ENVIRONMENT
    if step.kind == "system" or step.role == "system":
        return Origin.SYSTEM
    if kind == "human" or (kind is None and step.role == "user"):
        return Origin.HUMAN
    return Origin.AGENT


def _edges(source: object, target: object) -> Edges:
    sources = np.fromiter(source, np.int32)  # type: ignore[call-overload]
    targets = np.fromiter(target, np.int32)  # type: ignore[call-overload]
    order = np.lexsort((sources, targets))
    return Edges(sources[order], targets[order], np.ones(len(sources), np.float32))


def _leaves(value: JsonValue) -> list[str]:
    """The strings and numbers inside arguments, in order, at most ``MAX_LEAVES``."""
    leaves: list[str] = []
    waiting: list[JsonValue] = [value]
    while waiting and len(leaves) < MAX_LEAVES:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, str):
            leaves.append(item)
        elif item is not None and not isinstance(item, bool):
            leaves.append(str(item))
    return leaves
