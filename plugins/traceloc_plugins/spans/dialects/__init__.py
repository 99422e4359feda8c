"""Which conventions a span follows: decided by its attributes, then by its scope."""

from __future__ import annotations

from traceloc_plugins.spans.dialect import Dialect
from traceloc_plugins.spans.dialects.genai import GenAI
from traceloc_plugins.spans.dialects.openinference import OpenInference
from traceloc_plugins.spans.dialects.openllmetry import OpenLLMetry
from traceloc_plugins.spans.dialects.stored import Langfuse, MLflow, Stored
from traceloc_plugins.spans.dialects.vercel import Vercel
from traceloc_plugins.spans.raw import RawSpan

__all__ = ["Dialect", "dialect_of"]

_GENAI = GenAI()
_OPENINFERENCE = OpenInference()
_OPENLLMETRY = OpenLLMetry()
_VERCEL = Vercel()
_INSTRUMENTED: tuple[Dialect | None, ...] = (None, _GENAI, _OPENINFERENCE, _OPENLLMETRY, _VERCEL)


def _stores(kind: type[Stored]) -> dict[Dialect | None, Stored]:
    return {inner: kind(inner) for inner in _INSTRUMENTED}


_STORES = {store.kind_key: _stores(store) for store in (Langfuse, MLflow)}


def dialect_of(span: RawSpan) -> Dialect | None:
    """The dialect of a span; ``None`` for spans of something else, such as HTTP calls."""
    inner = _instrumentation_of(span)
    for key, stores in _STORES.items():
        if key in span.attributes:
            return stores[inner]
    return inner


def _instrumentation_of(span: RawSpan) -> Dialect | None:
    found = span.attributes
    if "openinference.span.kind" in found:
        return _OPENINFERENCE
    if "ai.operationId" in found or "ai.toolCall.name" in found:
        return _VERCEL
    genai = False
    for key in found:
        if key.startswith("traceloop."):
            return _OPENLLMETRY
        if key.startswith(("gen_ai.", "gcp.vertex.agent.", "pydantic_ai.", "agent_name")):
            if key.startswith(("gen_ai.prompt.", "gen_ai.completion.")):
                return _OPENLLMETRY
            genai = True
    if genai:
        return _GENAI
    if span.scope.startswith("openinference."):
        return _OPENINFERENCE
    if any(event.name.startswith("gen_ai.") for event in span.events):
        return _GENAI
    return None
