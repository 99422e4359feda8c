"""Constraints the trace itself states: tool schemas, and rules in the system prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.attribution import Citation
from traceloc.contracts import Feature
from traceloc.graph import Origin, TokenKind, TraceGraph
from traceloc.signals.family import Family, at, first, last, quote_step
from traceloc.trace import ToolCall, ToolSpec

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_POSITIONAL = frozenset({"args", "kwargs", "input"})
_WRITING = frozenset(
    """add apply approve assign book cancel change close create delete deploy edit exchange
    execute grant hold insert issue modify move order pay place post publish refund remove
    rename reserve reset restart return revoke schedule send set submit transfer update upload
    write""".split()
)
"""Verbs that change the world, as words of a tool's name."""
_READING = frozenset(
    """browse calculate check compute count describe fetch find get list load look lookup open
    query read retrieve search show think validate verify view visit""".split()
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_HANDING_OVER = (
    "transfer_to",
    "transfer_back",
    "handoff",
    "hand_off",
    "delegate",
    "final_answer",
    "ask_",
)
_CONSENT = (
    "yes",
    "confirm",
    "go ahead",
    "please do",
    "proceed",
    "sure",
    "ok",
    "correct",
    "agree",
    "sounds good",
)


class ConstraintsSignal(Family):
    """What breaks a rule that can be read in the trace."""

    name = "constraints"
    features = (
        Feature("bad_arguments", "calls a tool against its schema", sign=1, prior=0.8, fault=True),
        Feature("unknown_tool", "calls a tool that is not offered", sign=1, prior=1.0, fault=True),
        Feature(
            "unsourced_arguments",
            "passes values that nothing before it contains",
            sign=1,
            prior=0.5,
            fault=True,
        ),
        Feature("writes", "changes something in the world", sign=1, prior=0.4),
        Feature("first_write", "is the first to change something in the world", sign=1, prior=0.3),
        Feature(
            "writes_unasked",
            "changes something without a yes to it just before",
            sign=1,
            prior=0.8,
            fault=True,
        ),
        Feature("last_write", "is the last to change something in the world", sign=1),
        Feature("gives_up_to_human", "passes the case on to a person", sign=1),
    )

    def columns(self, graph: TraceGraph) -> dict[str, NDArray[Any]]:
        """See :class:`~traceloc.signals.family.Family`."""
        n = len(graph)
        tools = {tool.name: tool for tool in graph.trace.tools}
        bad, unknown = np.zeros(n, np.float32), np.zeros(n, bool)
        writes, passes = np.zeros(n, bool), np.zeros(n, bool)
        for s in graph.steps:
            for call in s.tool_calls:
                name = call.name.lower()
                writes[s.index] |= _changes(call.name)
                passes[s.index] |= "human" in name or "escalate" in name
                if tools:
                    unknown[s.index] |= call.name not in tools and not _hands_over(call.name)
                    bad[s.index] += sum(1 for _ in violations(call, tools.get(call.name)))
        index = graph.lexical
        calls = np.fromiter((bool(s.tool_calls) for s in graph.steps), bool, n)
        kinds = index.kinds[index.tokens]
        new = (index.first_step[index.tokens] == index.step_of) & (kinds >= TokenKind.NUMBER)
        new &= index.first_origin[index.tokens] != Origin.INPUT
        people = graph.preceding(graph.origins == Origin.HUMAN)
        consents = np.fromiter(
            (
                graph.origins[s.index] == Origin.HUMAN
                and any(word in s.text[:400].lower() for word in _CONSENT)
                for s in graph.steps
            ),
            bool,
            n,
        )
        talks = bool((graph.origins == Origin.HUMAN).sum() > 1)
        return {
            "bad_arguments": np.log1p(bad),
            "unknown_tool": unknown,
            "unsourced_arguments": np.log1p(index.count(new)) * calls,
            "writes": writes,
            "first_write": first(writes),
            "writes_unasked": writes & (at(consents, people) == 0) & talks,
            "last_write": last(writes),
            "gives_up_to_human": passes,
        }

    def cite(
        self, graph: TraceGraph, step: int, feature: str
    ) -> tuple[str, Sequence[Citation]] | None:
        """See :class:`~traceloc.signals.family.Family`."""
        tools = {tool.name: tool for tool in graph.trace.tools}
        calls = graph.steps[step].tool_calls
        here = [quote_step(graph, step)]
        if feature == "bad_arguments":
            said = [v for call in calls for v in violations(call, tools.get(call.name))]
            return "; ".join(said[:3]), here
        if feature == "unknown_tool":
            return ", ".join(repr(c.name) for c in calls if c.name not in tools), here
        if feature == "unsourced_arguments":
            index = graph.lexical
            return ", ".join(index.spell(index.introduced(step).tolist())[:5]), here
        if feature == "writes_unasked":
            person = int(graph.preceding(graph.origins == Origin.HUMAN)[step])
            return calls[0].name, here + ([quote_step(graph, person)] if person >= 0 else [])
        return ", ".join(call.name for call in calls), here


def _hands_over(name: str) -> bool:
    """Whether a tool only passes work on to another agent, or ends it."""
    return any(word in name.lower() for word in _HANDING_OVER)


def _changes(name: str) -> bool:
    """Whether a tool's name has a verb of writing, and does not begin with one of reading."""
    if _hands_over(name):
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(words) and words[0] not in _READING and not _WRITING.isdisjoint(words)


def violations(call: ToolCall, tool: ToolSpec | None) -> Iterator[str]:
    """How the arguments of a call break the tool's schema: missing, unknown, of a wrong type."""
    if tool is None or not isinstance(tool.parameters, dict):
        return
    properties = tool.parameters.get("properties")
    required = tool.parameters.get("required")
    if not isinstance(call.arguments, dict):
        if isinstance(required, list) and required:
            yield f"{call.name}: arguments are no object"
        return
    if call.arguments.keys() <= _POSITIONAL:
        return  # arguments given by position cannot be told apart by name
    if isinstance(required, list):
        for name in required:
            if isinstance(name, str) and name not in call.arguments:
                yield f"{call.name}: {name!r} is missing"
    if not isinstance(properties, dict):
        return
    closed = tool.parameters.get("additionalProperties") is False
    for name, value in call.arguments.items():
        schema = properties.get(name)
        if schema is None:
            if closed or properties:
                yield f"{call.name}: {name!r} is not a parameter"
        elif isinstance(schema, dict):
            yield from _mismatch(f"{call.name}: {name!r}", value, schema)


def _mismatch(where: str, value: Any, schema: dict[str, Any]) -> Iterator[str]:
    options = schema.get("enum")
    if isinstance(options, list) and options and value not in options:
        yield f"{where} is {value!r}, not one of {', '.join(map(repr, options[:6]))}"
    wanted = schema.get("type")
    types = _TYPES.get(wanted) if isinstance(wanted, str) else None
    if types is None or value is None:
        return
    if (isinstance(value, bool) and wanted != "boolean") or not isinstance(value, types):
        yield f"{where} should be {wanted}, is {type(value).__name__}"
