"""Reads what ADK leaves behind.

A session (in camel or snake case, also as it was before 1.0), the events of a run one a line, the
database of its sessions, sets of cases for evaluation and their results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.databases import is_database, mentions
from traceloc_plugins.google_adk.database import read_database
from traceloc_plugins.google_adk.events import is_event
from traceloc_plugins.google_adk.sessions import (
    is_case,
    is_case_result,
    is_session,
    read_case,
    read_case_result,
    read_events,
    read_session,
)
from traceloc_plugins.records import first_records, keep_rest, read_traces

_TABLES = (b"CREATE TABLE events", b"CREATE TABLE sessions", b"app_name", b"invocation_id")
_HOLDERS = ("eval_cases", "evalCases", "eval_case_results", "evalCaseResults")
_OF_A_SET = frozenset((*_HOLDERS, "eval_set_id", "evalSetId", "eval_set_result_id"))


class GoogleADKLoader:
    """Loader of runs of the Agent Development Kit."""

    name = "google_adk"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "keep the session: `session_service.get_session(…)`, then "
        "`session.model_dump_json()`",
        "agents": "scan a session of a run, not the set of cases: its events bear `author`",
        "instructions": "no session holds them; spans do, with "
        "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental and "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY",
        "schemas": "no session holds them; spans do, with "
        "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental and "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY",
        "calls": "nothing to switch on: a session holds each call; without any the run made none",
        "results": "scan a session of a run, not the set of cases, which has calls without results",
        "inputs": "no session holds it, apart from `branch` of agents side by side; spans do",
        "usage": "events bear `usage_metadata` in recent versions, where the model states it",
        "outcome": "`adk eval` writes runs with their verdict (`.evalset_result.json`)",
    }

    def sniff(self, head: Head) -> float:
        """Events with an author, an invocation and parts; cases and results; ADK's tables."""
        if is_database(head.data):
            return 0.97 if mentions(head.data, *_TABLES) else 0.0
        first = head.first
        if isinstance(first, dict) and any(isinstance(first.get(k), list) for k in _HOLDERS):
            return 0.97
        records = first_records(head)
        if not records:
            return 0.0
        record = records[0]
        found = is_session(record) or is_event(record) or is_case(record) or is_case_result(record)
        return 0.97 if found else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each session or case."""
        for source in sources:
            if is_database(source.head().data):
                yield from read_database(self.name, source)
            else:
                yield from self._load_json(source)

    def _load_json(self, source: Source) -> Iterator[Trace]:
        first = source.head().first
        if not (isinstance(first, dict) and any(key in first for key in _HOLDERS)):
            yield from read_traces(
                self.name, [source], is_trace=_is_run, is_item=is_event, read=_read
            )
            return
        for value, line in source.documents():
            cases = _cases(value)
            strange = 0
            for case in cases:
                if not _is_run(case):
                    strange += 1
                    continue
                builder = TraceBuilder(format=self.name, source=source.path)
                keep_rest(builder, value, _OF_A_SET, place="document", whole_trace=True)
                trace = _read(builder, case)
                if trace.steps:
                    yield trace
            if strange or not cases:
                source.report(
                    f"{strange or 'all'} records are no case of an evaluation",
                    code="TL120",
                    line=line,
                )


def _cases(value: Any) -> list[Any]:
    """The cases, or results of cases, that a document holds."""
    if isinstance(value, dict):
        for key in _HOLDERS:
            if isinstance(found := value.get(key), list):
                return found
    return []


def _is_run(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(is_event, value[:20]))
    return is_session(value) or is_case(value) or is_case_result(value)


def _read(builder: TraceBuilder, value: Any) -> Trace:
    if isinstance(value, list):
        builder.dialect = "events"
        return read_events(builder, value)
    if is_case_result(value):
        return read_case_result(builder, value)
    return read_case(builder, value) if is_case(value) else read_session(builder, value)
