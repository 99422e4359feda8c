"""Brings the spans of each trace together, wherever in the files they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pydantic_core import from_json

from traceloc.loading import Source
from traceloc_plugins.records import bounded
from traceloc_plugins.spans.raw import ContentRecord, RawSpan, SpanEvent
from traceloc_plugins.spans.values import identifier

# Whole files are searched for this before the first trace is given. Most quotes are told to begin
# something else by the letter after them, which is why that letter stands in both branches.
_TRACE_ID = re.compile(
    rb'"(?:t|context\.t)race_?[iI][dD]"\s*:\s*"([^"\\]{0,64}(?:\\[^"]{0,384})?)"'
)
MAX_DEPTH = 150
"""Attributes of OTLP need three levels of JSON for each of their own."""
_CHUNK = 1 << 20
_OVERLAP = 1024


class TraceFacts(NamedTuple):
    """What a file says of a trace as a whole."""

    trace_id: str
    fields: dict[str, Any]


class Envelope(NamedTuple):
    """What a document says beside the spans in it, and so of all their traces."""

    fields: dict[str, Any]


Found = RawSpan | ContentRecord | TraceFacts


@dataclass(slots=True)
class Collected:
    """Spans of one trace in file order, each once, with what belongs to them."""

    trace_id: str
    path: str
    """The first file that tells of the trace."""
    spans: dict[str, RawSpan] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    """Fields of the documents that hold its spans."""
    repeated: int = 0
    """How often a span id was met again."""
    unjoined: int = 0
    """Content records whose span is missing; known once all is collected."""
    _records: dict[str, list[SpanEvent]] = field(default_factory=dict)

    def add(self, found: Found) -> None:
        """Take in one more piece."""
        if isinstance(found, ContentRecord):
            self._records.setdefault(found.span_id, []).append(found.event)
        elif isinstance(found, TraceFacts):
            self.facts = {**found.fields, **self.facts}
        else:
            self._add_span(found)

    def _add_span(self, found: RawSpan) -> None:
        known = self.spans.get(found.id)
        if known is None:
            found.native = len(self.spans)
            self.spans[found.id] = found
            return
        self.repeated += 1
        more = len(found.attributes) + len(found.events) > len(known.attributes) + len(known.events)
        if (known.end is None and found.end is not None) or (more and found.end is not None):
            found.native = known.native  # a span that was exported early and again when it ended
            self.spans[found.id] = found

    def join(self) -> None:
        """Put content that was exported apart into the spans it belongs to."""
        for span_id, events in self._records.items():
            if (span := self.spans.get(span_id)) is not None:
                span.events.extend(events)
            else:
                self.unjoined += len(events)
        self._records.clear()


def collect(
    sources: Sequence[Source],
    documents: Callable[[Source], Iterable[tuple[Any, int | None]]],
    read: Callable[[Any, int | None], Iterable[Found | Envelope]],
    *,
    scattered: bool = True,
) -> Iterator[Collected]:
    """Each trace, as soon as its last line was read.

    Args:
        sources: Files that belong together.
        documents: The documents of a file with their lines.
        read: The pieces of one document.
        scattered: Whether the pieces of one trace may stand in several documents.
    """
    last_seen = _last_lines(sources) if scattered else {}
    collected: dict[str, Collected] = {}
    for number, source in enumerate(sources):
        for document, line in documents(source):
            touched: dict[str, None] = {}
            around: dict[str, Any] = {}
            for found in read(bounded(document, depth=MAX_DEPTH), line):
                if isinstance(found, Envelope):
                    around.update(found.fields)
                    continue
                trace = collected.get(found.trace_id)
                if trace is None:
                    trace = collected[found.trace_id] = Collected(found.trace_id, source.path)
                trace.add(found)
                touched[found.trace_id] = None
            del document
            for trace_id in touched if around else ():
                trace = collected[trace_id]
                trace.envelope = {**around, **trace.envelope}
            for trace_id in touched if line is not None or not scattered else ():
                if not scattered or last_seen.get(trace_id, (len(sources), 0)) <= (
                    number,
                    line or 0,
                ):
                    trace = collected.pop(trace_id)
                    trace.join()
                    yield trace
    for trace in collected.values():
        trace.join()
        yield trace


def trace_ids(source: Source) -> list[str]:
    """Trace ids of a file, found without parsing."""
    found: set[bytes] = set()
    rest = b""
    for chunk in source.pieces(_CHUNK):
        data = rest + chunk
        found.update(_TRACE_ID.findall(data))
        rest = data[-_OVERLAP:]
    return sorted(set(filter(None, map(identifier, map(_unescaped, found)))))


def _last_lines(sources: Sequence[Source]) -> dict[str, tuple[int, int]]:
    """Where each trace id occurs last, so that a long file need not be held whole.

    Only for files that are read line by line and too long for one look.
    """
    if all(source.head().complete for source in sources):
        return {}
    places: dict[bytes, tuple[int, int]] = {}
    for number, source in enumerate(sources):
        if not source.is_json_lines():
            return {}
        # What is wrong with a line is told when it is read.
        for line, data in replace(source, problems=[]).lines():
            places.update(dict.fromkeys(_TRACE_ID.findall(data), (number, line)))
    found: dict[str, tuple[int, int]] = {}
    for raw, place in places.items():
        written = _unescaped(raw)
        for trace_id in {written, identifier(written) or written}:
            found[trace_id] = max(place, found.get(trace_id, place))
    return found


def _unescaped(raw: bytes) -> str:
    """What stands between the quotes of a JSON string; nothing where that is no JSON."""
    if b"\\" not in raw:
        return raw.decode("ascii", "replace")
    try:
        return str(from_json(b'"%b"' % raw))
    except ValueError:
        return ""
