"""Values that frameworks wrote with ``str()``: read as JSON, whatever they were."""

from __future__ import annotations

import json

import pytest

from traceloc import Trace
from traceloc_plugins.literals import as_json


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ({1: (2, None)}, {"1": [2, None]}),
        ({"b", "a"}, ["a", "b"]),
        (b"x", "b'x'"),
        ("\ud800", "?"),
        (1.5, 1.5),
    ],
)
def test_as_json(literal, value):
    assert as_json(literal) == value
    json.dumps(as_json(literal)).encode()


def test_depth_is_bounded():
    deep = []
    for _ in range(500):
        deep = [deep]
    assert "nested too deeply" in json.dumps(as_json(deep))


def test_surrogates_in_a_console_can_be_written_again(load_one):
    rule = "-" * 10
    trace = load_one(
        f"{rule} ToolCallRequestEvent (clerk) {rule}\n"
        "[FunctionCall(id='c1', arguments='\\ud800', name='st\\ud800ck')]\n"
    )
    assert trace.steps[0].tool_calls[0].name == "st?ck"
    assert Trace.model_validate_json(trace.model_dump_json()) == trace
