"""OpenInference (Arize Phoenix and its many instrumentations): flattened attributes."""

from __future__ import annotations

import re
from typing import Any

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.spans.dialect import Attribution, Content, Handoff, ToolUse
from traceloc_plugins.spans.dialects.langgraph import (
    agent_in,
    is_inner,
    is_langgraph,
    metadata_of,
)
from traceloc_plugins.spans.dialects.llamaindex import agent_of_step, is_preparation, take_output
from traceloc_plugins.spans.messages import Call, Message, clean_id, read_messages, role_of
from traceloc_plugins.spans.names import guessed_name, is_placeholder
from traceloc_plugins.spans.payloads import read_request, read_response
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.usage import make_usage
from traceloc_plugins.spans.values import decoded

_KINDS: dict[str, SpanKind] = {
    "LLM": "llm",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "task",
    "RETRIEVER": "retrieval",
    "GUARDRAIL": "guardrail",
}
_INPUTS = "llm.input_messages"
_OUTPUTS = "llm.output_messages"
_HANDOFF = "handoff to "
_ROLE = re.compile(r"\brole='(?P<name>[^'\\]{1,200})'")
_LOOKED_AT = 4000


def _is_inside_a_node(span: RawSpan) -> bool:
    """Whether a runnable is an AGENT here only for the word in its name: an edge, a hook."""
    node = metadata_of(span.attributes, "metadata").get("langgraph_node")
    return isinstance(node, str) and (node != span.name or is_inner(node))


class OpenInference:
    """``openinference.span.kind`` and the dotted attributes around it."""

    name = "openinference"
    capture_hint = (
        "unset OPENINFERENCE_HIDE_INPUTS, OPENINFERENCE_HIDE_OUTPUTS and the other "
        "OPENINFERENCE_HIDE_* variables"
    )

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        stated = str(span.attributes.get("openinference.span.kind", "")).upper()
        if (
            stated == "TOOL"
            and span.name.startswith(_HANDOFF)
            and "tool.name" not in span.attributes
        ):
            return "handoff"
        if stated in _KINDS:
            if stated == "AGENT" and _is_inside_a_node(span):
                return "task"
            return "other" if is_preparation(span) else _KINDS[stated]
        return _from_record(span) if not stated else "other"

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names."""
        metadata = metadata_of(span.attributes, "metadata")
        if found := agent_in(metadata):
            return found
        if is_langgraph(metadata):
            return None  # any runnable called "agent" is an AGENT here, so its name is no name
        name = span.text("agent.name", "gen_ai.agent.name", "graph.node.id", "agent_role")
        name = name if name and not is_placeholder(name) else agent_of_step(span)
        if name:
            return name, "explicit"
        if role := _ROLE.search(str(span.attributes.get("input.value", ""))[:_LOOKED_AT]):
            if span.name.endswith("._execute_core"):
                return role["name"], "explicit"  # CrewAI's task, run by the agent it was given
        return guessed_name(span) if kind == "agent" else None

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        inputs, outputs = _flattened(span.attributes)
        found = Content(inputs, outputs)
        if not outputs:
            _add_values(found, span)
        for event in span.events:
            if isinstance(event.body, dict):
                for key, target, role in (
                    ("input", found.inputs, "user"),
                    ("output", found.outputs, "assistant"),
                ):
                    side = event.body.get(key)
                    if isinstance(side, dict):
                        target.extend(_record_messages(side.get("messages"), role))
        return found

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        name = span.text("tool.name") or span.name.removesuffix(".run")
        use = ToolUse(
            name,
            call_id=clean_id(
                span.first("tool.id", "tool_call.id", "gen_ai.tool.call.id", "tool_call_id")
            ),
            arguments=unwrap_arguments(span.first("input.value")),
        )
        if use.arguments is None and "tool.name" not in span.attributes:
            use.arguments = unwrap_arguments(span.first("tool.parameters"))
        result = span.attributes.get("output.value")
        if result is None:
            for event in span.events:
                if isinstance(event.body, dict):
                    for message in self.content(span).outputs[-1:]:
                        result = message.text
        if result is not None and not take_output(use, result):
            set_result(use, result)
        return use

    def handoff(self, span: RawSpan) -> Handoff:
        """From whom to whom control went."""
        target = span.name.removeprefix(_HANDOFF).strip()
        return Handoff(span.text("input.value"), span.text("output.value") or target or None)

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        return span.text("llm.model_name", "gen_ai.request.model", "embedding.model_name")

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens and money of the call."""
        return make_usage(
            input=span.first("llm.token_count.prompt", "gen_ai.usage.input_tokens"),
            output=span.first("llm.token_count.completion", "gen_ai.usage.output_tokens"),
            cache_read=span.first("llm.token_count.prompt_details.cache_read"),
            cache_write=span.first("llm.token_count.prompt_details.cache_write"),
            reasoning=span.first("llm.token_count.completion_details.reasoning"),
            cost_usd=span.first("llm.cost.total"),
        )

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        return span.text("gen_ai.response.id")

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        listed = span.attributes.get("llm.tools")
        if isinstance(listed, list):
            found = [
                item.get("tool.json_schema", item.get("tool")) if isinstance(item, dict) else item
                for item in listed
            ]
        else:
            found = [
                value
                for key, value in span.attributes.items()
                if key.startswith("llm.tools.") and key.endswith(".tool.json_schema")
            ]
        return [
            decoded(item.get("json_schema") if "json_schema" in item else item)
            if isinstance(item, dict)
            else decoded(item)
            for item in found
        ]


def _flattened(about: dict[str, Any]) -> tuple[list[Message], list[Message]]:
    """Messages out of ``llm.input_messages.3.message.tool_calls.0.tool_call.id`` and the like."""
    sides: dict[str, dict[int, dict[str, Any]]] = {_INPUTS: {}, _OUTPUTS: {}}
    whole: dict[str, list[Message]] = {}
    for key, value in about.items():
        if not key.startswith("llm."):
            continue
        prefix = (
            _INPUTS if key.startswith(_INPUTS) else _OUTPUTS if key.startswith(_OUTPUTS) else ""
        )
        if not prefix:
            continue
        if len(key) == len(prefix):
            whole[prefix] = [_dotted(item) for item in _as_list(value)]
            continue
        number, _, path = key[len(prefix) + 1 :].partition(".")
        if number.isdecimal() and len(number) < 7:
            sides[prefix].setdefault(int(number), {})[path.removeprefix("message.")] = value
    found = []
    for prefix in (_INPUTS, _OUTPUTS):
        flat = [_message(fields) for _, fields in sorted(sides[prefix].items())]
        found.append([m for m in whole.get(prefix, flat) if not m.is_empty])
    return found[0], found[1]


def _message(fields: dict[str, Any]) -> Message:
    """One message from the dotted paths below it."""
    texts: dict[int, str] = {}
    calls: dict[int, dict[str, Any]] = {}
    parts: dict[int, dict[str, Any]] = {}
    for path, value in fields.items():
        head, _, rest = path.partition(".")
        number, _, rest = rest.partition(".")
        if head == "tool_calls" and number.isdecimal():
            calls.setdefault(int(number), {})[rest.removeprefix("tool_call.")] = value
        elif head == "contents" and number.isdecimal():
            parts.setdefault(int(number), {})[rest.removeprefix("message_content.")] = value
    content = fields.get("content")
    blocks = [
        {"type": part.get("type", "text"), "text": part["text"]}
        if isinstance(part.get("text"), str)
        else {"type": part.get("type", "file"), "id": part.get("id")}
        for _, part in sorted(parts.items())
    ]
    if content is None or content == "":
        content = blocks or texts or None
    found = read_messages(
        {
            "role": str(fields.get("role", "")) or "assistant",
            "content": content,
            "tool_call_id": fields.get("tool_call_id"),
            "name": fields.get("name"),
        }
    )
    message = found[0] if found else Message(role_of(fields.get("role"), "assistant"))
    for _, call in sorted(calls.items()):
        name = call.get("function.name")
        if isinstance(name, str):
            raw = call.get("function.arguments")
            message.calls.append(Call(name, clean_id(call.get("id")), decoded(raw)))
    if not message.calls and isinstance(name := fields.get("function_call_name"), str):
        raw = fields.get("function_call_arguments_json")
        message.calls.append(Call(name, None, decoded(raw)))
    return message


def _dotted(item: Any) -> Message:
    """One message of Phoenix' dataframe: ``{"message.role": …, "message.tool_calls": [{…}]}``."""
    if not isinstance(item, dict):
        return Message("other", str(item or ""))
    fields: dict[str, Any] = {}
    inner = item.get("message")
    for key, value in (inner if isinstance(inner, dict) else item).items():
        name = str(key).removeprefix("message.")
        if name in ("tool_calls", "contents") and isinstance(value, list):
            for number, entry in enumerate(value):
                if isinstance(entry, dict):
                    for path, leaf in _leaves(entry):
                        fields[f"{name}.{number}.{path}"] = leaf
        elif value is not None:
            fields[name] = value
    return _message(fields)


def _leaves(entry: dict[str, Any], prefix: str = "", depth: int = 0) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in entry.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and depth < 3 and "arguments" not in str(key):
            found.extend(_leaves(value, f"{path}.", depth + 1))
        else:
            found.append((path, value))
    return found


def _add_values(found: Content, span: RawSpan) -> None:
    """Fall back on ``input.value`` and ``output.value``, for agents and for bare model calls."""
    result = decoded(span.attributes.get("output.value"))
    if isinstance(result, dict) and isinstance(history := result.get("messages"), list):
        if "raw" in result:
            # CrewAI: the task's own conversation; its start is what the agent was given.
            result = result["raw"]
            if not found.inputs:
                for message in read_messages(history):
                    if message.role not in ("system", "user"):
                        break
                    found.inputs.append(message)
    found.outputs.extend(read_response(result))
    if not found.inputs:
        found.inputs.extend(read_request(span.attributes.get("input.value")))


def _record_messages(raw: Any, role: str) -> list[Message]:
    """Messages of an ADOT record, whose content may be a whole LangChain result as JSON."""
    found: list[Message] = []
    for message in read_messages(raw, role):
        value = decoded(message.text) if message.text[:1] == "{" else None
        if isinstance(value, dict) and isinstance(value.get("generations"), list):
            found.extend(read_messages(value["generations"], role))
        elif isinstance(value, dict) and isinstance(value.get("messages"), list):
            read = read_messages(value["messages"], role)
            found.extend(read if role == "user" else read[-1:])
        else:
            found.append(message)
    return found


def _from_record(span: RawSpan) -> SpanKind:
    """The kind of a span whose attributes were lost on the way and whose content was not (ADOT)."""
    for event in span.events:
        output = event.body.get("output") if isinstance(event.body, dict) else None
        text = str(output)[:4000] if isinstance(output, dict) else ""
        if "generations" in text:
            return "llm"
        if "tool_call_id" in text:
            return "tool"
    return "task"


def _as_list(value: Any) -> list[Any]:
    value = decoded(value)
    return value if isinstance(value, list) else []
