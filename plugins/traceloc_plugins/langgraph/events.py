"""Events of ``astream_events`` as spans: what began, what came of it, in the order of the lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.langgraph.messages import unescaped
from traceloc_plugins.langgraph.runs import raised
from traceloc_plugins.records import bounded, id_field
from traceloc_plugins.spans.collecting import TraceFacts
from traceloc_plugins.spans.raw import RawSpan

_OF_AN_EVENT = frozenset(
    ("event", "name", "run_id", "parent_ids", "data", "metadata", "tags", "parent_run_id")
)
_TYPES = {
    "chain": "chain",
    "chat_model": "llm",
    "llm": "llm",
    "tool": "tool",
    "retriever": "retriever",
    "prompt": "prompt",
    "parser": "parser",
}


def is_event(value: Any) -> bool:
    """Whether a JSON value is an event of the stream."""
    return (
        isinstance(value, dict)
        and isinstance(name := value.get("event"), str)
        and name.startswith("on_")
        and isinstance(value.get("run_id"), str)
        and isinstance(value.get("data"), dict)
    )


class Events:
    """Runs of a stream, one after the other, each with its spans."""

    def __init__(self) -> None:
        self.streamed = 0
        """Pieces of answers that follow whole."""
        self._spans: dict[str, dict[str, RawSpan]] = {}
        self._facts: dict[str, TraceFacts] = {}
        self._count: dict[str, int] = {}

    def add(self, event: dict[str, Any], line: int | None) -> None:
        """Take in one event."""
        stated = event["event"].removeprefix("on_")
        kind, _, stage = stated.rpartition("_")
        id, parents = event["run_id"], event.get("parent_ids")
        above = [p for p in parents if isinstance(p, str)] if isinstance(parents, list) else []
        root = above[0] if above else id
        if not above and root not in self._spans and self._spans and "parent_ids" not in event:
            root = next(reversed(self._spans))  # the first version does not say what is inside what
        position = self._count[root] = self._count.get(root, -1) + 1
        if stage == "stream":
            self.streamed += 1
            return
        spans = self._spans.setdefault(root, {})
        span = spans.get(id)
        if span is None:
            span = spans[id] = RawSpan(
                trace_id=root,
                id=id,
                parent=above[-1] if above else None,
                name=word(event.get("name")) or "run",
                start=position + 1,
                end=None,
                attributes={"run_type": _TYPES.get(kind, kind)},
                line=line,
                native=position,
            )
            if isinstance(metadata := event.get("metadata"), dict):
                span.attributes["metadata"] = bounded(metadata)
            if not event.keys() <= _OF_AN_EVENT:
                others = {key: item for key, item in event.items() if key not in _OF_AN_EVENT}
                span.attributes.update(bounded(others))
            if tags := event.get("tags"):
                span.attributes["tags"] = bounded(tags)
            if span.parent is None:
                about = metadata if isinstance(metadata, dict) else {}
                thread = id_field(about, "thread_id", "session_id", "conversation_id")
                self._facts[root] = TraceFacts(root, {"name": span.name, "thread": thread})
        _fill(span, event["data"], stage, position)

    def traces(self) -> Iterator[tuple[str, list[RawSpan], dict[str, Any]]]:
        """Each run's id, spans and facts."""
        for root, spans in self._spans.items():
            facts = self._facts.get(root)
            yield root, list(spans.values()), facts.fields if facts else {}


def _fill(span: RawSpan, data: dict[str, Any], stage: str, position: int) -> None:
    about = span.attributes
    if data.get("input") is not None:
        about["inputs"] = unescaped(bounded(data["input"]))
    if stage in ("end", "error"):
        span.end, span.native, span.status = position + 1, position, "ok"
    if data.get("output") is not None:
        output = unescaped(bounded(data["output"]))
        about["outputs"] = output if isinstance(output, dict) else {"output": output}
    if call := id_field(data, "tool_call_id"):
        about["tool_call_id"] = call
    if stage == "error" or data.get("error") is not None:
        error = data.get("error")
        if isinstance(error, dict):
            error = error.get("repr") or error.get("message")
        span.message = error if isinstance(error, str) and error else "the run failed"
        span.status = "error"
        span.events.append(raised(span.message))


def without_clock(trace: Trace) -> Trace:
    """The trace without times: the stream has none, and its lines were counted in their place."""
    steps: Iterable[Any] = (step.model_copy(update={"timestamp": None}) for step in trace.steps)
    spans = (span.model_copy(update={"start": None, "end": None}) for span in trace.spans)
    return trace.model_copy(update={"steps": tuple(steps), "spans": tuple(spans)})
