"""Reads what CrewAI leaves behind.

A ``CrewOutput`` (one, several, one a line), the entries of ``output_log_file`` as JSON or text, the
event bus as JSON lines, or what a verbose crew prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.crewai.console import MARKS, read_boxes, read_console, split_runs
from traceloc_plugins.crewai.events import EventReader, Placed, is_event
from traceloc_plugins.crewai.events import split_runs as split_events
from traceloc_plugins.crewai.outputs import (
    is_log_entry,
    parse_log_line,
    read_log,
    read_output,
    starts_entry,
)
from traceloc_plugins.records import first_records, id_field, read_traces

_MAX_ENTRY = 1_000_000
"""Characters of one entry of a text log; its results may go over several lines."""


class CrewAILoader:
    """Loader of CrewAI runs."""

    name = "crewai"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write the `CrewOutput` or the events of the bus",
        "agents": "write the `CrewOutput` or the events of the bus: both name the role",
        "instructions": "write the events of the bus, or the `CrewOutput` of a recent version "
        "with its `messages`",
        "schemas": "write the events of the bus: `llm_call_started` holds the tools of a request",
        "calls": "write the `CrewOutput` or the events of the bus; `output_log_file` holds tasks "
        "only",
        "results": "write the `CrewOutput` or the events of the bus; `output_log_file` holds "
        "tasks only",
        "inputs": "write the `CrewOutput` or the events of the bus: both hold each task's own chat",
        "times": "write the events of the bus, which bear `timestamp`; `output_log_file` has "
        "those of tasks",
        "usage": "write the events of the bus: `llm_call_completed` holds `usage`",
    }

    def sniff(self, head: Head) -> float:
        """Tasks with their outputs, events with an emission sequence, log entries, boxes."""
        if not head.documents:
            text = head.text.lstrip()
            if parse_log_line(text.split("\n", 1)[0]):
                return 0.95
            return 0.9 if "╭─" in text and any(mark in text for mark in MARKS) else 0.0
        first = next(iter(first_records(head)), {})
        if isinstance(first.get("tasks_output"), list):
            return 0.96
        if is_log_entry(first):
            return 0.95
        return 0.96 if any(map(is_event, head.records[:5])) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run of a crew."""
        for source in sources:
            if source.head().documents:
                yield from self._load_json(source)
            else:
                yield from self._load_text(source)

    def _load_json(self, source: Source) -> Iterator[Trace]:
        if not any(map(is_event, source.head().records[:5])):
            yield from read_traces(
                self.name, [source], is_trace=_is_run, is_item=is_log_entry, read=_read
            )
            return
        events: list[Placed] = []
        seen: set[str] = set()
        position, strange, repeated = 0, 0, 0
        for value, _ in source.documents():
            for item in value if isinstance(value, list) else [value]:
                if not is_event(item):
                    strange += 1
                elif (event_id := id_field(item, "event_id")) in seen:
                    repeated += 1  # two listeners wrote the same
                else:
                    events.append(Placed(position, item))
                    if event_id:
                        seen.add(event_id)
                position += 1
        if strange:
            source.report(f"{strange} records are no event of CrewAI's bus", code="TL120")
        for run in split_events(events):
            builder = TraceBuilder(format=self.name, source=source.path, dialect="events")
            if repeated:
                builder.note(
                    "skipped", f"{repeated} events of the file were written more than once"
                )
            trace = EventReader(builder, run).read()
            if trace.steps:
                yield trace

    def _load_text(self, source: Source) -> Iterator[Trace]:
        lines = ((number, line.decode(errors="replace")) for number, line in source.lines())
        builder = TraceBuilder(format=self.name, source=source.path, dialect="console")
        if not parse_log_line(source.head().text.lstrip().split("\n", 1)[0]):
            for boxes in split_runs(read_boxes(lines)):
                trace = read_console(builder, boxes)
                if trace.steps:
                    yield trace
                builder = TraceBuilder(format=self.name, source=source.path, dialect="console")
            return
        builder.dialect = "log"
        if (entries := list(_entries(lines))) and (trace := read_log(builder, entries)).steps:
            yield trace


def _is_run(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(is_log_entry, value[:20]))
    return isinstance(value, dict) and isinstance(value.get("tasks_output"), list)


def _read(builder: TraceBuilder, value: Any) -> Trace:
    builder.dialect = "log" if isinstance(value, list) else "output"
    return read_log(builder, value) if isinstance(value, list) else read_output(builder, value)


def _entries(lines: Iterator[tuple[int, str]]) -> Iterator[dict[str, Any]]:
    """Entries of a text log; a line that starts none goes on with the one before."""
    text = ""
    for _, line in lines:
        if starts_entry(line):
            if entry := parse_log_line(text):
                yield entry
            text = line
        elif len(text) < _MAX_ENTRY:
            text = f"{text}\n{line}"
    if entry := parse_log_line(text):
        yield entry
