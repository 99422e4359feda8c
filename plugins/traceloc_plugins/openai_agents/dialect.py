"""What the spans of the SDK mean."""

from __future__ import annotations

from typing import Any

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.openai_agents.tracing import infer_calls
from traceloc_plugins.spans.dialect import Attribution, Content, Handoff, ToolUse
from traceloc_plugins.spans.messages import Call, Message, clean_id
from traceloc_plugins.spans.names import PLACEHOLDERS
from traceloc_plugins.spans.payloads import read_payloads
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.usage import make_usage

_KINDS: dict[str, SpanKind] = {
    "agent": "agent",
    "generation": "llm",
    "response": "llm",
    "function": "tool",
    "handoff": "handoff",
    "guardrail": "guardrail",
    "task": "workflow",
    "turn": "task",
}


class OpenAIAgents:
    """``span_data`` of one trace.

    Args:
        spans: All of its spans; what a response called shows in the spans beside it.
    """

    name = "tracing"
    capture_hint = (
        "write result.to_state().to_json() too, since this export never has the words of the "
        "Responses API"
    )

    def __init__(self, spans: list[RawSpan]) -> None:
        self.inferred: dict[str, list[Call]] = infer_calls(spans)
        """Calls by the span of the response that made them."""

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        stated = span.text("type") or ""
        data = span.attributes.get("data")
        if stated == "custom" and isinstance(data, dict):
            stated = str(data.get("sdk_span_type", ""))
        return _KINDS.get(stated, "other")

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names."""
        name = span.name if kind == "agent" else None
        data = span.attributes.get("data")
        if name is None and kind == "task" and isinstance(data, dict):
            name = data.get("agent_name")
        if isinstance(name, str) and name.strip() and name.lower() not in PLACEHOLDERS:
            return name.strip(), "explicit"
        return None

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        if span.text("type") not in ("generation", "response"):
            return Content()
        gave = span.first("output", "response")
        found = read_payloads(span.attributes.get("input"), gave)
        if calls := self.inferred.get(span.id):
            found.outputs = [Message("assistant", calls=list(calls))]
        return found

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        use = ToolUse(span.name, arguments=unwrap_arguments(span.attributes.get("input")))
        if (gave := span.attributes.get("output")) is not None:
            set_result(use, gave)
        return use

    def handoff(self, span: RawSpan) -> Handoff:
        """From whom to whom control went; to several agents at once is to nobody."""
        return Handoff(span.text("from_agent"), span.text("to_agent"))

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        return span.text("model")

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens of the call."""
        return read_usage(span.attributes.get("usage"))

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        return clean_id(span.attributes.get("response_id"))

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered; the spans of agents list only their names."""
        config = span.attributes.get("model_config")
        listed = config.get("tools") if isinstance(config, dict) else None
        return listed if isinstance(listed, list) else []


def read_usage(raw: Any) -> Usage | None:
    """Tokens as the Responses API and the SDK count them; older details come in lists."""
    if not isinstance(raw, dict):
        return None
    more: dict[str, Any] = {}
    for key in ("input_tokens_details", "output_tokens_details"):
        detail = raw.get(key, raw.get(_camel(key)))
        if isinstance(detail, list) and detail:
            detail = detail[0]
        more |= detail if isinstance(detail, dict) else {}
    return make_usage(
        input=raw.get("input_tokens", raw.get("inputTokens", raw.get("prompt_tokens"))),
        output=raw.get("output_tokens", raw.get("outputTokens", raw.get("completion_tokens"))),
        cache_read=more.get("cached_tokens"),
        cache_write=more.get("cache_write_tokens"),
        reasoning=more.get("reasoning_tokens"),
    )


def _camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(part.title() for part in others)
