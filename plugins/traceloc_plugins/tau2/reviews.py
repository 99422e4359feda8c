"""What judges found in a simulation: errors with their turns, out of every signal's reach."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder
from traceloc_plugins.records import bounded, integer, text_field

_REVIEWS = ("review", "user_only_review", "hallucination_review")
_AGENTS = {"agent": "assistant", "assistant": "assistant", "user": "user"}
_GRAVE = ("crit", "major", "high", "severe")


def keep_reviews(
    builder: TraceBuilder, fields: dict[str, Any], places: dict[int, int], *, passed: bool
) -> None:
    """Put reviews into the truth; the first grave error of a failed run is its label.

    Args:
        builder: The trace under construction.
        fields: The simulation's fields; reviews are taken out.
        places: Position of the message of each turn.
        passed: Whether the run reached its goal all the same.
    """
    found: list[dict[str, Any]] = []
    for key in _REVIEWS:
        review = bounded(fields.pop(key, None))
        if not review:
            continue
        builder.truth(**{key: review})
        errors = review.get("errors") if isinstance(review, dict) else None
        found += [e for e in (errors if isinstance(errors, list) else ()) if isinstance(e, dict)]
    placed = [
        (places.get(turn, turn), error)
        for error in found
        if (turn := integer(error.get("turn_idx"))) is not None
    ]
    grave = [item for item in placed if _is_grave(item[1])]
    if passed or not placed:
        return
    index, error = min(grave or placed, key=lambda item: item[0])
    tags = error.get("error_tags")
    first = tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else None
    builder.label(
        native_index=index,
        agent=_AGENTS.get(text_field(error, "source") or ""),
        category=text_field(error, "error_type") or first,
        reason=text_field(error, "reasoning"),
        source="review",
    )


def _is_grave(error: dict[str, Any]) -> bool:
    severity = text_field(error, "severity") or ""
    return severity.lower().startswith(_GRAVE)
