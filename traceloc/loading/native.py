"""Reads traceloc's own JSON: one trace a document, or one a line.

A very long trace may also be written as a header line without steps, followed by one line a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from traceloc.contracts import Content
from traceloc.loading.bounding import MAX_DEPTH, bounded, is_deep
from traceloc.loading.builder import lean
from traceloc.loading.head import Head
from traceloc.loading.source import Source
from traceloc.trace import SCHEMA_VERSION, Step, Trace

WRITABLE_DEPTH = 2 * MAX_DEPTH
"""Levels of a document that are kept: values of other formats, and what the trace puts around."""


class NativeLoader:
    """Loader of the format that ``traceloc convert`` writes."""

    name = "native"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write `task`",
        "agents": "write the agent's own name, not a role, and `attribution` as `explicit`",
        "instructions": "write `instructions` of the agents",
        "schemas": "write `parameters` of the `tools`",
        "calls": "write `tool_calls` of the steps",
        "results": "write steps of kind `result` with their `tool_result`",
        "inputs": "write `inputs` of the steps",
        "outcome": "write `outcome`",
        "times": "write `timestamp` of the steps",
        "usage": "write `usage` of the steps",
    }

    def sniff(self, head: Head) -> float:
        """Our own documents carry a schema version, a format and steps."""
        for record in head.records[:1]:
            if {"schema_version", "id", "format"} <= record.keys() and "agents" in record:
                return 1.0
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield the traces as they were written."""
        for source in sources:
            header: Trace | None = None
            steps: list[Step] = []
            started: int | None = None
            for value, line in source.documents():
                for item in value if isinstance(value, list) else [value]:
                    if isinstance(item, dict) and "native_index" in item:
                        # Steps of a header that could not be read are lost with it, said once.
                        step = _validate(Step, item, source, line) if header else None
                        if step is not None:
                            steps.append(lean(step))
                        continue
                    if header is not None:
                        yield from _finish(header, steps, source, started)
                    header, steps, started = _validate(Trace, item, source, line), [], line
            if header is not None:
                yield from _finish(header, steps, source, started)


def _finish(trace: Trace, steps: list[Step], source: Source, line: int | None) -> Iterator[Trace]:
    """The trace with the steps of the lines after it, unless its numbers contradict each other."""
    if steps:
        trace = trace.model_copy(update={"steps": trace.steps + tuple(steps)})
    wrong = find_misnumbering(trace.steps)
    if wrong is None:
        yield trace
    else:
        source.report(f"is no valid trace: {wrong}", code="TL120", line=line)


def find_misnumbering(steps: Sequence[Step]) -> str | None:
    """What is wrong with the numbers by which everything addresses steps."""
    n = len(steps)
    for position, step in enumerate(steps):
        if step.index != position:
            return f"steps.{position}.index is {step.index}; expected {position}"
        if step.native_index < 0:
            return f"steps.{position}.native_index is below 0: {str(step.native_index)[:40]}"
        linked = [call.result_step for call in step.tool_calls]
        if step.tool_result is not None:
            linked.append(step.tool_result.call_step)
        for other in linked:
            if other is not None and not 0 <= other < n:
                return f"steps.{position} refers to step {other}; there are {n} steps"
    return None


def _validate(model: Any, item: Any, source: Source, line: int | None) -> Any:
    try:
        # What is deeper could not be written and read again.
        deep = isinstance(item, dict) and is_deep(item, WRITABLE_DEPTH)
        return model.model_validate(bounded(item, depth=WRITABLE_DEPTH) if deep else item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        version = item.get("schema_version") if isinstance(item, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            message = (
                f"is written by a newer traceloc (schema_version {version}; "
                f"this one reads {SCHEMA_VERSION})"
            )
        else:
            message = f"is no valid {model.__name__.lower()}: {where}: {first['msg']}"
        source.report(message, code="TL120", line=line)
        return None
