"""Files of records, one trace each; and ground truth told apart from what a trace may show.

Many formats are plain JSON: a trace, a list of traces, a trace a line, or a message a line. They
differ in what a record looks like, and share how records are found and how answers are put aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from traceloc.loading import Head, Source, TraceBuilder
from traceloc.loading.bounding import bounded as bounded
from traceloc.loading.source import JsonRecord
from traceloc.trace import Trace
from traceloc_plugins.facts import amount
from traceloc_plugins.truth import is_truth

_VERDICTS = ("is_correct", "is_corrected", "correct", "passed", "success", "resolved", "solved")
_SCORES = ("reward", "score")


class Fields(NamedTuple):
    """What a record says beside its steps."""

    attributes: dict[str, Any]
    truth: dict[str, Any]


def read_traces(
    name: str,
    sources: Sequence[Source],
    *,
    is_trace: Callable[[Any], bool],
    is_item: Callable[[Any], bool] | None = None,
    read: Callable[[TraceBuilder, Any], Trace],
) -> Iterator[Trace]:
    """The traces of files that hold one trace a record.

    Args:
        name: Name of the loader.
        sources: Files to read.
        is_trace: Whether a JSON value is a whole trace.
        is_item: Whether it is one message; a file of those, one a line, is a single trace.
        read: Turns a record into a trace; may consume the record.
    """
    for source in sources:
        for value, line in _records(source, is_trace, is_item):
            try:
                trace = read(TraceBuilder(format=name, source=source.path), value)
            except (ValueError, RecursionError) as error:
                reason = str(error).splitlines()[0][:120]
                source.report(f"record cannot be read: {reason}", code="TL120", line=line)
                continue
            if trace.steps:
                yield trace
            else:
                source.report("record holds no step", code="TL106", line=line)


def _records(
    source: Source,
    is_trace: Callable[[Any], bool],
    is_item: Callable[[Any], bool] | None,
) -> Iterator[JsonRecord]:
    loose: list[Any] = []
    strange, strange_line = 0, None
    for value, line in source.documents():
        if loose or (is_item and is_item(value)):
            loose.append(value)
        elif is_trace(value):
            yield JsonRecord(value, line)
        elif isinstance(value, list):
            for _, item in drain(value):
                if is_trace(item):
                    yield JsonRecord(item, line)
                else:
                    strange, strange_line = strange + 1, strange_line or line
        else:
            strange, strange_line = strange + 1, strange_line or line
    if loose:
        yield JsonRecord(loose, 1)
    if strange:
        source.report(
            f"{strange} records do not have the shape of a trace and were passed over",
            code="TL120",
            line=strange_line,
        )


def first_records(head: Head) -> list[dict[str, Any]]:
    """The first objects of a file; of a list of lists those in its first list."""
    first = head.first
    if isinstance(first, list) and first and isinstance(first[0], list):
        return [item for item in first[0] if isinstance(item, dict)]
    return head.records


def drain(items: list[Any]) -> Iterator[tuple[int, Any]]:
    """Positions and items; each is let go once given, so that a long list is not held twice."""
    for position in range(len(items)):
        item, items[position] = items[position], None
        yield position, item


def split_truth(fields: Mapping[str, Any], *, whole_trace: bool = False) -> Fields:
    """Tell ground truth from other fields, however deep in objects and lists of them it sits.

    Args:
        fields: Fields that the trace model does not name.
        whole_trace: Whether they describe the run, where ``success`` is an outcome; of a single
            tool result it is something the agents saw.
    """
    attributes: dict[str, Any] = {}
    truth: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None or value == [] or value == {}:
            continue
        if is_truth(key, whole_trace=whole_trace):
            truth[key] = bounded(value)
        elif isinstance(value, dict):
            inner = split_truth(bounded(value), whole_trace=whole_trace)
            if inner.attributes:
                attributes[key] = inner.attributes
            if inner.truth:
                truth[key] = inner.truth
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            attributes[key], hidden = _split_items(bounded(value), whole_trace=whole_trace)
            if hidden:
                truth[key] = hidden
        else:
            attributes[key] = bounded(value)
    return Fields(attributes, truth)


def _split_items(items: list[Any], *, whole_trace: bool) -> tuple[list[Any], dict[str, Any]]:
    """The items of a list without ground truth, and what was in them, by position."""
    hidden: dict[str, Any] = {}
    for position, item in enumerate(items):
        if isinstance(item, dict) and (inner := split_truth(item, whole_trace=whole_trace)).truth:
            # Empty fields stay, as they do in an item without truth.
            items[position] = {
                key: inner.attributes.get(key, value)
                for key, value in item.items()
                if key in inner.attributes or not (key in inner.truth or value)
            }
            hidden[str(position)] = inner.truth
    return items, hidden


def keep_fields(builder: TraceBuilder, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Put a record's ground truth and outcome into the builder; gives the other fields back."""
    attributes, truth = split_truth(fields, whole_trace=True)
    if truth:
        builder.truth(**truth)
    state_outcome(builder, truth)
    return attributes


def keep_rest(
    builder: TraceBuilder,
    record: Mapping[str, Any],
    read: AbstractSet[str],
    *,
    place: str,
    whole_trace: bool = False,
) -> None:
    """Keep the fields of a record that a loader does not read, before its steps are added.

    Args:
        builder: The trace under construction.
        record: An object of the source.
        read: Names of the fields that the loader reads, or that say nothing of the run.
        place: Where the record is, such as ``messages[3]``, for the ground truth in it.
        whole_trace: Whether the record is about the run and not about a step.
    """
    rest = rest_of(builder, record, read, place=place, whole_trace=whole_trace)
    builder.beside(rest, whole_trace=whole_trace)


def rest_of(
    builder: TraceBuilder,
    record: Mapping[str, Any],
    read: AbstractSet[str],
    *,
    place: str,
    whole_trace: bool = False,
) -> dict[str, Any]:
    """The fields that :func:`keep_rest` keeps, where the step comes later than the record."""
    if record.keys() <= read:  # nearly always
        return {}
    rest = {key: value for key, value in record.items() if key not in read}
    attributes, truth = split_truth(rest, whole_trace=whole_trace)
    if truth:
        builder.truth(**{place: truth})
    return attributes


def state_outcome(builder: TraceBuilder, truth: Mapping[str, Any]) -> None:
    """Read the outcome from the names that data sets give it."""
    for key in _VERDICTS:
        verdict = truth.get(key)
        if isinstance(verdict, str) and verdict.lower() in ("true", "false"):
            verdict = verdict.lower() == "true"
        if isinstance(verdict, bool):
            builder.outcome("passed" if verdict else "failed", source="label")
            return
    for key in _SCORES:
        if state_score(builder, truth.get(key)):
            return


def state_end(builder: TraceBuilder) -> None:
    """Take a run for failed whose last step is an error of the run, and not of a tool.

    An error that somebody acts after was stood. Called before a source's own verdict is read.
    """
    last = builder.steps[-1] if builder.steps else None
    if last is None or last.kind == "result" or last.error is None or not last.error.declared:
        return
    if last.error.kind != "control_flow":
        builder.outcome("failed", source="error", detail=last.error.message[:500])


def state_score(builder: TraceBuilder, score: Any) -> bool:
    """Take a score of 1 or more for a passed run, less for a failed one; tells if it is a score."""
    number = amount(score)
    if number is None:
        return False
    builder.outcome("passed" if number >= 1 else "failed", source="score", score=number)
    return True


def text_field(fields: Mapping[str, Any], *keys: str) -> str | None:
    """The first of the fields that holds words, as one text; lists of lines are joined."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
            value = "\n".join(value)
        if isinstance(value, str) and value.strip():
            return value
    return None


def id_field(fields: Mapping[str, Any], *keys: str) -> str | None:
    """The first of the fields that can serve as an id."""
    for key in keys:
        value = fields.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value
    return None


def integer(value: Any) -> int | None:
    """A count or position, also where it is written as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 20:
        return int(value)
    return None
