"""Ground truth that tools wrote into spans, taken out before anything else reads them."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder
from traceloc_plugins.records import split_truth
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.values import decoded
from traceloc_plugins.truth import is_truth_attribute

_METADATA = "metadata"
_EVALUATIONS = ("gen_ai.evaluation.result", "gen_ai.evaluation.explanation")
_KINDS = ("openinference.span.kind", "langfuse.observation.type", "mlflow.spanType")


def take_truth_out(builder: TraceBuilder, spans: list[RawSpan]) -> None:
    """Move scores, evaluations and expected answers of all spans into the trace's truth."""
    judging = _judging(spans)
    for span in spans:
        about = span.attributes
        if span.id in judging:
            hidden = {key: value for key, value in about.items() if key not in _KINDS}
            span.attributes = {key: value for key, value in about.items() if key in _KINDS}
            if not _evaluates(span):
                span.attributes.clear()  # a judge's model call is no model call of the run
            for event in span.events:
                hidden.update(event.attributes)
            span.events.clear()
        else:
            hidden = {key: about[key] for key in about if is_truth_attribute(key)}
            for key in hidden:
                del about[key]
            _from_metadata(span, hidden)
            for event in [event for event in span.events if event.name in _EVALUATIONS]:
                hidden.update(event.attributes)
                span.events.remove(event)
        if hidden:
            builder.truth(**{span.id: hidden})


def _evaluates(span: RawSpan) -> bool:
    return any(
        str(span.attributes.get(key, "")).strip('"').upper() == "EVALUATOR" for key in _KINDS
    )


def _judging(spans: list[RawSpan]) -> set[str]:
    """Spans that judge the run, with all that runs inside them."""
    judging = {span.id for span in spans if _evaluates(span)}
    waiting = list(judging)
    if not waiting:
        return judging
    below: dict[str, list[str]] = {}
    for span in spans:
        if span.parent is not None:
            below.setdefault(span.parent, []).append(span.id)
    while waiting:
        for child in below.get(waiting.pop(), ()):
            if child not in judging:
                judging.add(child)
                waiting.append(child)
    return judging


def _from_metadata(span: RawSpan, hidden: dict[str, Any]) -> None:
    """What users add to a span themselves is named as in a data set."""
    raw = span.attributes.get(_METADATA)
    known = decoded(raw) if isinstance(raw, str) else raw
    if isinstance(known, dict):
        kept, truth = split_truth(known)
        if truth:
            hidden[_METADATA] = truth
            span.attributes[_METADATA] = kept
