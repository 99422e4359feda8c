"""What the runs of LangChain's callbacks mean, whoever recorded them."""

from __future__ import annotations

import re
from typing import Any

from traceloc.trace import SpanKind, Usage
from traceloc_plugins.facts import word
from traceloc_plugins.langgraph.messages import model_of, read_usage, unwrap, usage_of
from traceloc_plugins.langgraph.namespaces import agent_in, is_inner
from traceloc_plugins.literals import read_literal
from traceloc_plugins.spans.dialect import Attribution, Content, Handoff, ToolUse
from traceloc_plugins.spans.messages import clean_id
from traceloc_plugins.spans.payloads import read_payloads
from traceloc_plugins.spans.raw import RawSpan
from traceloc_plugins.spans.results import set_result, unwrap_arguments
from traceloc_plugins.spans.values import decoded

_KINDS: dict[str, SpanKind] = {
    "llm": "llm",
    "chat_model": "llm",
    "tool": "tool",
    "retriever": "retrieval",
    "agent": "agent",
    "prompt": "other",
    "parser": "other",
    "embedding": "other",
}
_ANSWERED = re.compile(
    r"ToolMessage\(content=(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"(?:[^()]{0,400}?tool_call_id='(?P<id>[^'\\]{1,200})')?"
)
"""The answer in the ``repr`` of a command, where no more of it was kept."""
_ROLES = {"System": "system", "Human": "user", "AI": "assistant", "Tool": "tool"}
_SPEAKER = re.compile(r"^(System|Human|AI|Tool): ", re.MULTILINE)
_CALLS = "[{'name': "
"""Calls that such a text has run on to an answer."""
_REPR_LENGTH = 200_000
_ALONE = frozenset({"input", "tool_input", "input_str"})
"""Keys under which a tool's only, or unparsed, argument is kept."""


class LangChain:
    """Runs with ``run_type``, ``inputs`` and ``outputs``.

    Args:
        chains_speak: Whether what a chain gave is somebody's answer, as no model call tells it.
    """

    name = "langsmith"
    capture_hint = "unset LANGSMITH_HIDE_INPUTS and LANGSMITH_HIDE_OUTPUTS"

    def __init__(self, *, chains_speak: bool = False) -> None:
        self._chains_speak = chains_speak

    def kind(self, span: RawSpan) -> SpanKind:
        """What the run stands for."""
        stated = span.text("run_type") or ""
        if stated in _KINDS:
            return _KINDS[stated]
        if self._chains_speak:
            return "agent"
        return "workflow" if span.parent is None else "task"

    def agent(self, span: RawSpan, kind: SpanKind) -> tuple[str, Attribution] | None:
        """The agent whose graph the run belongs to."""
        about = span.attributes.get("metadata")
        about = about if isinstance(about, dict) else {}
        if name := agent_in(about.get("langgraph_checkpoint_ns") or about.get("checkpoint_ns")):
            return name, "namespace"
        if (name := word(about.get("lc_agent_name"))) and not is_inner(name):
            return name, "explicit"
        if kind == "agent" and not is_inner(span.name):
            return span.name, "guess"
        return None

    def content(self, span: RawSpan) -> Content:
        """Messages that went in and came out."""
        given = span.attributes.get("inputs")
        if isinstance(given, dict) and isinstance(prompts := given.get("prompts"), list):
            words = [prompt for prompt in prompts if isinstance(prompt, str)]
            given = [message for prompt in words for message in _speeches(prompt)]
        found = read_payloads(given, self._first_answer(span))
        for message in found.inputs:
            if message.role == "other":
                message.role = "user"
        return found

    @staticmethod
    def _first_answer(span: RawSpan) -> Any:
        """What came out: of a batch of generations the first, as the run is one call."""
        gave = span.attributes.get("outputs")
        if isinstance(gave, dict) and isinstance(batches := gave.get("generations"), list):
            first = batches[0] if batches else None
            first = first[0] if isinstance(first, list) and first else first
            return {"generations": [first]}
        return gave

    def tool_use(self, span: RawSpan) -> ToolUse:
        """The execution of a tool."""
        given = span.attributes.get("inputs")
        if isinstance(given, dict) and len(given) == 1 and given.keys() <= _ALONE:
            (only,) = given.values()
            inner = decoded(only)
            given = inner if isinstance(inner, dict) else given
        use = ToolUse(
            span.name,
            call_id=clean_id(span.attributes.get("tool_call_id")),
            arguments=unwrap_arguments(given),
        )
        gave = span.attributes.get("outputs")
        if isinstance(gave, dict) and gave.keys() <= {"output"}:
            gave = gave.get("output")
        if isinstance(gave, dict) and gave.get("type") == "not_implemented":
            _read_repr(use, gave.get("repr"))
        elif gave not in (None, {}):
            fields = unwrap(gave)
            if fields is not None and fields["type"] == "tool":
                fields = {**fields, "role": "tool"}
            set_result(use, fields if fields is not None else gave)
        return use

    def handoff(self, span: RawSpan) -> Handoff:
        """Hand-offs are tools here."""
        return Handoff()

    def model(self, span: RawSpan) -> str | None:
        """The model that answered."""
        if message := self._message(span):
            if name := model_of(message):
                return name
        for holder, keys in (
            ("metadata", ("ls_model_name", "model_name", "model")),
            ("invocation_params", ("model", "model_name", "model_id")),
        ):
            about = span.attributes.get(holder)
            about = about if isinstance(about, dict) else {}
            if name := next(filter(None, (word(about.get(key)) for key in keys)), None):
                return name
        gave = span.attributes.get("outputs")
        return word(gave.get("model")) if isinstance(gave, dict) else None

    def usage(self, span: RawSpan) -> Usage | None:
        """Tokens and money of the call."""
        if (message := self._message(span)) and (usage := usage_of(message)):
            return usage
        gave, about = span.attributes.get("outputs"), span.attributes.get("metadata")
        known = [span.attributes, about, gave]
        if isinstance(gave, dict):
            known.append(gave.get("llm_output"))
        for holder in known:
            if not isinstance(holder, dict):
                continue
            for key in ("usage_metadata", "token_usage", "usage"):
                if usage := read_usage(holder.get(key)):
                    return usage
        return read_usage(span.attributes)

    def call_group(self, span: RawSpan) -> str | None:
        """Id of the model response."""
        message = self._message(span)
        return clean_id(message.get("id")) if message else None

    def tools(self, span: RawSpan) -> list[Any]:
        """Tools that were offered."""
        about = span.attributes.get("invocation_params")
        about = about if isinstance(about, dict) else {}
        listed = about.get("tools") or about.get("functions")
        if not listed and isinstance(given := span.attributes.get("inputs"), dict):
            listed = given.get("tools")  # a wrapped client's own request
        return listed if isinstance(listed, list) else []

    def _message(self, span: RawSpan) -> dict[str, Any] | None:
        """The fields of the message that a model call gave."""
        answer = self._first_answer(span)
        if isinstance(answer, dict) and isinstance(listed := answer.get("generations"), list):
            first = listed[0] if listed else None
            return unwrap(first.get("message")) if isinstance(first, dict) else None
        if isinstance(answer, dict) and "output" in answer:
            answer = answer["output"]
        return unwrap(answer)


def _speeches(prompt: str) -> list[dict[str, Any]]:
    """The messages of a prompt in which LangChain wrote a chat as one text."""
    if not _SPEAKER.match(prompt):
        return [{"role": "user", "content": prompt}]
    parts = _SPEAKER.split(prompt)[1:]
    found = []
    for who, words in zip(parts[::2], parts[1::2], strict=True):
        words = words.strip()
        if who == "AI" and words.endswith("]"):
            words = words.partition(_CALLS)[0].strip()
        found.append({"role": _ROLES[who], "content": words})
    return found


def _read_repr(use: ToolUse, raw: Any) -> None:
    """Take the last tool message out of a command that could not be written as JSON."""
    all_found = list(_ANSWERED.finditer(raw[:_REPR_LENGTH] if isinstance(raw, str) else ""))
    use.result = ""
    if all_found:
        found = all_found[-1]
        try:
            use.result = str(read_literal(found["text"]))
        except ValueError:
            use.result = found["text"][1:-1]
        use.call_id = use.call_id or clean_id(found["id"])
