"""Reads what the OpenAI Agents SDK leaves behind, and items of the Responses API.

A file holds an export of the SDK's tracing, the saved state of a run, a list of items (as
``to_input_list`` gives it), requests with their responses, or the database of a session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Outcome, Span, Trace
from traceloc_plugins.databases import is_database, mentions
from traceloc_plugins.facts import word
from traceloc_plugins.openai_agents.dialect import OpenAIAgents
from traceloc_plugins.openai_agents.documents import (
    LOOKED_AT,
    is_run_state,
    items_in,
    read_items,
    read_run_state,
    read_sessions,
)
from traceloc_plugins.openai_agents.items import is_chat_only, is_item, kind_of
from traceloc_plugins.openai_agents.tracing import read_document, records_in, thread_of
from traceloc_plugins.records import split_truth
from traceloc_plugins.spans.assembly import About, assemble
from traceloc_plugins.spans.collecting import Collected, collect
from traceloc_plugins.spans.names import PLACEHOLDERS

_SURE = 0.97
_ITEMS = 0.85
"""Other harnesses keep items of the Responses API too, with marks of their own around them."""
_DEEPEST = 64
"""Spans above an agent that are looked at."""
_FACTS = frozenset({"object", "id", "workflow_name", "group_id"})


class OpenAIAgentsLoader:
    """Loader of the OpenAI Agents SDK's formats."""

    name = "openai_agents"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write `result.to_state().to_json()` too: it holds what was asked, which tracing "
        "does not",
        "agents": "write `result.to_state().to_json()`: items of a list or session name no agent",
        "instructions": "no state or session holds them; spans of OpenInference do, for the "
        "loader `otel`",
        "schemas": "no state or session holds them; spans of OpenInference do, for the loader "
        "`otel`",
        "calls": "write `result.to_state().to_json()`, which holds each call; without any the "
        "run made none",
        "results": "write `result.to_state().to_json()`, which holds each result",
        "inputs": "no state or session holds it; spans of OpenInference do, for the loader `otel`",
        "times": "write the SDK's tracing too (`add_trace_processor`): a state has none",
        "usage": "write `result.to_state().to_json()`, which holds the tokens of each response",
    }

    def sniff(self, head: Head) -> float:
        """Records and states have marks of their own; items have types and the ids of calls."""
        if head.is_binary:
            known = mentions(head.data, b"agent_messages", b"message_data")
            return _SURE if known else 0.0
        first = head.first
        if records_in(first) or is_run_state(first):
            return _SURE
        if isinstance(first, list) and any(map(is_run_state, first[:1])):
            return _SURE
        if items_in(first) is not None:
            return _ITEMS
        listed = first if isinstance(first, list) else []
        if listed and any(items_in(item) is not None for item in listed[:2]):
            return _ITEMS
        # One item a line, among which some can be nothing else.
        found = head.documents[:LOOKED_AT]
        sure = any(map(is_item, found)) and not any(map(is_chat_only, found))
        return _ITEMS if sure and all(map(kind_of, found)) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run, list of items or session."""
        for source in sources:
            if is_database(source.head().data):
                yield from read_sessions(self.name, source)
            else:
                yield from self._read(source)

    def _read(self, source: Source) -> Iterator[Trace]:
        documents: Iterator[tuple[Any, int | None]] = source.documents()
        for value, line in documents:
            whole = chain([(value, line)], documents)
            if records_in(value):
                yield from self._read_spans(source, whole)
            else:
                yield from self._read_documents(source, whole)

    def _read_spans(
        self, source: Source, documents: Iterator[tuple[Any, int | None]]
    ) -> Iterator[Trace]:
        for found in collect([source], lambda _: documents, read_document):
            trace = self._assemble(found)
            if trace.steps:
                yield trace

    def _assemble(self, found: Collected) -> Trace:
        builder = TraceBuilder(format=self.name, source=found.path)
        spans = list(found.spans.values())
        dialect = OpenAIAgents(spans)
        if dialect.inferred:
            builder.note(
                "inferred",
                f"the calls of {len(dialect.inferred)} model responses were taken from what ran "
                "after them in the same turn; hand-offs are called as the SDK would",
            )
            builder.note("missing", f"words of model responses; {dialect.capture_hint}")
        for span in spans:
            tools = span.attributes.get("tools") if span.text("type") == "agent" else None
            for tool in tools if isinstance(tools, list) else ():
                if isinstance(tool, str):
                    builder.tool(tool)
        workflow = word(found.facts.get("workflow_name"))
        others = {key: item for key, item in found.facts.items() if key not in _FACTS}
        fields = split_truth(others, whole_trace=True)
        if fields.truth:
            builder.truth(**fields.truth)
        of_user = fields.truth.get("metadata")
        trace = assemble(
            builder,
            found.trace_id,
            spans,
            dialect_of=lambda _: dialect,
            envelope=found.envelope,
            about=About(
                system=None if (workflow or "").lower() in PLACEHOLDERS else workflow,
                session_id=thread_of(found.facts),
                attributes=fields.attributes,
                judged=of_user if isinstance(of_user, dict) else {},
            ),
            repeated=found.repeated,
        )
        return _with_end(builder, trace)

    def _read_documents(
        self, source: Source, documents: Iterator[tuple[Any, int | None]]
    ) -> Iterator[Trace]:
        loose: list[tuple[Any, int | None]] = []
        strange = 0
        for value, line in documents:
            many = isinstance(value, list) and items_in(value) is None
            for item in value if many else [value]:
                trace = self._read_one(source, item)
                if trace is not None:
                    yield from [trace] if trace.steps else []
                elif kind_of(item) and not many:
                    loose.append((item, line))
                else:
                    strange += 1
        if loose:
            trace = read_items(self._builder(source), loose)
            yield from [trace] if trace.steps else []
        if strange:
            source.report(
                f"{strange} records are neither runs nor items and were passed over", code="TL120"
            )

    def _read_one(self, source: Source, value: Any) -> Trace | None:
        if is_run_state(value):
            return read_run_state(self.name, source.path, value)
        items = items_in(value)
        if items is None:
            return None
        about = value if isinstance(value, dict) else None
        if about and isinstance(response := about.get("response"), dict):
            about = {**about, **response}
            about.pop("response")
        return read_items(self._builder(source), [(item, None) for item in items], about=about)

    def _builder(self, source: Source) -> TraceBuilder:
        return TraceBuilder(format=self.name, source=source.path, dialect="items")


def _with_end(builder: TraceBuilder, trace: Trace) -> Trace:
    """The trace with what ended it: the SDK notes it on the agent's span, not on the outermost.

    Where a tool had failed before, the agent's failure would pass for the tool's.
    """
    by_id = {span.id: span for span in trace.spans}
    ended = [
        (position, span)
        for position, span in enumerate(trace.spans)
        # What a guardrail stopped before the agent spoke is noted on the turn.
        if span.kind in ("agent", "task") and span.error and not _is_inside_a_tool(span, by_id)
    ]
    if not ended:
        return trace
    position, span = ended[-1]
    said = span.error.message if span.error else ""
    told = ((step.span_id, step.error.message) for step in trace.steps if step.error)
    # A model call that failed says the same as the agent that it ended.
    if not any(id == span.id or message == said for id, message in told):
        builder.step(
            kind="event",
            role="other",
            agent=span.agent or span.name,
            native_index=position,
            text=said,
            error=span.error,
            span_id=span.id,
            timestamp=span.end,
        )
    outcome = Outcome(status="failed", source="error", detail=said[:500])
    if trace.outcome.status != "unknown":
        outcome = trace.outcome
    return trace.model_copy(update={"steps": tuple(builder.steps), "outcome": outcome})


def _is_inside_a_tool(span: Span, by_id: dict[str, Span]) -> bool:
    """Whether an agent is a tool of another one, so that its end is not the run's."""
    above = by_id.get(span.parent_id or "")
    for _ in range(_DEEPEST):
        if above is None:
            break
        if above.kind == "tool":
            return True
        above = by_id.get(above.parent_id or "")
    return False
