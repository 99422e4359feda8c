"""Traces that the kit shows to signals: one in which nearly everything happens, and odd ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.trace import (
    InputMessage,
    Label,
    Outcome,
    StepError,
    ToolCall,
    Trace,
    Truth,
)

SEED = 20260301
_WORDS = (
    "4711", "1,200.5", "Marseille", "however", "therefore", "final answer: 12", "wrong", "sorry",
    "plan:", "```python\nx = 1\n```", "no progress", "[]", "Error: no", "x_1", "日本", "\n- a", "",
)  # fmt: skip
_WHO = ("Ann", "Bob", "Boss", "user", "system", "tool", "tool.x")


def make_trace(
    *lines: tuple[Any, ...],
    id: str = "t",
    orchestrator: str = "Boss",
    outcome: Mapping[str, Any] | None = None,
    truth: Mapping[str, Any] | None = None,
    tools: Iterable[Mapping[str, Any]] = (),
    **fields: Any,
) -> Trace:
    """A trace from lines ``(agent, text)`` or ``(agent, text, {field: value})``.

    The user is a person, ``tool`` or ``tool.NAME`` gives back what a tool returned, and the rest
    work.

    Args:
        *lines: What happened; a field is one of :class:`~traceloc.trace.Step`, ``calls`` or
            ``call_id``.
        id: Of the trace.
        orchestrator: Who directs.
        outcome: Arguments of :meth:`~traceloc.loading.TraceBuilder.outcome`.
        truth: Likewise of ``truth``.
        tools: Likewise of ``tool``, for each.
        **fields: Likewise of ``build``.
    """
    builder = TraceBuilder(format="talk")
    for tool in tools:
        builder.tool(**tool)
    for index, (agent, text, *more) in enumerate(lines):
        extra: dict[str, Any] = dict(more[0]) if more else {}
        kind, role = "message", "assistant"
        if agent.startswith("tool"):
            agent = agent.partition(".")[2] or "tool"
            kind, role = "result", "tool"
        elif agent in ("user", "system"):
            kind, role = ("message" if agent == "user" else "system"), agent
        elif agent == orchestrator:
            builder.agent(agent, kind="orchestrator")
        if extra.get("calls"):
            kind = "action"
        elif extra.get("to"):
            kind = "handoff"
        extra = {"kind": kind, "role": role, "native_index": index, **extra}
        builder.step(agent=agent, text=text, **extra)
    if outcome:
        builder.outcome(**outcome)
    if truth:
        builder.truth(**truth)
    return builder.build(id=id, **fields)


def _call(name: str, id: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, id=id, arguments=arguments)


@lru_cache(maxsize=1)
def rich_trace() -> Trace:
    """Orders, calls, failures, code, ledgers, complaints and an answer in fifteen steps."""
    stall = {"ledger": {"is_in_loop": {"answer": True}, "is_progress_being_made": True}}
    schema = {"type": "object", "properties": {"sku": {"type": "integer"}}, "required": ["sku"]}
    return make_trace(
        ("system", "You keep the stock of a shop in Marseille."),
        ("user", "How many of lamp 4711 are left in Marseille and Lyon? Please confirm."),
        ("Boss", "The plan: first, we will ask Ann. Step 1: count 4711.", {"to": ("Ann",)}),
        (
            "Ann",
            "I look.",
            {"calls": [_call("stock", "a", sku="x"), _call("stcok", "b")]},
        ),
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
        ("Ann", "", {"calls": [_call("update_stock", "c", sku=4711, city="Paris")]}),
        ("tool.update_stock", "ok", {"call_id": "c"}),
        ("Boss", "Sorry, my mistake. FINAL ANSWER: 815 lamps in Marseille. 日本 🏮 zoë"),
        tools=[{"name": "stock", "parameters": schema}, {"name": "update_stock"}],
        task="How many of lamp 4711 are left in Marseille and Lyon? Please confirm.",
    )


@lru_cache(maxsize=1)
def odd_traces() -> tuple[Trace, ...]:
    """No step, one empty step, only results, strange characters, very long texts, random ones."""
    strange = "\u202e\u0623\u0647\u0644\u0627 ١٢٣ ²³ \x1b[31m 日本 🏮 \x00 ﬁ İ"
    long = " ".join(map(str, range(20_000)))
    return (
        make_trace(),
        make_trace(("Ann", "")),
        make_trace(("tool", "[]"), ("tool", "Error: x"), ("tool", "")),
        make_trace(("system", "You are Ann."), ("user", "Hi 4711")),
        make_trace(("Ann", strange), ("Bob", "İ" * 300)),
        make_trace(("Ann", long), ("Bob", "x" * 50_000)),
        *map(random_trace, range(20)),
    )


def random_trace(number: int) -> Trace:
    """A conversation by chance, the same for the same number."""
    chance = random.Random(SEED + number)  # noqa: S311
    lines = []
    for position in range(chance.randint(1, 12)):
        agent = chance.choice(_WHO)
        extra: dict[str, Any] = {"to": chance.choice(((), ("Ann",), ("Bob", "Ann")))}
        text = " ".join(chance.choices(_WORDS, k=chance.randint(0, 5)))
        if chance.random() < 0.5 and not agent.startswith("tool"):
            extra["calls"] = [_call("x", str(position), q=text, n=[1, None, 2.5])]
        elif chance.random() < 0.3:
            extra["error"] = StepError(kind="control_flow", message="Command(")
        lines.append((agent, text, extra))
    schema: dict[str, Any] = {"properties": {"q": {}}}
    return make_trace(*lines, id=f"r{number}", tools=[{"name": "x", "parameters": schema}])


def with_truth(trace: Trace) -> Trace:
    """The same trace with labels, a reference answer and an outcome."""
    return trace.model_copy(
        update={
            "truth": Truth(labels=(Label(native_index=1, agent="Ann"),), expected="12"),
            "outcome": Outcome(status="failed", source="label", score=0.0),
            "attributes": {"mistake_step": "1"},
        }
    )


def with_other_papers(trace: Trace) -> Trace:
    """The same run told by other means: another id, format, file, system, session and numbering."""
    steps = tuple(
        step.model_copy(update={"native_index": step.index + 5, "line": 3, "span_id": "x"})
        for step in trace.steps
    )
    told = {"id": "x", "format": "who_and_when", "dialect": "x", "session_id": "x", "steps": steps}
    return trace.model_copy(update=told | {"source": "failed/6.json", "system": "who_and_when"})


def rename_agents(trace: Trace, names: Mapping[str, str]) -> Trace:
    """The same trace with other names for its agents, wherever a field holds one."""
    agents = tuple(
        agent.model_copy(
            update={
                "name": names.get(agent.name, agent.name),
                "parent": names.get(agent.parent, agent.parent) if agent.parent else None,
            }
        )
        for agent in trace.agents
    )
    steps = tuple(
        step.model_copy(
            update={
                "agent": names.get(step.agent, step.agent),
                "to": tuple(names.get(each, each) for each in step.to),
                "inputs": step.inputs
                and tuple(
                    each.model_copy(update={"agent": names.get(each.agent or "", each.agent)})
                    for each in step.inputs
                ),
            }
        )
        for step in trace.steps
    )
    return trace.model_copy(update={"agents": agents, "steps": steps})
