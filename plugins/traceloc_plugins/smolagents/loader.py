"""Reads what smolagents remembers of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded, drain, keep_fields, read_traces
from traceloc_plugins.smolagents.steps import StepReader, as_step

_ACTION = frozenset(
    {"tool_calls", "model_output_message", "model_output", "observations", "action_output", "error"}
)


class SmolagentsLoader:
    """Loader of memory dumps: ``get_full_steps``, ``get_succinct_steps``, ``RunResult.dict``."""

    name = "smolagents"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "write `agent.memory.get_full_steps()` from its first step, which is the task",
        "agents": "a memory does not name its agent; spans of OpenInference do, for the loader "
        "`otel`",
        "instructions": "write `get_full_steps()`, not `get_succinct_steps()`: its inputs hold "
        "the system prompt",
        "schemas": "a memory does not hold them, only words of the prompt; spans of "
        "OpenInference do",
        "calls": "nothing to switch on: each step holds its calls; without any the run made none",
        "results": "nothing to switch on: each step holds its observations",
        "inputs": "write `get_full_steps()`, not `get_succinct_steps()`, which leaves out what "
        "models were given",
        "outcome": "write `agent.run(task, return_full_result=True).dict()`, whose `state` says "
        "how it ended",
    }

    def sniff(self, head: Head) -> float:
        """Numbered steps with their timing, or the task they begin with."""
        first = head.first
        if isinstance(first, dict) and isinstance(first.get("steps"), list):
            steps = first["steps"]
            known = {"output", "state"} <= first.keys() and any(map(_is_step, steps[:5]))
            return 0.96 if known else 0.9 * any(map(_is_action, steps[:5]))
        items = first if isinstance(first, list) else head.documents
        return 0.95 if any(map(_is_step, items[:5])) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each run."""
        return read_traces(self.name, sources, is_trace=_is_run, is_item=_is_step, read=_read_run)


def _is_action(value: Any) -> bool:
    step = as_step(value)
    return {"step_number", "timing"} <= step.keys() and not step.keys().isdisjoint(_ACTION)


def _is_step(value: Any) -> bool:
    step = as_step(value)
    return _is_action(step) or {"task", "task_images"} <= step.keys()


def _is_run(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get("steps"), list) and any(map(_is_step, value["steps"][:20]))
    return isinstance(value, list) and any(map(_is_step, value[:20]))


def _read_run(builder: TraceBuilder, value: Any) -> Trace:
    run = {"steps": value} if isinstance(value, list) else dict(value)
    reader = StepReader(builder)
    for native, step in drain(run.pop("steps")):
        reader.add(step, native)
    state = word(run.get("state"))
    attributes = keep_fields(builder, bounded(run))
    if state and state != "success":
        builder.outcome("failed", source="error", detail=state)
    return builder.build(task=reader.turns.first_request, attributes=attributes)
