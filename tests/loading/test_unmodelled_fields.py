"""What a record says beyond the model is kept in one place, within bounds, and without truth."""

from __future__ import annotations

from typing import Any

import pytest

from traceloc.loading import TraceBuilder, parse_arguments, text_of
from traceloc.loading.bounding import as_json, bounded, is_small
from traceloc.loading.builder import MAX_FIELD, MAX_FIELDS, content_id
from traceloc.trace import Trace
from traceloc_plugins.records import keep_rest, split_truth

READ = frozenset({"words"})


def read(*records: dict[str, Any]) -> Trace:
    """A trace of records, of which those with words make a step."""
    builder = TraceBuilder(format="made")
    for number, record in enumerate(records):
        keep_rest(builder, record, READ, place=f"records[{number}]")
        if "words" in record:
            builder.step(
                kind="message",
                role="assistant",
                agent="clerk",
                native_index=number,
                text=record["words"],
                attributes={"own": number},
            )
    return builder.build(attributes={"of": "the trace"})


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_fields_go_to_the_step_of_their_record() -> None:
    trace = read({"words": "One.", "mood": "fine"}, {"words": "Two."})
    assert trace.steps[0].attributes == {"mood": "fine", "own": 0}
    assert trace.steps[1].attributes == {"own": 1}
    assert trace.attributes == {"of": "the trace"} and not trace.diagnostics


def test_what_a_loader_says_itself_counts_more() -> None:
    trace = read({"words": "One.", "own": "theirs"})
    assert trace.steps[0].attributes == {"own": 0}


def test_fields_of_a_record_without_a_step_go_to_the_trace() -> None:
    trace = read({"mood": "fine"}, {"words": "One."}, {"mood": "bad", "of": "nobody"})
    assert trace.steps[0].attributes == {"own": 1}
    assert trace.attributes == {"mood": "fine", "of": "the trace"}
    assert [note.message for note in trace.diagnostics] == ["other values of the field 'mood'"]


def test_truth_is_taken_out_wherever_it_sits() -> None:
    inside = [{"name": "a", "reward": 1.0, "left": None}, {"name": "b", "left": None}]
    trace = read({"words": "One.", "is_correct": False, "checks": inside})
    assert trace.steps[0].attributes == {
        "checks": [{"name": "a", "left": None}, {"name": "b", "left": None}],
        "own": 0,
    }
    assert trace.truth is not None and trace.truth.fields == {
        "records[0]": {"is_correct": False, "checks": {"0": {"reward": 1.0}}}
    }


def test_a_field_without_truth_is_as_it_was() -> None:
    fields = {"checks": [{"name": "a", "left": None}, 3, []]}
    assert split_truth(fields) == (fields, {})


def test_a_field_that_is_too_large_is_told() -> None:
    trace = read({"words": "One.", "log": "x" * (MAX_FIELD + 1), "list": [0] * MAX_FIELD})
    assert trace.steps[0].attributes == {"list": [0] * MAX_FIELD, "own": 0}
    (note,) = trace.diagnostics
    assert note.kind == "skipped" and "'log'" in note.message


def test_there_may_be_so_many_fields_and_no_more() -> None:
    many = {f"f{number}": number for number in range(MAX_FIELDS + 3)}
    trace = read({"words": "One.", **many})
    assert len(trace.steps[0].attributes) == MAX_FIELDS + 1
    assert len(trace.diagnostics) == 3
    trace = read(*({f"g{number}": number} for number in range(MAX_FIELDS + 3)))
    assert len(trace.attributes) == MAX_FIELDS + 1
    assert [(note.kind, note.count) for note in trace.diagnostics] == [("skipped", 3)]


@pytest.mark.parametrize("value", ["xxx", ["x", "x"], {"xx": 1}, {"x": ["x"]}, [[[]]], 3.5])
def test_sizes_count_characters_and_items(value: Any) -> None:
    sizes = {"xxx": 3, 3.5: 0}
    size = sizes.get(value) if isinstance(value, str | float) else None
    if size is None:
        size = {"['x', 'x']": 4, "{'xx': 1}": 3, "{'x': ['x']}": 4, "[[[]]]": 2}[repr(value)]
    assert is_small(value, size=size)
    assert not size or not is_small(value, size=size - 1)


@pytest.mark.parametrize("levels", [250, 255, 900, 20_000])
def test_deep_values_have_words_too(levels: int) -> None:
    for value in (deep(levels), [deep(levels)]):
        assert text_of(value).startswith('{"a":{"a":')
    assert as_json(deep(900)) == as_json(bounded(deep(900)))


def test_deep_arguments_can_be_written_and_give_an_id() -> None:
    arguments = parse_arguments('{"a":' * 200 + "1" + "}" * 200)
    assert arguments == bounded(deep(200))
    assert parse_arguments('{"a": {"b": [1, null]}}') == {"a": {"b": [1, None]}}
    builder = TraceBuilder(format="made")
    from traceloc.trace import ToolCall

    call = ToolCall.model_construct(name="find", id=None, arguments=deep(900), result_step=None)
    builder.step(
        kind="action", role="assistant", agent="clerk", native_index=0, calls=[call]
    )  # fmt: skip
    assert content_id(builder.steps) == builder.build().id
