"""Values that frameworks wrote with ``str()``: read as JSON, whatever they were."""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc import Trace
from traceloc_plugins.literals import MAX_DEPTH, read_literal
from traceloc_plugins.spans.values import decoded

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
WORDS = st.text() | st.text("'\"\\\n\t{[(,:x0")
LITERALS = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(WORDS, inner),
    max_leaves=20,
)


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@given(LITERALS)
def test_what_repr_writes_is_read_as_it_was(value: Any) -> None:
    assert read_literal(repr(value)) == as_json(value)


@given(st.text("'\"\\ \n1.-e_[](){},:=xbuNone"))
def test_any_text_is_a_literal_or_a_value_error(text: str) -> None:
    try:
        value = read_literal(text, objects=True)
    except ValueError:
        return
    json.dumps(value).encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{1: (2, None)}", {"1": [2, None]}),
        ("{(1, 'a'): 2, None: 3}", {"(1, 'a')": 2, "None": 3}),
        ("{'b', 'a'}", ["b", "a"]),
        ("('alone')", "alone"),
        ("('alone',)", ["alone"]),
        ("('in two '\n 'lines')", "in two lines"),
        ("[b'x', -1e3, ()]", ["b'x'", -1000.0, []]),
        (r"'\x41\u00e9\U0001f600\101\d\''", "Aé😀A\\d'"),
        (r"['\ud800']", ["?"]),
    ],
)
def test_literals(text: str, value: Any) -> None:
    assert read_literal(text) == value


@pytest.mark.parametrize(
    "text", ["", "[", "[1 2]", "{1: 2, 3}", "{'a' 'b': }", "nan", "Call(a=1)", "1 or 2", "'a", "1j"]
)
def test_what_is_no_literal(text: str) -> None:
    with pytest.raises(ValueError, match=r"literal|could not convert"):
        read_literal(text)


def test_objects() -> None:
    text = "[Call(id='c1', arguments='{}', inner=a.Part(n=1,)), None]"
    assert read_literal(text, objects=True) == [
        {"id": "c1", "arguments": "{}", "inner": {"n": 1}},
        None,
    ]


def test_nobody_is_warned_about_the_text_of_a_trace() -> None:
    text = r"['\d', 1]"
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert decoded(text) == ["\\d", 1]
    assert not heard
    with pytest.warns():
        assert ast.literal_eval(text) == decoded(text)


@pytest.mark.parametrize("text", ["{{}: ''}", "({{}})", "{[1]: '2'}"])
def test_keys_that_no_dict_can_have(text: str) -> None:
    with pytest.raises(TypeError):
        ast.literal_eval(text)
    json.dumps(decoded(text))


def test_depth_is_bounded_and_broken_texts_are_refused() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_literal(deep)
    with pytest.raises(ValueError, match="literal"):
        read_literal(f"[{deep}]")
    for text in ("'" * 100_001, "\\" * 100_000, "1" * 4000 + "x", "(" * 100_000, "[" + "1," * 9):
        with pytest.raises(ValueError, match=r"literal|invalid|convert"):
            read_literal(text)


def test_surrogates_in_a_console_can_be_written_again(load_one: Any) -> None:
    rule = "-" * 10
    trace = load_one(
        f"{rule} ToolCallRequestEvent (clerk) {rule}\n"
        "[FunctionCall(id='c1', arguments='\\ud800', name='st\\ud800ck')]\n"
    )
    assert trace.steps[0].tool_calls[0].name == "st?ck"
    assert Trace.model_validate_json(trace.model_dump_json()) == trace


def test_json_in_a_string_is_no_way_around_the_bound_on_depth() -> None:
    assert "nested too deeply" in json.dumps(decoded("[" * 190 + "]" * 190))
    assert decoded("[" * 30 + "]" * 30) == json.loads("[" * 30 + "]" * 30)
