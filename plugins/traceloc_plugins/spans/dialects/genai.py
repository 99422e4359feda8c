"""The GenAI semantic conventions, 1.28 to now, and the frameworks that follow them.

Content may be in attributes (structured or as JSON strings), in span events (one per message up to
1.36, one per inference after), in log records, or in a framework's own attributes (Google ADK,
Pydantic AI, AutoGen).
"""

from __future__ import annotations

from typing import Any

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.spans.dialect import Attribution, Content, Handoff, ToolUse
from traceloc_plugins.spans.messages import Message, clean_id, read_messages
from traceloc_plugins.spans.names import guessed_name, is_placeholder
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.usage import make_usage
from traceloc_plugins.spans.values import decoded

_KINDS: dict[str, SpanKind] = {
    "chat": "llm",
    "generate_content": "llm",
    "text_completion": "llm",
    "completion": "llm",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "other",
    "invoke_workflow": "workflow",
    "invoke_swarm": "workflow",
    "invoke_graph": "workflow",
    "plan": "task",
    "execute_task": "task",
    "execute_event_loop_cycle": "task",
    "unknown": "task",
    "agent_handoff": "handoff",
    "goto": "handoff",
    "retrieval": "retrieval",
    "embeddings": "other",
}
_MESSAGE_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.content.prompt": "user",
}
_OUTPUT_EVENTS = frozenset({"gen_ai.choice", "gen_ai.content.completion"})


class GenAI:
    """``gen_ai.*`` attributes."""

    name = "genai"
    capture_hint = (
        "set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_and_event and "
        "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental"
    )

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        operation = span.attributes.get("gen_ai.operation.name")
        if isinstance(operation, str):
            if operation in _KINDS:
                return _KINDS[operation]
            return "memory" if "_memor" in operation else "other"
        found = span.attributes
        if "gen_ai.tool.name" in found or "gen_ai.tool.call.id" in found:
            return "tool"
        if "gcp.vertex.agent.llm_request" in found or "gen_ai.output.messages" in found:
            return "llm"
        if "agent_name" in found or "pydantic_ai.all_messages" in found:
            return "agent"
        if "gen_ai.request.model" in found and ("gen_ai.usage.input_tokens" in found):
            return "llm"
        if any(event.name in _OUTPUT_EVENTS for event in span.events):
            return "llm"
        return "workflow" if span.parent is None else "task"

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names."""
        for key in ("gen_ai.agent.name", "agent_name"):
            name = span.text(key)
            if name and not is_placeholder(name):
                return name, "explicit"
        if kind == "agent" and span.name.startswith("invoke_agent "):
            name = span.name.removeprefix("invoke_agent ").strip()
            if name and not is_placeholder(name):
                return name, "explicit"
        return guessed_name(span) if kind == "agent" else None

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        found = Content()
        about = span.attributes
        _add(found, about)
        for event in span.events:
            if event.name in _MESSAGE_EVENTS or event.name in _OUTPUT_EVENTS:
                _add_event(found, event.name, event.attributes, event.body)
            else:
                if "gen_ai" in event.name or event.attributes.keys() & _MESSAGE_KEYS:
                    _add(found, event.attributes)
                if isinstance(event.body, dict):
                    _add(found, event.body)
                    _add_adot(found, event.body)
        if not found.outputs:
            _add_vendor(found, about)
        return found

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        name = span.text("gen_ai.tool.name") or span.name.removeprefix("execute_tool ")
        arguments = span.first(
            "gen_ai.tool.call.arguments", "gcp.vertex.agent.tool_call_args", "tool_arguments"
        )
        result = span.first(
            "gen_ai.tool.call.result", "gcp.vertex.agent.tool_response", "tool_response"
        )
        use = ToolUse(
            name,
            call_id=clean_id(span.attributes.get("gen_ai.tool.call.id")),
            arguments=unwrap_arguments(arguments),
            failed=span.attributes.get("gen_ai.tool.status") == "error",
            error_type=span.text("error.type"),
        )
        if result is not None:
            set_result(use, result)
        elif span.events:
            for message in self.content(span).outputs:
                if message.role == "tool":
                    use.result, use.failed = message.text, use.failed or message.failed
                    use.call_id = use.call_id or message.call_id
        if use.result is None and "gen_ai.tool.call.result" in span.attributes:
            use.result = ""
        return use

    def handoff(self, span: RawSpan) -> Handoff:
        """From whom to whom control went."""
        return Handoff(
            span.text("gen_ai.handoff.from_agent", "langgraph.command.source_node"),
            span.text("gen_ai.handoff.to_agent", "langgraph.command.goto_node"),
        )

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        model = span.text("gen_ai.response.model", "gen_ai.request.model", "model_name")
        return None if model == "unknown" else model

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens and money of the call."""
        return make_usage(
            input=span.first("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
            output=span.first("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
            cache_read=span.first("gen_ai.usage.cache_read.input_tokens"),
            cache_write=span.first(
                "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens"
            ),
            reasoning=span.first(
                "gen_ai.usage.reasoning.output_tokens",
                "gen_ai.usage.reasoning_tokens",
                "gen_ai.usage.details.reasoning_tokens",
            ),
            cost_usd=span.first("operation.cost", "gen_ai.usage.cost"),
        )

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        return span.text("gen_ai.response.id")

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        listed = decoded(span.attributes.get("gen_ai.tool.definitions"))
        return listed if isinstance(listed, list) else []


def _add(found: Content, about: dict[str, Any]) -> None:
    """Add what the attributes of 1.37 and later say; several directions may come one by one."""
    instructions = about.get("gen_ai.system_instructions")
    if instructions is None:
        instructions = about.get("system_instructions")
    if instructions:
        system = read_messages(instructions, "system")
        if not any(message.role == "system" for message in found.inputs):
            found.inputs[:0] = system
    for keys, role, target in _DIRECTIONS:
        for key in keys:
            if (raw := about.get(key)) is not None:
                known = found.inputs if target == "inputs" else found.outputs
                ruled = {message.text for message in known if message.role == "system"}
                # Some write the instructions apart and among the messages.
                known.extend(
                    message
                    for message in read_messages(raw, role)
                    if message.role != "system" or message.text not in ruled
                )
                break


_DIRECTIONS = (
    (("gen_ai.input.messages", "input_messages"), "user", "inputs"),
    (("gen_ai.output.messages", "output_messages"), "assistant", "outputs"),
)
_MESSAGE_KEYS = frozenset(
    {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"}
)


def _add_event(found: Content, name: str, about: dict[str, Any], body: Any) -> None:
    """Add one message of the conventions up to 1.36."""
    fields = {**about, **body} if isinstance(body, dict) else dict(about)
    if isinstance(body, str):
        fields["content"] = body
    if name in _OUTPUT_EVENTS:
        message = decoded(fields.get("message", fields.get("gen_ai.completion")))
        if message is None:
            message = fields
        elif isinstance(calls := decoded(fields.get("tool_calls")), list) and not isinstance(
            message, list
        ):
            body_ = message if isinstance(message, dict) else {"content": message}
            message = {**body_, "tool_calls": calls}
        found.outputs.extend(read_messages(message, "assistant"))
        if (result := decoded(fields.get("tool.result"))) is not None:
            found.inputs.extend(read_messages(result, "tool"))
        return
    fields.setdefault("role", _MESSAGE_EVENTS[name])
    if "gen_ai.prompt" in fields:
        found.inputs.extend(read_messages(fields["gen_ai.prompt"], "user"))
        return
    if isinstance(calls := decoded(fields.get("tool_calls")), list):
        fields["tool_calls"] = calls
    found.inputs.extend(read_messages(fields, str(fields["role"])))


def _add_adot(found: Content, body: dict[str, Any]) -> None:
    """Add an AWS Distro record: ``{"input": {"messages": [...]}, "output": {...}}``."""
    for key, target, role in (
        ("input", found.inputs, "user"),
        ("output", found.outputs, "assistant"),
    ):
        side = body.get(key)
        if isinstance(side, dict) and isinstance(side.get("messages"), list):
            target.extend(read_messages(side["messages"], role))


def _add_vendor(found: Content, about: dict[str, Any]) -> None:
    if isinstance(response := decoded(about.get("gcp.vertex.agent.llm_response")), dict):
        content = response.get("content")
        found.outputs.extend(read_messages(content, "assistant"))
        request = decoded(about.get("gcp.vertex.agent.llm_request"))
        if isinstance(request, dict) and not found.inputs:
            config = request.get("config")
            if isinstance(config, dict) and (system := config.get("system_instruction")):
                found.inputs.extend(read_messages(system, "system"))
            found.inputs.extend(read_messages(request.get("contents"), "user"))
        return
    history = decoded(about.get("pydantic_ai.all_messages") or about.get("all_messages_events"))
    if isinstance(history, list):
        messages = read_messages(history)
        last = next((m for m in reversed(messages) if m.role == "assistant"), None)
        found.inputs = found.inputs + [m for m in messages if m is not last]
        found.outputs = [last] if last is not None else []
    elif isinstance(events := decoded(about.get("events")), list):
        for event in events:  # Logfire's own attribute, before 1.37
            if isinstance(event, dict):
                name = str(event.get("event.name", event.get("name", "")))
                if name in _MESSAGE_EVENTS or name in _OUTPUT_EVENTS:
                    _add_event(found, name, event, None)
    if not found.outputs and isinstance(final := about.get("final_result"), str):
        found.outputs = [Message("assistant", final)]
