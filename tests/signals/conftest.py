"""A way to ask one feature of a trace, and a trace in which nearly everything happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from traceloc.attribution import Evidence
from traceloc.graph import TraceGraph
from traceloc.registry import Registry
from traceloc.trace import InputMessage, Trace

REGISTRY = Registry()


@pytest.fixture(scope="session")
def signal() -> Callable[[str], object]:
    return lambda name: REGISTRY.get("signals", name)


@pytest.fixture
def values(signal) -> Callable[[Trace, str], list[float]]:
    """The column of ``family.feature``."""

    def measure(trace: Trace, name: str) -> list[float]:
        family, _, feature = name.partition(".")
        found = signal(family)
        position = [each.name for each in found.features].index(feature)
        return found.measure(TraceGraph(trace))[:, position].tolist()

    return measure


@pytest.fixture
def fires(values) -> Callable[[Trace, str], list[int]]:
    """The steps at which ``family.feature`` is above zero."""
    return lambda trace, name: [i for i, v in enumerate(values(trace, name)) if v > 0]


@pytest.fixture
def explain(signal) -> Callable[[Trace, int, str], Evidence]:
    """The evidence for ``family.feature`` at a step."""

    def look(trace: Trace, step: int, name: str) -> Evidence:
        family, _, feature = name.partition(".")
        found = signal(family).explain(TraceGraph(trace), step, feature)
        assert found is not None and found.signal == name
        return found

    return look


@pytest.fixture
def cited(explain) -> Callable[[Trace, int, str], list[int]]:
    """The steps that the evidence for ``family.feature`` at a step cites."""
    return lambda trace, step, name: [cite.step for cite in explain(trace, step, name).cites]


@pytest.fixture
def rich(talk, call) -> Trace:
    """Orders, calls, failures, code, ledgers, complaints and an answer in fifteen steps."""
    stall = {"ledger": {"is_in_loop": {"answer": True}, "is_progress_being_made": True}}
    schema = {"type": "object", "properties": {"sku": {"type": "integer"}}, "required": ["sku"]}
    return talk(
        ("system", "You keep the stock of a shop in Marseille."),
        ("user", "How many of lamp 4711 are left in Marseille and Lyon? Please confirm."),
        ("Boss", "The plan: first, we will ask Ann. Step 1: count 4711.", {"to": ("Ann",)}),
        ("Ann", "I look.", {"calls": [call("stock", id="a", sku="x"), call("stcok", id="b")]}),
        ("tool.stock", "Error: no such sku", {"call_id": "a"}),
        ("tool.stcok", "[]", {"call_id": "b"}),
        ("Ann", "Assuming 815 lamps at 99.50 each, therefore the answer is 81,092.50."),
        ("Boss", "That seems wrong: no progress.", {"to": ("Bob",), "attributes": stall}),
        (
            "Bob",
            "```python\ndata = [1841, 2022]\ntry: go()\nexcept: pass\n```",
            {"inputs": (InputMessage(role="user", text="Mind 777."),)},
        ),
        ("tool.code", "1841"),
        ("Bob", "- I have verified it: 1481\n- see https://x.org/7", {"reasoning": "Hm, 1841?"}),
        ("Bob", "- I have verified it: 1481\n- see https://x.org/7"),
        ("Ann", "", {"calls": [call("update_stock", id="c", sku=4711, city="Paris")]}),
        ("tool.update_stock", "ok", {"call_id": "c"}),
        ("Boss", "Sorry, my mistake. FINAL ANSWER: 815 lamps in Marseille. 日本 🏮 zoë"),
        tools=[{"name": "stock", "parameters": schema}, {"name": "update_stock"}],
        task="How many of lamp 4711 are left in Marseille and Lyon? Please confirm.",
    )
