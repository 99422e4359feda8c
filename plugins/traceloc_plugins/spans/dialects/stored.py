"""Spans as a store keeps them: with a kind, an input and an output of its own.

Langfuse and MLflow write these beside whatever the instrumentation wrote, in their exports and in
the OTLP spans of their SDKs. What the instrumentation says is the more precise, so it is asked
first, and the store fills in the rest.
"""

from __future__ import annotations

from typing import Any, ClassVar

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.spans.dialect import Attribution, Content, Dialect, Handoff, ToolUse
from traceloc_plugins.spans.dialects.langgraph import agent_in, is_langgraph, metadata_of
from traceloc_plugins.spans.messages import clean_id, read_messages
from traceloc_plugins.spans.names import guessed_name
from traceloc_plugins.spans.payloads import offered_tool, read_payloads
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import is_tool_message, set_result, unwrap_arguments
from traceloc_plugins.spans.usage import make_usage
from traceloc_plugins.spans.values import decoded

_VAGUE = frozenset({"task", "workflow", "other"})


class Stored:
    """What stores have in common.

    Args:
        inner: The dialect of the instrumentation, where there is one.
    """

    name: str
    capture_hint: str
    kind_key: ClassVar[str]
    input_key: ClassVar[str]
    output_key: ClassVar[str]
    metadata_key: ClassVar[str]
    kinds: ClassVar[dict[str, SpanKind]]

    def __init__(self, inner: Dialect | None) -> None:
        self._inner = inner

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        own = self._inner.kind(span) if self._inner else "other"
        if own not in _VAGUE:
            return own
        stated = self._stated(span)
        if stated in _VAGUE and is_tool_message(decoded(span.attributes.get(self.output_key))):
            return "tool"  # LangGraph's callbacks tell tools from other nodes, some stores do not
        if stated == "other" and own != "other":
            return own
        return "workflow" if stated == "task" and span.parent is None else stated

    def _stated(self, span: RawSpan) -> SpanKind:
        """What the store calls the span."""
        word = decoded(span.attributes.get(self.kind_key))
        return self.kinds.get(word.upper(), "other") if isinstance(word, str) else "other"

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names."""
        metadata = metadata_of(span.attributes, "metadata", self.metadata_key)
        if found := agent_in(metadata):
            return found
        if self._inner is not None and (named := self._inner.agent(span, kind)):
            return named
        if kind != "agent" or is_langgraph(metadata):
            return None
        guess = guessed_name(span)
        if guess is not None and self._stated(span) == "agent":
            return guess[0], "explicit"  # whoever wrote the span called it an agent, by this name
        return guess

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        found = self._inner.content(span) if self._inner else Content()
        if found.inputs and found.outputs:
            return found
        stored = read_payloads(
            span.attributes.get(self.input_key), span.attributes.get(self.output_key)
        )
        return Content(found.inputs or stored.inputs, found.outputs or stored.outputs)

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        if self._inner is not None:
            use = self._inner.tool_use(span)
        else:
            use = ToolUse(span.name, call_id=clean_id(span.attributes.get("tool_call_id")))
        if use.arguments is None:
            use.arguments = unwrap_arguments(span.first(self.input_key))
        if use.result is None and (result := span.first(self.output_key)) is not None:
            set_result(use, result)
        return use

    def handoff(self, span: RawSpan) -> Handoff:
        """From whom to whom control went."""
        return self._inner.handoff(span) if self._inner else Handoff()

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        return self._inner.model(span) if self._inner else None

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens and money of the call."""
        return self._inner.usage(span) if self._inner else None

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        return self._inner.call_group(span) if self._inner else None

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        if self._inner is not None and (offered := self._inner.tools(span)):
            return offered
        given = decoded(span.attributes.get(self.input_key))
        if isinstance(given, list):
            return [tool for item in given if (tool := offered_tool(item)) is not None]
        listed = decoded(given.get("tools")) if isinstance(given, dict) else None
        return [decoded(item) for item in listed] if isinstance(listed, list) else []


class Langfuse(Stored):
    """Observations of Langfuse, exported or as its SDK sends them."""

    name = "langfuse"
    capture_hint = (
        "export observations with GET /api/public/v2/observations?traceId=ID&fields=core,basic,"
        "io,metadata,model,usage (or GET /api/public/traces/ID of older servers), since the "
        "download of the user interface leaves inputs and outputs out"
    )
    kind_key = "langfuse.observation.type"
    input_key = "langfuse.observation.input"
    output_key = "langfuse.observation.output"
    metadata_key = "langfuse.observation.metadata"
    kinds: ClassVar[dict[str, SpanKind]] = {
        "GENERATION": "llm",
        "AGENT": "agent",
        "TOOL": "tool",
        "CHAIN": "task",
        "SPAN": "task",
        "RETRIEVER": "retrieval",
        "GUARDRAIL": "guardrail",
    }

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        return span.text("langfuse.observation.model.name") or super().model(span)

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens and money of the call."""
        tokens = _object(span.attributes.get("langfuse.observation.usage_details"))
        if tokens and self._inner is not None and super().usage(span) is None:
            # Nobody told Langfuse, so it counted the words itself; the response may know better.
            answer = _object(span.attributes.get(self.output_key))
            tokens = _object(answer.get("usage")) or tokens
        money = _object(span.attributes.get("langfuse.observation.cost_details"))
        found = make_usage(
            input=_any(tokens, "input", "prompt_tokens", "input_tokens"),
            output=_any(tokens, "output", "completion_tokens", "output_tokens"),
            cache_read=_any(
                tokens, "cache_read_input_tokens", "input_cached_tokens", "input_cache_read"
            ),
            cache_write=_any(tokens, "cache_creation_input_tokens", "input_cache_creation"),
            reasoning=_any(tokens, "output_reasoning_tokens", "output_reasoning"),
            cost_usd=money.get("total"),
        )
        return found or super().usage(span)

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        listed = decoded(span.attributes.get("langfuse.observation.toolDefinitions"))
        if isinstance(listed, dict):  # by name, each as JSON text
            listed = [{"name": name, **_object(about)} for name, about in listed.items()]
        return listed if isinstance(listed, list) and listed else super().tools(span)


class MLflow(Stored):
    """Spans of MLflow, exported or as OTLP."""

    name = "mlflow"
    capture_hint = "write traces with mlflow.<framework>.autolog(), which records both by default"
    kind_key = "mlflow.spanType"
    input_key = "mlflow.spanInputs"
    output_key = "mlflow.spanOutputs"
    metadata_key = "mlflow.metadata"
    kinds: ClassVar[dict[str, SpanKind]] = {
        "CHAT_MODEL": "llm",
        "LLM": "llm",
        "AGENT": "agent",
        "TOOL": "tool",
        "CHAIN": "task",
        "TASK": "task",
        "WORKFLOW": "workflow",
        "RETRIEVER": "retrieval",
        "MEMORY": "memory",
        "GUARDRAIL": "guardrail",
    }

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        stated = decoded(span.attributes.get("mlflow.llm.model"))
        if not isinstance(stated, str) or not stated:
            given = _object(span.attributes.get(self.input_key))
            stated = given.get("model")
        return stated if isinstance(stated, str) and stated else super().model(span)

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens of the call."""
        # What a span of OpenAI's agents says in its own words, its client says in MLflow's.
        tokens = _object(span.first("mlflow.chat.tokenUsage", "usage"))
        money = _object(span.attributes.get("mlflow.llm.cost"))
        found = make_usage(
            input=tokens.get("input_tokens"),
            output=tokens.get("output_tokens"),
            cache_read=tokens.get("cache_read_input_tokens"),
            cache_write=tokens.get("cache_creation_input_tokens"),
            cost_usd=money.get("total_cost"),
        )
        return found or super().usage(span)

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        found = super().content(span)
        ruled = any(message.role == "system" for message in found.inputs)
        if found.inputs and not ruled and (rules := span.text("instructions")):
            found.inputs[:0] = read_messages(rules, "system")
        return found

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        listed = decoded(span.attributes.get("mlflow.chat.tools"))
        return listed if isinstance(listed, list) and listed else super().tools(span)


def _object(raw: Any) -> dict[str, Any]:
    value = decoded(raw)
    return value if isinstance(value, dict) else {}


def _any(fields: dict[str, Any], *keys: str) -> Any:
    return next((fields[key] for key in keys if fields.get(key) is not None), None)
