"""Any bytes, and files of other formats: traces or a TraceFormatError, never another exception.

Damage to a loader's own format is done by the contract kit, in ``tests/contract``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from traceloc import TraceFormatError
from traceloc.loading import Source
from traceloc.registry import Registry
from traceloc.testing import damage
from traceloc.testing.soundness import require_sound

REGISTRY = Registry()
LOADERS = REGISTRY.names("loaders")
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
KEYS = st.sampled_from(
    ["role", "content", "name", "tool_calls", "text", "type", "id", "agent", "step", "messages"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**130), max_value=2**130)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\x00", "{" * 300, "[" * 300 + "]" * 300, '{"a": NaN}'])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def check(name: str, data: bytes, what: str = "it") -> None:
    """Sniff and load; what comes out must be sound and survive being written and read."""
    loader = REGISTRY.get("loaders", name)
    source = Source("-", content=data)
    try:
        assert 0.0 <= loader.sniff(source.head()) <= 1.0
        traces = list(loader.load([source]))
    except TraceFormatError:
        return
    for trace in traces:
        require_sound(trace, what=what, damaged=True)


@pytest.mark.parametrize("name", LOADERS)
@SETTINGS
@given(data=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes(name: str, data: bytes) -> None:
    check(name, data)


@pytest.mark.parametrize("name", LOADERS)
def test_other_formats(name: str, documents: dict[str, Any]) -> None:
    for other, document in documents.items():
        data = json.dumps(document).encode()
        check(name, data, other)
        for how, variant in damage.mutate(data, count=6):
            check(name, variant, f"{other}, {how}")
