"""The Vercel AI SDK: ``ai.*`` attributes."""

from __future__ import annotations

from typing import Any

from traceloc.trace import SpanKind
from traceloc_plugins.spans.dialect import Attribution, Content, ToolUse
from traceloc_plugins.spans.dialects.genai import GenAI
from traceloc_plugins.spans.messages import Message, clean_id, read_call, read_messages
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.values import decoded


class Vercel(GenAI):
    """Spans of scope ``ai``; the outer ``ai.generateText`` spans the loop of model calls."""

    name = "vercel"
    capture_hint = "leave recordInputs and recordOutputs of experimental_telemetry switched on"

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        operation = str(span.first("ai.operationId", "operation.name") or span.name)
        if "toolCall" in operation or "ai.toolCall.name" in span.attributes:
            return "tool"
        if ".do" in operation and "Embed" not in operation:
            return "llm"
        return "agent" if operation.startswith("ai.") and "embed" not in operation else "other"

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names."""
        name = span.text("ai.telemetry.functionId", "resource.name")
        return (name, "explicit") if name else super().agent(span, kind)

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        found = Content()
        prompt = span.first("ai.prompt.messages", "ai.prompt")
        if prompt is not None:
            value = decoded(prompt)
            if isinstance(value, dict):
                if value.get("system"):
                    found.inputs.extend(read_messages(value["system"], "system"))
                value = value.get("messages") or value.get("prompt")
            found.inputs.extend(read_messages(value))
        message = Message("assistant", span.text("ai.response.text", "ai.result.text") or "")
        calls = decoded(span.first("ai.response.toolCalls", "ai.result.toolCalls"))
        for raw in calls if isinstance(calls, list) else []:
            if isinstance(raw, dict):
                fields = {
                    "type": "tool_call",
                    "id": raw.get("toolCallId"),
                    "name": raw.get("toolName"),
                    "arguments": raw.get("args", raw.get("input")),
                }
                if (call := read_call(fields)) is not None:
                    message.calls.append(call)
        if not message.text and (value := span.first("ai.response.object")) is not None:
            message.text = str(value)
        if not message.is_empty:
            found.outputs.append(message)
        return found

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        use = ToolUse(
            span.text("ai.toolCall.name") or span.name,
            call_id=clean_id(span.attributes.get("ai.toolCall.id")),
            arguments=unwrap_arguments(span.first("ai.toolCall.args", "ai.toolCall.input")),
        )
        if (result := span.first("ai.toolCall.result", "ai.toolCall.output")) is not None:
            set_result(use, result)
        return use

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        listed = decoded(span.attributes.get("ai.prompt.tools"))
        return [decoded(item) for item in listed] if isinstance(listed, list) else []
