"""What a graph shows, what it hides, and what it costs."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from traceloc.graph import Origin, TokenKind, TraceGraph
from traceloc.graph.lexical import MAX_CHARACTERS
from traceloc.trace import InputMessage, Label, Truth

SECRET = "S3CRET-31415"


def reachable(value, seen=None):
    """Texts of everything that can be reached from an object by attributes and items."""
    seen = {} if seen is None else seen
    if id(value) in seen or isinstance(value, type) or callable(value):
        return
    seen[id(value)] = value
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in [*value.keys(), *value.values()]:
            yield from reachable(item, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from reachable(item, seen)
    elif hasattr(value, "__dict__"):
        for name in {*vars(value), *(n for n in dir(type(value)) if n[0] != "_")}:
            if not name.startswith("model_"):
                yield from reachable(getattr(value, name, None), seen)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_leads_to_the_truth(talk):
    trace = talk(
        ("Ann", "Twelve."),
        truth={"expected": SECRET, "mistake_step": SECRET},
        outcome={"status": "failed", "source": "label", "detail": SECRET},
        system=SECRET,
        attributes={"note": SECRET},
    ).model_copy(update={"source": SECRET})
    label = Truth(labels=(Label(native_index=0, reason=SECRET),))
    for version in (trace, trace.model_copy(update={"truth": label})):
        assert any(SECRET in text for text in reachable(version))
        graph = TraceGraph(version)
        for kind in ("next", "reply", "delegates", "calls", "returns", "uses"):
            graph.edges(kind)
        assert graph.lexical.spelling
        assert not [text for text in reachable(graph) if SECRET in text]
        assert graph.trace.truth is None
        assert graph.trace.outcome.status == "unknown"


def test_networkx_comes_when_it_is_asked_for():
    program = """
import sys
from traceloc.graph import TraceGraph
from traceloc.loading import TraceBuilder
builder = TraceBuilder(format="x")
builder.step(kind="message", role="assistant", agent="Ann", native_index=0, text="4711")
graph = TraceGraph(builder.build())
for kind in ("next", "reply", "delegates", "calls", "returns", "uses"):
    graph.edges(kind)
assert "networkx" not in sys.modules
graph.to_networkx()
assert "networkx" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_parts_are_built_once_and_when_asked_for(talk):
    graph = TraceGraph(talk(("Ann", "4711"), ("Bob", "4711")))
    assert set(vars(graph)) == {"trace", "steps"}
    assert graph.edges("next") is graph.edges("next")
    assert "lexical" not in vars(graph)
    assert graph.edges("uses") is graph.edges("uses")
    built = []
    assert graph.memo("x", lambda g: built.append(g) or 7) == 7
    assert graph.memo("x", lambda g: built.append(g) or 8) == 7
    assert built == [graph]


def test_a_step_of_a_hundred_thousand_tokens_is_bounded(talk):
    start = " ".join(str(10_000 + i) for i in range(100_000))
    trace = talk(("Ann", f"{start} 424242"), ("Bob", "424242 10000 50000"))
    began = time.process_time()
    graph = TraceGraph(trace)
    uses = graph.edges("uses")
    assert time.process_time() - began < 1
    assert len(graph.lexical.spelling) < MAX_CHARACTERS / 5
    assert graph.lexical.lengths[0] < MAX_CHARACTERS / 5
    # Start and end are read, the middle is not.
    assert uses.weight.tolist() == [2]
    assert sorted(graph.shared_values(0, 1)) == ["10000", "424242"]


def test_cost_grows_with_the_trace_and_not_with_its_square(talk):
    def seconds(n):
        lines = [(f"Agent{i % 5}", f"order {i} of {i % 97} for Marseille") for i in range(n)]
        graph = TraceGraph(talk(*lines))
        began = time.process_time()
        graph.edges("uses"), graph.edges("reply"), graph.edges("delegates")
        return time.process_time() - began

    seconds(100)
    small, large = min(seconds(500) for _ in range(3)), min(seconds(8000) for _ in range(2))
    assert large < 16 * 4 * small + 0.1


@pytest.mark.parametrize(
    "arguments",
    [
        10**4000,
        [[[[["deep"]]]]],
        {"a": float("inf"), "b": None, "c": True},
        "plain text",
        None,
        list(range(100_000)),
    ],
    ids=["huge", "deep", "odd", "text", "none", "long"],
)
def test_any_arguments_can_be_read(talk, call, arguments):
    made = call("x").model_copy(update={"arguments": arguments})
    graph = TraceGraph(talk(("Ann", "Look.", {"calls": [made]})))
    assert len(graph.content(0)) <= MAX_CHARACTERS
    assert graph.edges("uses").source.size == 0
    assert "Look" in graph.lexical.spelling


def test_kinds_of_tokens(talk):
    text = "take 7 of 1,234.5 lamps to Marseille via x_1 and https://x.org"
    index = TraceGraph(talk(("Ann", text))).lexical
    kinds = {index.spelling[i]: TokenKind(index.kinds[i]).name for i in index.ids(0).tolist()}
    assert kinds == {
        "take": "WORD", "7": "SMALL", "of": "WORD", "1,234.5": "NUMBER", "lamps": "WORD",
        "to": "WORD", "Marseille": "NAME", "via": "WORD", "x_1": "IDENTIFIER", "and": "WORD",
        "https://x.org": "LINK",
    }  # fmt: skip


def test_origins(talk):
    given = (InputMessage(role="user", text="Lyon"),)
    graph = TraceGraph(
        talk(
            ("system", "You are Zed."),
            ("user", "Ask Marseille."),
            ("Ann", "Nantes and Lyon", {"inputs": given}),
            ("tool", "Paris"),
            task="Mind Toulouse.",
        )
    )
    assert [Origin(o).name for o in graph.origins] == ["SYSTEM", "HUMAN", "AGENT", "ENVIRONMENT"]
    index = graph.lexical
    origin = {word: Origin(index.first_origin[i]).name for i, word in enumerate(index.spelling)}
    assert origin["Zed"] == "SYSTEM" and origin["Marseille"] == "HUMAN"
    assert origin["Nantes"] == "AGENT" and origin["Paris"] == "ENVIRONMENT"
    assert origin["Toulouse"] == "TASK" and origin["Lyon"] == "INPUT"


def test_an_agent_known_as_a_tool_is_environment(talk):
    trace = talk(("Shell", "12"), ("Ann", "Twelve."))
    agents = tuple(
        a.model_copy(update={"kind": "tool"}) if a.name == "Shell" else a for a in trace.agents
    )
    graph = TraceGraph(trace.model_copy(update={"agents": agents}))
    assert graph.is_environment.tolist() == [True, False]
    assert graph.is_acting.tolist() == [False, True]


def test_turns_and_neighbours(talk):
    graph = TraceGraph(talk(("Ann", "a"), ("Ann", "b"), ("Bob", "c"), ("tool", "d"), ("Ann", "e")))
    assert graph.agent_names == ("Ann", "Bob", "tool")
    assert graph.turn_of.tolist() == [0, 0, 1, 2, 3]
    mask = np.array([True, False, False, True, False])
    assert graph.following(mask).tolist() == [3, 3, 3, 5, 5]
    assert graph.preceding(mask).tolist() == [-1, 0, 0, 0, 3]
