"""Labels in the words of the benchmarks they come from, found inside files or as rows beside them.

* **Who&When**: ``mistake_step`` and ``mistake_agent``, counted from 0; its loader reads them.
* **AgentRx**: ``failures``, each with a ``step_number`` counted from 1, and the ``root_cause`` that
  names one of them; without it the earliest one counts.
* **tau2**: ``review.errors`` with the ``turn_idx`` of each, counted from 0; the earliest critical
  one counts, else the earliest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traceloc.trace import Label, Trace

_STEP_KEYS = (("step_number", 1), ("step_index", 0), ("step", 0), ("index", 0))
"""Names of a step's number, and what its first is called."""
_AGENT_KEYS = ("failed_agent", "agent", "agent_name")
_CATEGORY_KEYS = ("failure_category", "category", "error_type")
_REASON_KEYS = ("step_reason", "category_reason", "reason", "reasoning")


def find_native_labels(trace: Trace) -> tuple[Label, ...]:
    """Labels of a trace that its loader passed on without reading them; empty without any."""
    fields: dict[str, Any] = {**trace.attributes}
    if trace.truth is not None:
        if trace.truth.labels:
            return trace.truth.labels
        fields |= trace.truth.fields
    return read_agentrx(fields) or _read_review(fields.get("review"), trace)


def read_agentrx(fields: Mapping[str, Any]) -> tuple[Label, ...]:
    """The root cause of an AgentRx annotation; empty where there is none."""
    failures = [each for each in _list(fields.get("failures")) if _step(each) is not None]
    if not failures:
        return ()
    root = fields.get("root_cause")
    wanted = root.get("failure_id") if isinstance(root, dict) else root
    if wanted is None:
        wanted = fields.get("root_cause_failure_id")
    named = [each for each in failures if str(each.get("failure_id")) == str(wanted)]
    return (_label(named[0] if named else min(failures, key=lambda each: _step(each) or 0)),)


def normalise_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a labels file in traceloc's own words, whichever benchmark's it was written in."""
    found = dict(row)
    for name in ("trajectory_id", "trace_id"):
        if "trace" not in found and isinstance(found.get(name), str | int):
            found["trace"] = str(found[name])
    if "file" not in found and isinstance(found.get("trace"), str):
        found["file"] = ""
    if "step" not in found and isinstance(found.get("mistake_step"), str | int):
        text = str(found["mistake_step"])
        found["step"] = int(text) if text.isdecimal() else None
        found.setdefault("agent", found.get("mistake_agent"))
    if "step" not in found and (labels := read_agentrx(found)):
        found |= {"step": labels[0].native_index, "category": labels[0].category}
        found.setdefault("agent", labels[0].agent)
    return found


def _read_review(review: Any, trace: Trace) -> tuple[Label, ...]:
    errors = _list(review.get("errors")) if isinstance(review, dict) else []
    turns = [(each["turn_idx"], each) for each in errors if isinstance(each.get("turn_idx"), int)]
    if not turns:
        return ()
    critical = [pair for pair in turns if "critical" in str(pair[1].get("severity")).lower()]
    turn, error = min(critical or turns, key=lambda pair: pair[0])
    # A message says itself which turn it is; without that, turns are messages.
    numbered = {step.attributes.get("turn_idx"): step.native_index for step in trace.steps}
    label = _label(error)
    return (
        label.model_copy(
            update={
                "native_index": numbered.get(turn, turn),
                "agent": _text(error, ("source",)) or label.agent,
            }
        ),
    )


def _label(failure: Mapping[str, Any]) -> Label:
    return Label(
        native_index=_step(failure),
        agent=_text(failure, _AGENT_KEYS),
        category=_text(failure, _CATEGORY_KEYS),
        reason=_text(failure, _REASON_KEYS),
        source="human",
    )


def _step(failure: Mapping[str, Any]) -> int | None:
    for name, first in _STEP_KEYS:
        value = failure.get(name)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= first:
            return value - first
    return None


def _list(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(fields: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    found = (fields.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)
