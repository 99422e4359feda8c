"""What the calls of one trace mean: which function is a model, a tool, an agent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.facts import word
from traceloc_plugins.langgraph.namespaces import is_inner
from traceloc_plugins.spans.dialect import Attribution, Content, Handoff, ToolUse
from traceloc_plugins.spans.messages import clean_id
from traceloc_plugins.spans.names import PLACEHOLDERS
from traceloc_plugins.spans.payloads import read_payloads
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.usage import make_usage

_KINDS: dict[str, SpanKind] = {
    "llm": "llm",
    "tool": "tool",
    "agent": "agent",
    "search": "retrieval",
    "guardrail": "guardrail",
    "scorer": "other",
}
_SDK_KINDS: dict[str, SpanKind] = {
    "agent": "agent",
    "function": "tool",
    "handoff": "handoff",
    "guardrail": "guardrail",
    "generation": "llm",
    "response": "llm",
    "turn": "task",
    "task": "workflow",
}
"""Types of the OpenAI Agents SDK, which its integration writes into the attributes."""
_METHODS = frozenset({"run", "predict", "invoke", "forward", "execute", "step", "kickoff", "chat"})
_REQUEST = ("messages", "contents", "input", "prompt")
_LONGEST = 200


class Weave:
    """The calls of one trace; a function that only was decorated shows by its place what it is.

    Args:
        spans: All of them.
        judging: Ids of those that judge the others, which are nobody's steps.
    """

    name = "weave"
    capture_hint = "leave postprocess_inputs and postprocess_output of the functions out"

    def __init__(self, spans: list[RawSpan], judging: Collection[str] = ()) -> None:
        self._judging = judging
        self._parents = {span.parent for span in spans}
        self._kinds: dict[str, SpanKind] = {}
        requested: set[str] = set()
        for span in spans:
            if kind := self._stated(span):
                self._kinds[span.id] = kind
            if kind == "llm":
                requested.update(_requested(span))
        speaking = {span.parent for span in spans if self._kinds.get(span.id) == "llm"}
        for span in spans:
            if span.id in self._kinds:
                continue
            if span.id in speaking:
                self._kinds[span.id] = "agent"
            elif span.name in requested or (span.parent and span.id not in self._parents):
                self._kinds[span.id] = "tool"
            else:
                self._kinds[span.id] = "task" if span.parent else "workflow"
        if not speaking and not {"llm", "agent", "tool"} & set(self._kinds.values()):
            # Not even a tool: what the outermost function returned is all there is.
            self._kinds.update({span.id: "agent" for span in spans if span.parent is None})

    def kind(self, span: RawSpan) -> SpanKind:
        """What the call stands for."""
        return self._kinds.get(span.id, "other")

    def _stated(self, span: RawSpan) -> SpanKind | None:
        """The kind that the function's author, or an integration, states."""
        about = _metadata(span)
        weave = about.get("weave")
        stated = word(weave.get("kind")) if isinstance(weave, dict) else None
        if span.name.startswith("Evaluation.") or span.id in self._judging:
            return "other"
        if stated in _KINDS:
            return _KINDS[stated]
        if "agent_span_id" in about or "agent_trace_id" in about:
            return _SDK_KINDS.get(str(about.get("type")), "other")
        if span.name.startswith("langchain."):
            return "task" if span.parent else "workflow"
        given = span.attributes.get("inputs")
        asks = isinstance(given, dict) and "model" in given and any(k in given for k in _REQUEST)
        return "llm" if asks and span.id not in self._parents else None

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent a call belongs to: by its own name, its object's, or the function's."""
        about = _metadata(span)
        name = word(about.get("lc_agent_name"))
        if name and not is_inner(name):
            return name, "explicit"
        if kind == "agent":
            if "agent_span_id" in about and (shown := span.text("display_name")):
                return shown, "explicit"
            if owner := _owner(span.attributes.get("inputs")):
                return owner, "explicit"
            head, dot, method = span.name.rpartition(".")
            name = head if dot and method.strip("_").lower() in _METHODS | {"call"} else span.name
            if name.lower() not in PLACEHOLDERS:
                return name, "guess"
        return None

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        return read_payloads(span.attributes.get("inputs"), _answer(span))

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        given = span.attributes.get("inputs")
        if isinstance(given, dict):
            given = {key: value for key, value in given.items() if key != "self"}
            if given.keys() == {"input"}:
                given = given["input"]
        shown = span.text("display_name") if _metadata(span).get("agent_span_id") else None
        use = ToolUse(
            word(_metadata(span).get("lc_name")) or shown or span.name,
            arguments=unwrap_arguments(given),
        )
        if (gave := _answer(span)) is not None:
            set_result(use, gave)
        return use

    def handoff(self, span: RawSpan) -> Handoff:
        """From whom to whom control went."""
        gave = span.attributes.get("output")
        about = gave.get("metadata") if isinstance(gave, dict) else None
        about = about if isinstance(about, dict) else {}
        return Handoff(word(about.get("from_agent")), word(about.get("to_agent")))

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        for key in ("output", "inputs"):
            about = span.attributes.get(key)
            if isinstance(about, dict) and (name := word(about.get("model"))):
                return name
        return next(iter(_usages(span)), None)

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens of the call; functions above it count the same again."""
        for raw in _usages(span).values():
            if not isinstance(raw, dict):
                continue
            more: dict[str, Any] = {}
            for key in ("prompt_tokens_details", "completion_tokens_details"):
                more |= detail if isinstance(detail := raw.get(key), dict) else {}
            return make_usage(
                input=raw.get("prompt_tokens", raw.get("input_tokens")),
                output=raw.get("completion_tokens", raw.get("output_tokens")),
                cache_read=raw.get("cache_read_input_tokens", more.get("cached_tokens")),
                cache_write=raw.get("cache_creation_input_tokens"),
                reasoning=more.get("reasoning_tokens"),
            )
        return None

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        gave = span.attributes.get("output")
        return clean_id(gave.get("id")) if isinstance(gave, dict) else None

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        given = span.attributes.get("inputs")
        listed = given.get("tools") if isinstance(given, dict) else None
        return listed if isinstance(listed, list) else []


def _metadata(span: RawSpan) -> dict[str, Any]:
    found = span.attributes.get("metadata")
    return found if isinstance(found, dict) else {}


def _answer(span: RawSpan) -> Any:
    """What a call gave, without the run or the record that an integration puts around it."""
    gave = span.attributes.get("output")
    if isinstance(gave, dict) and isinstance(inner := gave.get("outputs"), dict):
        if "run_type" in gave or _metadata(span).get("lc_id"):
            return inner.get("output", inner)
    if isinstance(gave, dict) and {"output", "metrics", "metadata"} <= gave.keys():
        return gave["output"]
    return gave


def _usages(span: RawSpan) -> dict[str, Any]:
    summary = span.attributes.get("summary")
    found = summary.get("usage") if isinstance(summary, dict) else None
    return found if isinstance(found, dict) else {}


def _requested(span: RawSpan) -> list[str]:
    """Names of the tools that a model was offered."""
    given = span.attributes.get("inputs")
    listed = given.get("tools") if isinstance(given, dict) else None
    found = []
    for item in listed if isinstance(listed, list) else ():
        function = item.get("function", item) if isinstance(item, dict) else None
        if isinstance(function, dict) and (name := word(function.get("name"))):
            found.append(name)
    return found


def _owner(given: Any) -> str | None:
    """The name of the object whose method was called."""
    owner = given.get("self") if isinstance(given, dict) else None
    if isinstance(owner, str) and owner.startswith("weave") and len(owner) < _LONGEST:
        return owner.rpartition("/")[2].partition(":")[0] or None
    if isinstance(owner, dict):
        name = word(owner.get("name")) or word(owner.get("role"))
        return name if name and name.lower() not in PLACEHOLDERS else None
    return None
