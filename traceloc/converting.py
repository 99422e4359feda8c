"""Writes traces, as native documents or in formats that others read.

The native ones are what :class:`~traceloc.loading.native.NativeLoader` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic_core import to_json

from traceloc.errors import TraceFormatError
from traceloc.exporting.atif import to_atif
from traceloc.exporting.openai_messages import to_messages
from traceloc.loading.reading import Job, default_system, plan, run
from traceloc.registry import Registry
from traceloc.trace import Outcome, Trace

LINE_BYTES = 32 * 1024 * 1024
"""A trace of more is written as a header line and one line a step: readers bound their lines."""


def read_as_recorded(
    paths: Iterable[str],
    *,
    loader: str | None = None,
    system: str | None = None,
    registry: Registry,
) -> Iterator[Trace | TraceFormatError]:
    """Traces as their source has them: the system that traceloc makes up is left out again."""
    for job in plan(paths, format=loader, registry=registry):
        if isinstance(job, TraceFormatError):
            yield job
        if not isinstance(job, Job):
            continue
        for item in run(job, system=system, registry=registry):
            if isinstance(item, Trace) and system is None and item.system == default_system(job):
                item = item.model_copy(update={"system": None})
            yield item


def without_answers(trace: Trace) -> Trace:
    """The trace for somebody who must not know how it ended; nothing else is left out."""
    return trace.model_copy(update={"truth": None, "outcome": Outcome()})


def write_native(traces: Iterable[Trace]) -> Iterator[str]:
    """One JSON document: the trace, or a list of them if there are several."""
    return _write_documents(traces, Trace.model_dump_json)


def write_atif(traces: Iterable[Trace]) -> Iterator[str]:
    """One ATIF trajectory, or a list of them if there are several."""
    return _write_documents(
        traces, lambda trace: to_json(to_atif(trace), inf_nan_mode="constants").decode()
    )


def write_messages(traces: Iterable[Trace]) -> Iterator[str]:
    """One chat of OpenAI's API, or a list of them if there are several."""
    return _write_documents(
        traces, lambda trace: to_json(to_messages(trace), inf_nan_mode="constants").decode()
    )


def _write_documents(traces: Iterable[Trace], dump: Callable[[Trace], str]) -> Iterator[str]:
    held: Trace | None = None
    is_list = False
    for trace in traces:
        if held is not None:
            yield ("[\n" if not is_list else ",\n") + dump(held)
            is_list = True
        held = trace
    if held is None:
        return
    yield f",\n{dump(held)}\n]\n" if is_list else dump(held) + "\n"


def write_lines(traces: Iterable[Trace]) -> Iterator[str]:
    """One trace a line; a very long one as a header without steps, then one line a step."""
    for trace in traces:
        size = sum(len(step.text) for step in trace.steps)
        if size <= LINE_BYTES:
            line = trace.model_dump_json()
            if len(line) <= LINE_BYTES:
                yield line + "\n"
                continue
        yield trace.model_copy(update={"steps": ()}).model_dump_json() + "\n"
        for step in trace.steps:
            yield step.model_dump_json() + "\n"


WRITERS = {
    "native": write_native,
    "jsonl": write_lines,
    "atif": write_atif,
    "openai": write_messages,
}
"""By the name that ``--to`` takes."""
