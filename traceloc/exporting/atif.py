"""Traces as ATIF v1.7, the interchange format of Harbor, and back without loss.

ATIF has one agent, no errors and no kinds of steps. What it has no place for stands under
``extra.traceloc`` of the trajectory, its steps and its results, so that traceloc reads again what
it wrote and every other reader finds a plain trajectory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from traceloc.exporting.functions import write_function
from traceloc.trace import Step, ToolCall, Trace, Usage

VERSION = "ATIF-v1.7"
OWN = "traceloc"
"""Key under ``extra`` of what ATIF has no place for."""

_SOURCES = {"assistant": "agent", "user": "user"}
_METRICS = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "cached_tokens": "cache_read",
    "cost_usd": "cost_usd",
}
_TOTALS = {
    "total_prompt_tokens": "input",
    "total_completion_tokens": "output",
    "total_cached_tokens": "cache_read",
    "total_cost_usd": "cost_usd",
}


def to_atif(trace: Trace) -> dict[str, Any]:
    """The trace as an ATIF trajectory.

    A call's results stand in the step that made it, as the format wants it; their own places are
    kept beside them. Ground truth and outcome stand under ``extra.traceloc`` too.
    """
    steps: list[dict[str, Any]] = []
    made: dict[int, dict[str, Any]] = {}
    for step in trace.steps:
        caller = step.tool_result.call_step if step.tool_result else None
        home = made.get(caller) if step.kind == "result" and caller is not None else None
        if home is not None:
            home.setdefault("observation", {"results": []})["results"].append(_result(step, home))
            continue
        written = _step(step, len(steps) + 1)
        steps.append(written)
        if written["source"] == "agent":
            made[step.index] = written
    if not steps:  # the format demands one
        steps.append({"step_id": 1, "source": "system", "message": ""})
    own = trace.model_dump(mode="json", exclude_defaults=True, exclude={"steps", "session_id"})
    return {
        "schema_version": VERSION,
        **({"session_id": trace.session_id} if trace.session_id is not None else {}),
        "trajectory_id": trace.id,
        "agent": _agent(trace),
        "steps": steps,
        "final_metrics": _totals(trace, len(steps)),
        "extra": {OWN: own},
    }


def from_atif(trajectory: dict[str, Any]) -> Trace | None:
    """The trace that traceloc wrote as a trajectory; ``None`` if somebody else wrote or changed it.

    Its format is ``atif`` and its dialect the format it was first read from.
    """
    own = _own(trajectory)
    if own is None:
        return None
    try:
        steps = sorted(_restored(trajectory), key=lambda step: step.index)
        if [step.index for step in steps] != list(range(len(steps))) or not _is_sound(steps):
            return None
        first = own.get("format")
        trace = Trace.model_validate(
            {
                **own,
                "id": trajectory.get("trajectory_id"),
                "session_id": trajectory.get("session_id"),
                "format": "atif",
                "dialect": own.get("dialect") if first == "atif" else first,
            }
        )
    except (ValidationError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return trace.model_copy(update={"steps": tuple(steps)})


def _agent(trace: Trace) -> dict[str, Any]:
    """The one agent ATIF knows: who emitted most."""
    spoken = Counter(step.agent for step in trace.steps if step.role == "assistant")
    name = spoken.most_common(1)[0][0] if spoken else "agent"
    model = trace.agent(name).model
    agent: dict[str, Any] = {"name": name, "version": "unknown"}
    if model is not None:
        agent["model_name"] = model
    if trace.tools:
        agent["tool_definitions"] = [write_function(tool) for tool in trace.tools]
    return agent


def _step(step: Step, number: int) -> dict[str, Any]:
    source = _SOURCES.get(step.role, "system")
    own = _kept(step)
    written: dict[str, Any] = {"step_id": number}
    if (moment := own.pop("timestamp", None)) is not None:
        written["timestamp"] = moment
    written["source"] = source
    if step.kind == "result":
        written["source"] = "system"
        written["message"] = ""
        written["observation"] = {"results": [{"content": step.text}]}
    else:
        written["message"] = step.text
    if written["source"] == "agent":
        _write_emission(step, written, own)
    if "copied_context" in step.flags:
        written["is_copied_context"] = True
    written["extra"] = {OWN: own}
    return written


def _write_emission(step: Step, written: dict[str, Any], own: dict[str, Any]) -> None:
    """What only a step of the agent may have."""
    for theirs, ours in (("model_name", "model"), ("reasoning_content", "reasoning")):
        if (value := own.pop(ours, None)) is not None:
            written[theirs] = value
    if step.tool_calls:
        written["tool_calls"] = [_call(step, i) for i in range(len(step.tool_calls))]
        if all(
            call.id is not None and isinstance(call.arguments, dict) for call in step.tool_calls
        ):
            del own["tool_calls"]
            own["result_steps"] = [call.result_step for call in step.tool_calls]
    if step.usage is not None:
        metrics = {theirs: getattr(step.usage, ours) for theirs, ours in _METRICS.items()}
        written["metrics"] = {key: value for key, value in metrics.items() if value is not None}
        if _usage(written["metrics"]) == step.usage:
            del own["usage"]


def _call(step: Step, position: int) -> dict[str, Any]:
    call = step.tool_calls[position]
    arguments = call.arguments
    return {
        "tool_call_id": call.id if call.id is not None else f"call_{step.index}_{position}",
        "function_name": call.name,
        "arguments": arguments if isinstance(arguments, dict) else {"arguments": arguments},
    }


def _result(step: Step, home: dict[str, Any]) -> dict[str, Any]:
    """A result inside the step that made its call."""
    called = step.tool_result.call_id if step.tool_result else None
    known = any(call["tool_call_id"] == called for call in home.get("tool_calls", ()))
    return {
        **({"source_call_id": called} if known else {}),
        "content": step.text,
        "extra": {**({"is_error": True} if step.error else {}), OWN: _kept(step)},
    }


def _kept(step: Step) -> dict[str, Any]:
    own = step.model_dump(mode="json", exclude_defaults=True)
    own.pop("text", None)
    return own


def _totals(trace: Trace, steps: int) -> dict[str, Any]:
    """Usage of all model responses, each counted once."""
    counted: dict[str, Usage] = {}
    for step in trace.steps:
        if step.usage is not None:
            counted[step.llm_call_id or f"#{step.index}"] = step.usage
    totals: dict[str, Any] = {}
    for theirs, ours in _TOTALS.items():
        values = [getattr(usage, ours) for usage in counted.values()]
        if known := [value for value in values if value is not None]:
            totals[theirs] = sum(known)
    return {**totals, "total_steps": steps}


def _restored(trajectory: dict[str, Any]) -> Iterator[Step]:
    for written in trajectory["steps"]:
        own = _own(written)
        if own is None:
            continue  # the one that was only written because there must be one
        results = written.get("observation", {}).get("results", [])
        fields = {**own, "text": written["message"]}
        if (moment := written.get("timestamp")) is not None:
            fields["timestamp"] = moment
        if own.get("kind") == "result":
            fields["text"] = results[0]["content"]
            results = []
        if written["source"] == "agent":
            _read_emission(written, fields)
        yield Step.model_validate(fields)
        for result in results:
            yield Step.model_validate({**(_own(result) or {}), "text": result["content"]})


def _read_emission(written: dict[str, Any], fields: dict[str, Any]) -> None:
    for theirs, ours in (("model_name", "model"), ("reasoning_content", "reasoning")):
        if theirs in written:
            fields[ours] = written[theirs]
    if "result_steps" in fields:
        places = fields.pop("result_steps")
        fields["tool_calls"] = [
            ToolCall(
                name=call["function_name"],
                id=call["tool_call_id"],
                arguments=call["arguments"],
                result_step=place,
            )
            for call, place in zip(written["tool_calls"], places, strict=True)
        ]
    if "usage" not in fields and "metrics" in written:
        fields["usage"] = _usage(written["metrics"])


def _usage(metrics: dict[str, Any]) -> Usage:
    return Usage(
        **{ours: metrics[theirs] for theirs, ours in _METRICS.items() if theirs in metrics}
    )


def _own(item: Any) -> dict[str, Any] | None:
    extra = item.get("extra") if isinstance(item, dict) else None
    own = extra.get(OWN) if isinstance(extra, dict) else None
    return own if isinstance(own, dict) else None


def _is_sound(steps: list[Step]) -> bool:
    """Whether the places that steps refer to exist."""
    linked = [call.result_step for step in steps for call in step.tool_calls]
    linked += [step.tool_result.call_step for step in steps if step.tool_result]
    return all(place is None or 0 <= place < len(steps) for place in linked)
