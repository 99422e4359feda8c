"""Any bytes in: traces or a TraceFormatError out, and never another exception."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceloc import Trace, TraceFormatError
from traceloc.loading import Source
from traceloc.registry import Registry

REGISTRY = Registry()
LOADERS = sorted(plugin.name for plugin in REGISTRY.list("loaders"))
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**130), max_value=2**130),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "\x00", "{" * 300, "[" * 300 + "]" * 300, '{"a": NaN}']),
)
KEYS = st.sampled_from(
    ["role", "content", "name", "tool_calls", "text", "type", "id", "agent", "step", "messages"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def check(name: str, data: bytes) -> list[Trace]:
    """Sniff and load; what comes out must be sound and survive being written and read."""
    loader = REGISTRY.get("loaders", name)
    source = Source("-", content=data)
    try:
        score = loader.sniff(source.head())
        assert 0.0 <= score <= 1.0
        traces = list(loader.load([source]))
    except TraceFormatError:
        return []
    for trace in traces:
        assert [step.index for step in trace.steps] == list(range(len(trace.steps)))
        assert Trace.model_validate_json(trace.model_dump_json()).id == trace.id
    return traces


@pytest.mark.parametrize("name", LOADERS)
@SETTINGS
@given(data=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes(name, data):
    check(name, data)


@pytest.mark.parametrize("name", LOADERS)
@SETTINGS
@given(draw=st.data())
def test_damaged_documents(name, documents, draw):
    kinds = sorted(documents)
    document = documents[name if name in kinds else draw.draw(st.sampled_from(kinds))]
    document = copy.deepcopy(document)
    for _ in range(draw.draw(st.integers(1, 4))):
        damage(document, draw)
    data = json.dumps(document).encode()
    if draw.draw(st.booleans()):
        data = data[: draw.draw(st.integers(0, len(data)))]
    check(name, data)


@pytest.mark.parametrize("depth", [150, 900, 100_000])
@pytest.mark.parametrize("name", LOADERS)
def test_deep_nesting(name, documents, depth):
    deep = "[" * depth + "]" * depth
    objects = '{"a":' * depth + "1" + "}" * depth
    for document in documents.values():
        for nested in (deep, objects):
            check(name, nested.encode())
            text = json.dumps(document).replace('"Twelve."', nested)
            check(name, text.replace('"How many lamps are left?"', nested).encode())


def damage(document: Any, draw: st.DataObject) -> None:
    """Delete, replace or repeat something at a random place."""
    places = list(containers(document))
    container = draw.draw(st.sampled_from(places))
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    if not keys:
        return
    key = draw.draw(st.sampled_from(keys))
    match draw.draw(st.sampled_from(["delete", "replace", "repeat"])):
        case "delete":
            del container[key]
        case "replace":
            container[key] = draw.draw(JSON)
        case "repeat" if isinstance(container, list):
            container.append(copy.deepcopy(container[key]))


def containers(value: Any) -> Any:
    """Every object and list of a document."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)
