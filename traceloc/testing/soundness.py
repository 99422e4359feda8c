"""What must hold for every trace, whoever read it from whatever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from traceloc.graph import TraceGraph
from traceloc.testing.violation import ContractViolation
from traceloc.trace import Trace

_BUILDER = "let TraceBuilder number steps and join results; do not set these by hand"


def require_sound(
    trace: Trace, *, what: str, damaged: bool = False, known: set[str] | None = None
) -> None:
    """Make sure that steps are numbered, links lead somewhere, and the trace can be written.

    Args:
        trace: What was loaded.
        what: The input, for the message.
        damaged: Whether the input was; then what it names may be gone, or there twice.
        known: Traces, as JSON, that need no second look; this one is added.

    Raises:
        ContractViolation: Naming the first thing that is wrong.
    """
    for wrong, mend in (*_numbers(trace), *_links(trace, damaged), *_agents(trace, damaged)):
        raise ContractViolation(f"{what}: {wrong}", mend=mend)
    try:
        written = trace.model_dump_json()
        if known is not None and written in known:
            return
        again = Trace.model_validate_json(written)
        changed = again != trace and again.model_dump_json() != written
    except ValueError as error:
        raise ContractViolation(
            f"{what}: the trace cannot be written and read again: {str(error).splitlines()[0]}",
            mend="keep values as JSON, and text free of lone surrogates",
        ) from error
    if changed:
        raise ContractViolation(
            f"{what}: the trace is another one after it was written and read again",
            mend="build models with their own types (tuples, aware datetimes, plain JSON)",
        )
    TraceGraph(trace).edges("uses")
    if known is not None:
        known.add(written)


def _numbers(trace: Trace) -> Iterator[tuple[str, str]]:
    if not trace.id:
        yield "the trace has no id", "take it from the source, or leave it to TraceBuilder.build()"
    for position, step in enumerate(trace.steps):
        if step.index != position:
            yield f"step {position} has index {step.index}", _BUILDER
        if step.native_index < 0:
            yield (
                f"step {position} has native_index {step.native_index}",
                "give the 0-based position in the source's own list",
            )
        if step.timestamp is not None and step.timestamp.utcoffset() is None:
            yield (
                f"step {position} has a time without a zone",
                "give aware times: datetime(..., tzinfo=UTC)",
            )


def _links(trace: Trace, damaged: bool) -> Iterator[tuple[str, str]]:
    n = len(trace.steps)
    for step in trace.steps:
        for call in step.tool_calls:
            if call.result_step is None:
                continue
            if not step.index < call.result_step < n:
                if not damaged or not 0 <= call.result_step < n:
                    yield f"step {step.index}: a call's result is step {call.result_step}", _BUILDER
            elif damaged:
                continue
            elif (result := trace.steps[call.result_step].tool_result) is None:
                yield (
                    f"step {call.result_step} answers a call of step {step.index} and has no "
                    "tool_result",
                    _BUILDER,
                )
            elif result.call_step != step.index:
                yield (
                    f"step {call.result_step} answers step {result.call_step}, "
                    f"and step {step.index} says it is answered there",
                    _BUILDER,
                )
        if step.tool_result is not None and (made := step.tool_result.call_step) is not None:
            if not 0 <= made < (n if damaged else step.index):
                yield f"step {step.index} answers step {made}", _BUILDER
            elif not damaged and not any(
                c.result_step is not None for c in trace.steps[made].tool_calls
            ):
                yield f"step {step.index} answers step {made}, which does not know it", _BUILDER


def _agents(trace: Trace, damaged: bool) -> Iterator[tuple[str, str]]:
    names = [agent.name for agent in trace.agents]
    if len(set(names)) < len(names) and not damaged:
        yield f"agents share a name: {sorted(names)}", "introduce each agent once"
    for step in trace.steps:
        if not step.agent.strip() and not damaged:
            yield f"step {step.index} is taken by nobody", "name the role if there is no name"
        if step.agent not in names and not damaged:
            yield f"step {step.index} is taken by {step.agent!r}, who is no agent", _BUILDER


def words_of(value: Any) -> set[str]:
    """All words in the keys and texts of a JSON value, lower case."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, str):
            found.update(re.findall(r"\w+", item.lower()))
    return found
