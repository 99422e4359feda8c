"""What is kept of a run to compare it with others: one symbol for each thing that was done.

A symbol names agent, kind and tool, then the masked arguments of a call or the words a message
begins with. Ids, long texts and ordinals differ from run to run and are masked; short arguments of
the same task can be compared and stay. What people and tools say is not the agents' doing: of it
only the kind counts, and whether a tool failed.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

from traceloc.graph import TraceGraph
from traceloc.ranking.table import find_candidates
from traceloc.trace import Step, ToolCall, Trace

MAX_ITEMS = 2000
"""Items of a run; a longer one is not compared."""
LONG_TEXT = 80
"""Characters from which words are not said twice by chance; shorter ones prove no replay."""
SEPARATOR = " | "
"""Between what is done and how."""

_LEADING_WORDS = 4
_MAX_DETAIL = 80
_MAX_ARGUMENT = 40
_ARGUMENTS = 6
_CALLS = 4
_WORD = re.compile(r"\w+")
_ID = re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,}){0,4}\b", re.IGNORECASE)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?")
_SUFFIX = re.compile(r"[_\-#]?(?=[0-9a-f]{0,35}\d)[0-9a-f]{1,36}$", re.IGNORECASE)


class Item(NamedTuple):
    """One thing done in a run: a native item of the source, as the ranker counts them."""

    step: int
    """Row of the step that stands for it."""
    action: str
    """Symbol: ``agent kind tool | detail``."""
    content: int
    """Digest of all that was said and called in it."""
    acting: bool
    """Whether an agent did it."""
    long: bool
    """Whether its words are too many to be said twice by chance."""

    @property
    def outline(self) -> str:
        """The symbol without its detail."""
        return self.action.partition(SEPARATOR)[0]


class RunSketch(NamedTuple):
    """A run as others see it: symbols and no text."""

    key: str
    """What tells the run from others of the scan."""
    locator: str
    passed: bool | None
    items: tuple[Item, ...]


def sketch_run(trace: Trace, *, passed: bool | None) -> RunSketch | None:
    """The sketch of a run; ``None`` for one that is empty or too long to be compared.

    Args:
        trace: The run.
        passed: How it came out.
    """
    if not trace.steps or len(trace.steps) > 4 * MAX_ITEMS:
        return None
    rows, native = find_candidates(trace.steps)
    if not 0 < len(rows) <= MAX_ITEMS:
        return None
    graph = TraceGraph(trace)
    acts, returns = graph.is_acting, graph.is_environment
    members: dict[int, list[Step]] = {}
    for step in trace.steps:
        members.setdefault(step.native_index, []).append(step)
    items = []
    for row, index in zip(rows.tolist(), native.tolist(), strict=True):
        step = trace.steps[row]
        acting = bool(acts[row])
        items.append(
            Item(
                step=row,
                action=sys.intern(_symbol(step, acting=acting, returned=bool(returns[row]))),
                content=_digest(members[index]),
                acting=acting,
                long=len(step.text) >= LONG_TEXT,
            )
        )
    return RunSketch(identify_run(trace), trace.locator(), passed, tuple(items))


def identify_run(trace: Trace) -> str:
    """What tells a run from others of the same scan."""
    return f"{trace.source}:{trace.id}"


def _symbol(step: Step, *, acting: bool, returned: bool) -> str:
    agent = mask_name(step.agent)
    if returned:
        tool = step.tool_result.name if step.tool_result and step.tool_result.name else ""
        state = "fails" if step.error is not None else "returns"
        return " ".join(part for part in (agent, tool, state) if part)
    if not acting:
        return f"{agent} {step.kind}"
    if step.tool_calls:
        calls = step.tool_calls[:_CALLS]
        outline = f"{agent} {step.kind} {'+'.join(call.name for call in calls)}"
        return f"{outline}{SEPARATOR}{'; '.join(map(_arguments, calls))[:_MAX_DETAIL]}"
    words = _WORD.findall(_mask(step.text[: 8 * _MAX_DETAIL]).casefold())[:_LEADING_WORDS]
    to = f" to {'+'.join(map(mask_name, step.to[:2]))}" if step.to else ""
    return f"{agent} {step.kind}{to}{SEPARATOR}{' '.join(words)[:_MAX_DETAIL]}"


def mask_name(name: str) -> str:
    """An agent's name without the random or running suffix some frameworks add."""
    return _SUFFIX.sub("", name) or name


def _arguments(call: ToolCall) -> str:
    found = []
    for name, value in _leaves("", call.arguments):
        found.append(f"{name}={value}" if name else value)
        if len(found) == _ARGUMENTS:
            break
    return ", ".join(found)


def _leaves(name: str, value: JsonValue, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Names and masked values of the arguments of a call, in an order that does not vary."""
    if isinstance(value, dict) and depth < 3:
        for key in sorted(value):
            yield from _leaves(f"{name}.{key}" if name else key, value[key], depth + 1)
    elif isinstance(value, list) and depth < 3:
        for each in value[:_ARGUMENTS]:
            yield from _leaves(name, each, depth + 1)
    elif isinstance(value, str) and len(value) > _MAX_ARGUMENT:
        yield name, "…"
    else:
        yield name, _mask(str(value)[:_MAX_ARGUMENT]).casefold()


def _mask(text: str) -> str:
    return _ID.sub("<id>", _STAMP.sub("<time>", text))


def _digest(steps: list[Step]) -> int:
    found = hashlib.blake2b(digest_size=8)
    for step in steps:
        calls = "".join(f"\x1f{call.name}\x1f{call.arguments!r}" for call in step.tool_calls)
        found.update(f"{step.agent}\x1f{step.text}{calls}\x1e".encode(errors="replace"))
    return int.from_bytes(found.digest(), "big")
