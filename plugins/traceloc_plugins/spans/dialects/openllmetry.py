"""OpenLLMetry (Traceloop): GenAI attributes today, numbered ``gen_ai.prompt.N`` ones before."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

from traceloc.trace import SpanKind
from traceloc_plugins.spans.dialect import Attribution, Content, ToolUse
from traceloc_plugins.spans.dialects.genai import GenAI
from traceloc_plugins.spans.dialects.langgraph import NODES, agent_of
from traceloc_plugins.spans.messages import Call, Message, clean_id, read_messages, role_of
from traceloc_plugins.spans.names import GENERIC_ROOTS, is_placeholder
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.values import decoded

_KINDS: dict[str, SpanKind] = {
    "workflow": "workflow",
    "task": "task",
    "agent": "agent",
    "tool": "tool",
}
_PROPERTIES = "traceloop.association.properties."
_NUMBERED = re.compile(
    r"(?:gen_ai|llm)\.(?P<side>prompt|completion)s?\.(?P<number>\d{1,6})\.(?P<path>.+)"
)
_MODEL_CALLS = frozenset({"chat", "completion", "generate", "rerank"})


class OpenLLMetry(GenAI):
    """``traceloop.*`` attributes on top of GenAI ones."""

    name = "openllmetry"
    capture_hint = "set TRACELOOP_TRACE_CONTENT=true"

    def kind(self, span: RawSpan) -> SpanKind:
        """What the span stands for."""
        if "gen_ai.operation.name" in span.attributes:
            return super().kind(span)
        stated = str(span.attributes.get("traceloop.span.kind"))
        if stated in _KINDS:
            return _KINDS[stated]
        if str(span.attributes.get("llm.request.type")) in _MODEL_CALLS:
            return "llm"
        if any(key.startswith(("gen_ai.completion.", "gen_ai.prompt.")) for key in span.attributes):
            return "llm"
        return super().kind(span)

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent the span itself names."""
        namespace = span.attributes.get(f"{_PROPERTIES}langgraph_checkpoint_ns")
        if name := agent_of(namespace):
            return name, "namespace"
        found = super().agent(span, kind)
        if found is not None and found[1] != "guess":
            return found
        # LangChain's agents say in the metadata of all that runs in them who they are.
        name = span.text(f"{_PROPERTIES}lc_agent_name")
        if name and name not in GENERIC_ROOTS and not is_placeholder(name):
            return name, "explicit"
        if found is not None:
            return found
        if kind == "agent" and (name := span.text("traceloop.entity.name")):
            return (name, "explicit") if name not in NODES else None
        return None

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        found = super().content(span)
        if found.outputs and found.inputs:
            return found
        numbered = _numbered(span.attributes)
        if not found.inputs:
            found.inputs.extend(numbered.inputs)
        if not found.outputs:
            found.outputs.extend(numbered.outputs)
        if not found.outputs:
            for key, target, role in (
                ("traceloop.entity.output", found.outputs, "assistant"),
                ("traceloop.entity.input", found.inputs, "user"),
            ):
                value = decoded(span.attributes.get(key))
                if isinstance(value, dict):
                    value = value.get("outputs", value.get("inputs", value.get("output", value)))
                if target or not isinstance(value, str | dict | list):
                    continue
                if isinstance(value, dict) and not {"messages", "lc", "role"} & value.keys():
                    continue
                read = read_messages(value, role)
                target.extend([m for m in read if m.role == role][-1:] if role != "user" else read)
        return found

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        use = super().tool_use(span)
        if "gen_ai.tool.name" not in span.attributes:
            use.name = span.text("traceloop.entity.name") or span.name
        if use.arguments is None:
            use.arguments = unwrap_arguments(span.first("traceloop.entity.input"))
        if use.result is None and (result := span.first("traceloop.entity.output")) is not None:
            set_result(use, _unquoted(result))
        return use

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        listed = super().tools(span)
        names: dict[str, dict[str, Any]] = {}
        for key, value in span.attributes.items():
            if key.startswith("llm.request.functions."):
                number, _, field = key.removeprefix("llm.request.functions.").partition(".")
                names.setdefault(number, {})[field] = decoded(value)
        return listed or list(names.values())


def _unquoted(result: Any) -> Any:
    """The words of a decorated function, which were written as JSON whatever they are."""
    if isinstance(result, str) and result[:1] == '"':
        try:
            return from_json(result)
        except ValueError:
            return result
    return result


def _numbered(about: dict[str, Any]) -> Content:
    sides: dict[str, dict[int, dict[str, Any]]] = {"prompt": {}, "completion": {}}
    for key, value in about.items():
        if match := _NUMBERED.fullmatch(key):
            sides[match["side"]].setdefault(int(match["number"]), {})[match["path"]] = value
    return Content(
        [_message(fields, "user") for _, fields in sorted(sides["prompt"].items())],
        [_message(fields, "assistant") for _, fields in sorted(sides["completion"].items())],
    )


def _message(fields: dict[str, Any], role: str) -> Message:
    calls: dict[int, dict[str, Any]] = {}
    for path, value in fields.items():
        head, _, rest = path.partition(".")
        number, _, name = rest.partition(".")
        if head == "tool_calls" and number.isdecimal():
            calls.setdefault(int(number), {})[name] = value
    read = read_messages(
        {
            "role": fields.get("role", role),
            "content": fields.get("content"),
            "tool_call_id": fields.get("tool_call_id"),
        }
    )
    message = read[0] if read else Message(role_of(fields.get("role"), role))
    for _, call in sorted(calls.items()):
        if isinstance(called := call.get("name"), str):
            arguments = decoded(call.get("arguments"))
            message.calls.append(Call(called, clean_id(call.get("id")), arguments))
    return message
