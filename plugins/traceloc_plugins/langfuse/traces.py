"""What Langfuse knows of a trace as a whole: who used it, and what scores it was given."""

from __future__ import annotations

import re
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc_plugins.records import bounded, split_truth
from traceloc_plugins.spans.assembly import About
from traceloc_plugins.spans.names import GENERIC_ROOTS
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.values import decoded

_OF_THE_EXPORT = frozenset({"id", "projectId", "observations", "scores", "metadata"})
_ID_IN_NAME = re.compile(r"[0-9a-f]{8}|\d{4}")


def about_trace(builder: TraceBuilder, facts: dict[str, Any], spans: list[RawSpan]) -> About:
    """The facts of a trace; scores and expected answers go to the builder's truth."""
    judged = _judge(builder, facts.get("scores"))
    known = {
        key: decoded(value) if key in ("input", "output") else value
        for key, value in facts.items()
        if key not in _OF_THE_EXPORT and value is not None and value != [] and value is not False
    }
    metadata = decoded(facts.get("metadata"))
    if isinstance(metadata, dict):
        plain = {k: v for k, v in metadata.items() if k not in ("resourceAttributes", "scope")}
        fields = split_truth(plain, whole_trace=True)
        if fields.attributes:
            known["metadata"] = fields.attributes
        if fields.truth:
            builder.truth(metadata=fields.truth)
        judged = {**fields.truth, **judged}
    return About(
        session_id=_text(facts.get("sessionId")),
        system=_system(facts, spans),
        attributes=bounded(known),
        judged=judged,
    )


def _judge(builder: TraceBuilder, raw: Any) -> dict[str, Any]:
    """Scores as truth, and by name for the outcome: the first of a name counts."""
    scores = [score for score in raw if isinstance(score, dict)] if isinstance(raw, list) else []
    if scores:
        builder.truth(scores=bounded(scores))
    judged: dict[str, Any] = {}
    for score in scores:
        name, value = score.get("name"), score.get("value")
        if not isinstance(name, str) or score.get("observationId"):
            continue  # a score of one observation says nothing of the whole
        if score.get("dataType") == "BOOLEAN":
            value = bool(value)
        elif value is None:
            value = score.get("stringValue")
        if name.strip().lower() == "correctness" and value in (0, 1):
            name, value = "is_correct", bool(value)
        judged.setdefault(re.sub(r"[\s-]+", "_", name.strip().lower()), value)
    return judged


def _system(facts: dict[str, Any], spans: list[RawSpan]) -> str | None:
    """The service, else the name an application gave its trace; not one of a framework."""
    for span in spans:
        service = span.resource.get("service.name")
        if isinstance(service, str) and service and not service.startswith("unknown_service"):
            return service
    name = _text(facts.get("name"))
    if name is None or name in GENERIC_ROOTS or _ID_IN_NAME.search(name):
        return None
    roots = [span for span in spans if span.parent is None and span.name == name]
    framework = any(not span.scope.startswith("langfuse") for span in roots)
    return None if framework else name


def _text(raw: Any) -> str | None:
    return raw.strip() or None if isinstance(raw, str) else None
