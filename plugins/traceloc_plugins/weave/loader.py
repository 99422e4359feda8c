"""Reads calls of W&B Weave: a list, a page of the interface's answer, or one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.spans.assembly import About, assemble
from traceloc_plugins.spans.collecting import Collected, collect, trace_ids
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.weave.calls import (
    EXAMPLE,
    HIDDEN,
    calls_in,
    hide_judging,
    read_document,
    renumber,
    split_runs,
)
from traceloc_plugins.weave.dialect import Weave


class WeaveLoader:
    """Loader of Weave's calls."""

    name = "weave"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "give the outermost function the request as an argument",
        "agents": "make agents objects with a method that is a `@weave.op()`: its class or "
        "`name` is theirs",
        "instructions": "have Weave patch the model's client: its calls hold the whole request",
        "schemas": "have Weave patch the model's client: its calls hold the whole request with "
        "its tools",
        "calls": 'mark tools with `@weave.op(kind="tool")`',
        "results": 'mark tools with `@weave.op(kind="tool")`',
        "inputs": "leave `postprocess_inputs` of the functions out, which cuts what a call was "
        "given",
        "outcome": "run it as an `Evaluation`, whose scorers say it, or give feedback on the call",
        "usage": "have Weave patch the model's client: `summary.usage` of its calls holds them",
    }

    def sniff(self, head: Head) -> float:
        """The name of a function and a trace beside each other are Weave's own."""
        return 0.97 if calls_in(head.first) else 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        """Trace ids: the calls of a trace may come in several files, as pages do."""
        return trace_ids(source)

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each trace of Weave, or for each example of an evaluation."""
        for found in collect(sources, Source.documents, read_document):
            spans = list(found.spans.values())
            runs = split_runs(spans)
            if runs[0] is not spans:
                inside = sum(map(len, runs))
                runs = [renumber(run) for run in runs]
                found.unjoined = len(spans) - inside
            for run in runs:
                trace = self._assemble(found, run, alone=runs[0] is spans)
                if trace.steps:
                    yield trace

    def _assemble(self, found: Collected, spans: list[RawSpan], *, alone: bool) -> Trace:
        facts = found.facts
        dialect = Weave(spans, hide_judging(spans))
        builder = TraceBuilder(format=self.name, source=found.path)
        judged: dict[str, Any] = {}
        example = next((span for span in spans if span.name == EXAMPLE), None)
        if example is not None:
            judged = _verdicts(example)
        if not alone and found.unjoined:
            builder.note("note", f"{found.unjoined} calls belong to the evaluation around the runs")
        project = word(facts.get("project")) or ""
        return assemble(
            builder,
            found.trace_id if alone or example is None else example.id,
            spans,
            dialect_of=lambda _: dialect,
            about=About(
                system=project.rpartition("/")[2] or None,
                session_id=word(facts.get("thread")),
                judged=judged,
            ),
            envelope=found.envelope,
            repeated=found.repeated,
        )


def _verdicts(example: RawSpan) -> dict[str, Any]:
    """What the scorers said of an example; several must agree that it passed."""
    hidden = example.attributes.get(HIDDEN)
    gave = hidden.get("output") if isinstance(hidden, dict) else None
    scores = gave.get("scores") if isinstance(gave, dict) else None
    verdicts: list[bool] = []
    for score in scores.values() if isinstance(scores, dict) else ():
        found = score.values() if isinstance(score, dict) else [score]
        verdicts.extend(item for item in found if isinstance(item, bool))
    return {"passed": all(verdicts)} if verdicts else {}
