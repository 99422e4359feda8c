"""Steps of a run: what the model wanted, what came of it, and what went wrong."""

from __future__ import annotations

import re
from typing import Any

from traceloc.loading import TraceBuilder, declared_error, text_of
from traceloc.loading.builder import lean
from traceloc.trace import ErrorKind, StepError, ToolCall
from traceloc_plugins.facts import moment, usage_from, word
from traceloc_plugins.records import bounded, split_truth
from traceloc_plugins.spans.messages import read_call, read_messages
from traceloc_plugins.spans.values import decoded
from traceloc_plugins.turns import Turns, as_tool_calls

MAIN = "agent"
_USAGE = {"input_tokens": "input", "output_tokens": "output"}
_READ = frozenset(
    {
        "task",
        "step_number",
        "timing",
        "tool_calls",
        "error",
        "model_output_message",
        "model_output",
        "model_input_messages",
        "code_action",
        "observations",
        "action_output",
        "token_usage",
        "is_final_answer",
        "plan",
        "system_prompt",
        "output",
    }
)
_ERRORS: dict[str, ErrorKind] = {
    "AgentParsingError": "parse",
    "AgentMaxStepsError": "limit",
    "AgentGenerationError": "model",
}
_FAILED_TOOL = re.compile(r"Error (?:executing|when calling|while calling) tool '([^']{1,200})'")
_UNKNOWN_TOOL = re.compile(r"Unknown tool '?([^\s',.]{1,200})")
_MANAGED = re.compile(r"\s*Here is the final answer from your managed agent '([^']{1,200})'")
_NAMED = re.compile(r"\s*You're a helpful agent named '([^']{1,200})'")
"""How a manager's task begins: the only place where an agent's memory says its name."""


def as_step(value: Any) -> dict[str, Any]:
    """A step; also from the ``repr`` that dumps with ``default=str`` leave behind."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = decoded(value)
    return value if isinstance(value, dict) else {}


class StepReader:
    """Adds the steps of one run to a trace."""

    def __init__(self, builder: TraceBuilder) -> None:
        self.builder = builder
        self.turns = Turns(builder)
        self.main = ""
        self._final: str | None = None

    def add(self, value: Any, native: int) -> None:
        """Add a step; what cannot be read is noted."""
        step = as_step(value)
        if not step:
            self.builder.note("skipped", "items that are no step")
            return
        try:
            self._add(step, native)
        except (ValueError, RecursionError):
            self.builder.note("skipped", "steps that cannot be represented")

    def _add(self, step: dict[str, Any], native: int) -> None:
        if not self.main:
            self._meet(step)
        timing = decoded(step.get("timing"))
        timing = timing if isinstance(timing, dict) else {}
        others = {key: value for key, value in step.items() if key not in _READ}
        place: dict[str, Any] = {
            "native_index": native,
            "timestamp": moment(timing.get("start_time")),
            "attributes": split_truth(others).attributes or None,
        }
        if "step_number" in step:
            self._action(step, place, moment(timing.get("end_time")))
        elif "task" in step:
            self.turns.ask(text_of(bounded(step["task"])), to=(self.main,), **place)
        elif "system_prompt" in step:
            self._instruct(text_of(bounded(step["system_prompt"])), place)
        elif "plan" in step:
            usage = usage_from(decoded(step.get("token_usage")), _USAGE)
            text = text_of(bounded(step["plan"]))
            self.turns.say(self.main, text, kind="thought", usage=usage, **place)
        elif "output" in step:
            self._answer(text_of(bounded(step["output"])), place)
        else:
            self.builder.note("skipped", "steps of an unknown type")

    def _meet(self, step: dict[str, Any]) -> None:
        named = _NAMED.match(text_of(bounded(step.get("task"))))
        self.main = named[1] if named else MAIN
        self.turns.introduce(self.main, attribution="explicit" if named else "role")

    def _instruct(self, text: str, place: dict[str, Any]) -> None:
        if text and not self.turns.has_said("system", text):
            self.turns.instruct(self.main, text, **{**place, "attributes": None})

    def _action(self, step: dict[str, Any], place: dict[str, Any], end: Any) -> None:
        given = read_messages(bounded(decoded(step.get("model_input_messages"))))
        for message in given[:2]:
            if message.role == "system":
                self._instruct(message.text, place)
        message = decoded(step.get("model_output_message"))
        message = bounded(message) if isinstance(message, dict) else {}
        calls = _calls(step, message)
        text = text_of(bounded(step.get("model_output"))) or text_of(message.get("content"))
        error = _error(decoded(step.get("error")))
        output = text_of(bounded(step.get("action_output")))
        after = {**place, "timestamp": end or place["timestamp"], "attributes": None}
        if not (text or calls):
            if error is not None:
                self.turns.tell(error.message, error=error, **after)
            text = output  # written when no steps were left, by a call that is not remembered
        raw = message.get("raw")
        raw = raw if isinstance(raw, dict) else {}
        usage = usage_from(decoded(step.get("token_usage")), _USAGE)
        if not (text or calls or usage):
            return
        index = self.turns.say(
            self.main,
            text,
            calls=calls,
            usage=usage,
            model=word(raw.get("model")),
            llm_call_id=word(raw.get("id")),
            inputs=self.turns.given(given) if given else None,
            **place,
        )
        if text == output or step.get("is_final_answer") is True:
            self._final = output
        if calls:
            self._results(index, step, calls, error, output, after)
        elif error is not None and self.builder.steps[-1].role == "assistant" and text != output:
            self.turns.tell(error.message, error=error, **after)

    def _results(
        self,
        index: int,
        step: dict[str, Any],
        calls: list[ToolCall],
        error: StepError | None,
        output: str,
        place: dict[str, Any],
    ) -> None:
        text = text_of(bounded(step.get("observations"))) or ("" if error else output)
        if len(calls) > 1:
            message = "results of parallel calls stand in one text"
            if error is not None:
                message = (
                    "one failed call hides the results of the calls beside it; a memory does not "
                    "hold them, spans of OpenInference do"
                )
            self.builder.note("missing", message)
        if error is None:
            self.turns.answer(text, call_id=calls[0].id, tool=calls[0].name, **place)
            managed = _MANAGED.match(text)
            if managed:
                self._hand_over(index, managed[1])
            return
        blamed = _FAILED_TOOL.search(error.message) or _UNKNOWN_TOOL.search(error.message)
        named = blamed[1] if blamed else calls[0].name
        call = next((call for call in calls if call.name == named), None)
        if call is None:
            self.turns.tell(error.message, error=error, **place)
            return
        text = "\n".join(filter(None, (text, error.message)))
        self.turns.answer(text, call_id=call.id, tool=call.name, error=error, **place)

    def _hand_over(self, index: int, name: str) -> None:
        """A managed agent is seen only by its report; its own steps are not in this memory."""
        self.builder.agent(self.main, kind="orchestrator")
        self.turns.introduce(name, parent=self.main)
        step = self.builder.steps[index]
        update = {"to": (name,), "kind": "handoff"}
        self.builder.steps[index] = lean(step.model_copy(update=update))
        self.builder.note(
            "missing",
            f"the steps of managed agent {name!r}; write agent.managed_agents[{name!r}].memory"
            ".get_full_steps() too, which holds its last run, or spans of OpenInference",
        )

    def _answer(self, text: str, place: dict[str, Any]) -> None:
        flags = ("duplicate",) if text == self._final else None
        self.turns.say(self.main, text, kind="event" if flags else None, flags=flags, **place)


def _calls(step: dict[str, Any], message: dict[str, Any]) -> list[ToolCall]:
    """The calls of a step: those that were carried out, else those that the model wanted.

    When one of several calls fails, the step remembers none of them.
    """
    for listed in (decoded(step.get("tool_calls")), decoded(message.get("tool_calls"))):
        found = [
            call
            for item in (listed if isinstance(listed, list) else ())
            if (call := read_call(bounded(decoded(item)))) is not None
        ]
        if found:
            return list(as_tool_calls(found))
    return []


def _error(raw: Any) -> StepError | None:
    if not isinstance(raw, dict):
        return declared_error(raw) if isinstance(raw, str) and raw else None
    kind, message = word(raw.get("type")), text_of(bounded(raw.get("message")))
    return declared_error(message or "error", type=kind, kind=_ERRORS.get(kind or ""))
