"""Reads what LangChain and LangGraph leave behind, and what LangSmith keeps of them.

A file holds LangSmith runs, events of ``astream_events``, items of ``stream``, messages, a state, a
thread's history of states, or the database of a checkpointer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace, Truth
from traceloc_plugins.databases import is_database
from traceloc_plugins.langgraph.checkpoints import read_threads
from traceloc_plugins.langgraph.dialect import LangChain
from traceloc_plugins.langgraph.documents import Conversations, messages_of
from traceloc_plugins.langgraph.events import Events, is_event, without_clock
from traceloc_plugins.langgraph.runs import put_together, read_document, runs_in
from traceloc_plugins.langgraph.sniffing import score
from traceloc_plugins.langgraph.states import read_list
from traceloc_plugins.langgraph.writing import write_trace
from traceloc_plugins.spans.assembly import About, assemble
from traceloc_plugins.spans.collecting import Collected, collect, trace_ids
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.truth import is_truth

_DIALECT = LangChain()
_SPEAKING = LangChain(chains_speak=True)
_NO_SYSTEMS = frozenset({"LangGraph", "RunnableSequence", "AgentExecutor", "default", "run"})
"""Names of classes and of LangSmith's own project, that tell no two systems apart."""


Documents = Iterator[tuple[Any, int | None]]


class LangGraphLoader:
    """Loader of LangChain's, LangGraph's and LangSmith's formats."""

    name = "langgraph"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "export runs of LangSmith, or the state with its first message",
        "agents": 'give agents a name: `create_agent(…, name="clerk")`',
        "instructions": "export runs of LangSmith, or `astream_events`: both hold what models "
        "were given",
        "schemas": "export runs of LangSmith, which hold `invocation_params` of each model call",
        "calls": "export runs of LangSmith or the messages of the state; without any the run "
        "made none",
        "results": "export runs of LangSmith or the messages of the state",
        "inputs": "export runs of LangSmith, or `astream_events`: both hold what models were given",
        "times": "export runs of LangSmith, or the checkpoints; messages and events have none",
        "usage": "`usage_metadata` of messages holds them; a streamed model needs "
        "`stream_usage=True`",
    }

    def sniff(self, head: Head) -> float:
        """Runs, events, typed messages and checkpoints have keys of their own."""
        return score(head)

    def group_keys(self, source: Source) -> Iterable[str]:
        """Trace ids of runs, which come in pages."""
        return trace_ids(source) if runs_in(source.head().first) else ()

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run, thread or conversation."""
        scattered = [s for s in sources if len(sources) > 1 and runs_in(s.head().first)]
        yield from self._read_runs(scattered, put_together)
        for source in sources:
            if is_database(source.head().data):
                yield from read_threads(self.name, source)
            elif source not in scattered:
                yield from self._read(source)

    def _read(self, source: Source) -> Iterator[Trace]:
        documents = put_together(source)
        for value, line in documents:
            whole = chain([(value, line)], documents)
            if runs_in(value):
                yield from self._read_runs([source], _begun(whole))
            elif _events_in(value):
                yield from self._read_events(source, whole)
            else:
                yield from self._read_conversations(source, whole)

    def _read_runs(
        self,
        sources: Sequence[Source],
        documents: Callable[[Source], Documents],
    ) -> Iterator[Trace]:
        for found in collect(sources, documents, read_document):
            trace = self._assemble(found)
            if trace.steps:
                yield trace

    def _assemble(self, found: Collected) -> Trace:
        facts = found.facts
        about = _about(facts.get("name"), facts.get("project"), facts.get("thread"))
        feedback = facts.get("feedback")
        if isinstance(feedback, dict):
            about = About(
                system=about.system,
                session_id=about.session_id,
                judged=_verdicts(feedback),
            )
        spans = list(found.spans.values())

        def build(dialect: LangChain) -> Trace:
            return assemble(
                TraceBuilder(format=self.name, source=found.path),
                found.trace_id,
                spans,
                dialect_of=lambda _: dialect,
                about=about,
                envelope=found.envelope,
                repeated=found.repeated,
            )

        trace = build(_DIALECT)
        if trace.steps:
            return trace
        # Only the outermost run was kept, or nothing but chains.
        return self._from_state(trace, spans) or build(_SPEAKING)

    def _from_state(self, trace: Trace, spans: list[RawSpan]) -> Trace | None:
        """The trace with the conversation that its outermost run ended with."""
        for span in spans:
            messages = messages_of(span.attributes.get("outputs"))
            if span.parent is None and messages is not None:
                builder = TraceBuilder(format=self.name, source=trace.source, dialect=_DIALECT.name)
                entries = [entry for entry in read_list(messages) if entry is not None]
                told = write_trace(builder, entries, id=trace.id)
                return trace.model_copy(
                    update={
                        "steps": told.steps,
                        "agents": told.agents,
                        "task": told.task,
                        "truth": _joined(trace.truth, told.truth),
                        "diagnostics": (*trace.diagnostics, *told.diagnostics),
                    }
                )
        return None

    def _read_events(self, source: Source, documents: Documents) -> Iterator[Trace]:
        events, strange = Events(), 0
        for value, line in documents:
            found = _events_in(value)
            strange += not found
            for event in found:
                events.add(event, line)
        _report(source, strange)
        for id, spans, facts in events.traces():
            builder = TraceBuilder(format=self.name, source=source.path)
            about = _about(facts.get("name"), None, facts.get("thread"))
            trace = assemble(builder, id, spans, dialect_of=lambda _: _DIALECT, about=about)
            if trace.steps:
                yield without_clock(trace.model_copy(update={"dialect": "events"}))

    def _read_conversations(self, source: Source, documents: Documents) -> Iterator[Trace]:
        found = Conversations(self.name, source.path)
        for value, line in documents:
            yield from (trace for trace in found.add(value, line) if trace.steps)
        yield from (trace for trace in found.finish() if trace.steps)
        _report(source, found.strange)


def _begun(documents: Documents) -> Callable[[Source], Documents]:
    """Documents of a source whose first one was looked at already."""
    return lambda _: documents


def _events_in(value: Any) -> list[dict[str, Any]]:
    if is_event(value):
        return [value]
    return [item for item in value if is_event(item)] if isinstance(value, list) else []


def _joined(one: Truth | None, other: Truth | None) -> Truth | None:
    if one is None or other is None:
        return one or other
    return one.model_copy(update={"fields": {**other.fields, **one.fields}})


def _about(name: str | None, project: str | None, thread: str | None) -> About:
    """The system is called as its graph is, else as the project its runs were sent to."""
    known = (system for system in (name, project) if system and system not in _NO_SYSTEMS)
    return About(system=next(known, None), session_id=thread)


def _verdicts(feedback: dict[str, Any]) -> dict[str, Any]:
    """Averages of the feedback by its keys, as far as these name ground truth."""
    found = {}
    for key, stats in feedback.items():
        if isinstance(stats, dict) and is_truth(key, whole_trace=True):
            found[key] = stats.get("avg", stats.get("score"))
    return found


def _report(source: Source, strange: int) -> None:
    if strange:
        source.report(
            f"{strange} records are neither runs nor messages and were passed over", code="TL120"
        )
