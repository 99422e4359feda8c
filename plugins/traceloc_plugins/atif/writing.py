"""One trajectory, with its continuations and sub-agents, as a trace."""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder, text_of
from traceloc.loading.builder import lean
from traceloc.trace import InputMessage, ToolCall, Trace, Usage
from traceloc_plugins.atif.documents import (
    Document,
    facts_of,
    meant,
    references_of,
    results_of,
    without_own,
)
from traceloc_plugins.atif.own import is_own
from traceloc_plugins.atif.pieces import read_calls, read_error
from traceloc_plugins.facts import moment, usage_from, word
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import bounded, keep_fields, split_truth
from traceloc_plugins.turns import Turns

ENVIRONMENT = "environment"
MAX_INPUTS = 400
_USAGE = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "cached_tokens": "cache_read",
    "cost_usd": "cost_usd",
}
_READ = frozenset(
    (
        "step_id",
        "timestamp",
        "source",
        "message",
        "reasoning_content",
        "tool_calls",
        "observation",
        "metrics",
        "model_name",
        "is_copied_context",
        "extra",
    )
)
_TOKENS = ("prompt_token_ids", "completion_token_ids", "logprobs")
"""Numbers of a model's vocabulary: training data, and no part of what happened."""
_FAILED = ("tool_result_is_error", "is_error")


def write_trajectory(document: Document) -> Trace:
    """The trace of a trajectory."""
    return _Writer(document).write()


class _Writer:
    def __init__(self, document: Document) -> None:
        self.root = document
        version = word(document.raw.get("schema_version"))
        self.builder = TraceBuilder(format="atif", source=document.source.path, dialect=version)
        self.turns = Turns(self.builder)
        self._heard: dict[str, list[InputMessage]] = {}
        self._usage: Usage | None = None
        self._task: str | None = None
        self._written: set[int] = set()

    def write(self) -> Trace:
        if is_own(self.root):
            self.builder.note("note", "traceloc wrote this, and it was changed since")
        name = self._introduce(self.root, None)
        self._document(self.root, name)
        attributes = keep_fields(self.builder, facts_of(self.root))
        names = self.root.names
        return self.builder.build(
            id=names[0] if names else None,
            session_id=word(self.root.raw.get("session_id")),
            task=self._task or self.turns.first_request,
            attributes=attributes,
        )

    def _introduce(self, document: Document, boss: str | None) -> str:
        name = word(document.agent.get("name")) or ("agent" if boss is None else "sub-agent")
        model = word(document.agent.get("model_name"))
        if boss is not None:
            self.builder.agent(boss, kind="orchestrator")
            self._heard.setdefault(name, [])
        self.turns.introduce(
            name,
            model=model,
            parent=boss if boss != name else None,
            attribution="explicit" if word(document.agent.get("name")) else "role",
        )
        add_tools(self.builder, document.agent.get("tool_definitions"))
        return name

    def _document(self, document: Document, agent: str, boss: str | None = None) -> None:
        place: Document | None = document
        while place is not None and id(place) not in self._written:
            self._written.add(id(place))
            for position, step in enumerate(place.steps):
                try:
                    if self._is_half(step, place.steps[position + 1 : position + 2]):
                        continue
                    self._step(step, place, place.offset + position, agent, boss)
                except (ValueError, RecursionError):
                    self.builder.note("skipped", "steps that cannot be represented")
            if place.raw.get("continued_trajectory_ref") and place.continuation is None:
                self.builder.note(
                    "missing",
                    "the file this trajectory is continued in; scan the folder that holds both",
                )
            for helper in place.helpers:
                if id(helper) not in self._written:
                    self.builder.note("inferred", "sub-agents stand at the end: no step names them")
                    self._helper(helper, agent)
            place = place.continuation

    def _helper(self, helper: Document, boss: str) -> str:
        name = self._introduce(helper, boss)
        if len(self._written) < 1000:
            self._document(helper, name, boss)
        return name

    def _step(
        self, step: Any, document: Document, native: int, agent: str, boss: str | None
    ) -> None:
        if not isinstance(step, dict):
            self.builder.note("skipped", "steps that are no object")
            return
        extra = step.get("extra")
        extra = without_own(extra)
        if extra.get("is_sidechain") is True:
            boss = boss or agent
            agent = self._side(extra, agent)
        place = self._place(step, extra, native)
        source = step.get("source")
        text = text_of(bounded(step.get("message")))
        called: int | None = None
        if source == "agent":
            called = self._emit(step, text, agent, place)
        elif source == "user" and boss is not None:
            called = self.builder.step(
                kind="handoff", role="user", agent=boss, text=text, to=(agent,), **place
            )
        elif source == "user":
            called = self.turns.ask(text, to=(agent,), **place)
            if self._task is None and not place.get("flags"):
                self._task = text
        elif text or not results_of(step):
            called = self._system(text, agent, native, place)
        if called is not None:
            self._hear(agent, called)
        self._results(step, document, extra, called, agent, place)

    def _system(self, text: str, agent: str, native: int, place: dict[str, Any]) -> int:
        if native == 0 or not any(s.role == "assistant" for s in self.builder.steps):
            return self.turns.instruct(agent, text, **place)
        return self.turns.tell(text, **place)

    def _side(self, extra: dict[str, Any], agent: str) -> str:
        """A sub-agent whose steps were written among those of the main one."""
        name = word(extra.get("agent_id")) or word(extra.get("agentId"))
        name = f"agent-{name}" if name else "sub-agent"
        self.builder.agent(agent, kind="orchestrator")
        self._heard.setdefault(name, [])
        return self.turns.introduce(name, parent=agent)

    def _is_half(self, step: Any, following: list[Any]) -> bool:
        """Whether a step is the empty half of a response that a converter split in two.

        It holds nothing but the response's tokens, or reasoning that the other half repeats.
        """
        if not isinstance(step, dict) or step.get("source") != "agent":
            return False
        if step.get("message") or step.get("tool_calls") or step.get("observation"):
            return False
        other = following[0] if following and isinstance(following[0], dict) else {}
        thought = step.get("reasoning_content")
        if thought and thought != other.get("reasoning_content"):
            return False
        self._usage = usage_from(step.get("metrics"), _USAGE) or self._usage
        self.builder.note("skipped", "empty halves of responses that were split in two")
        return True

    def _emit(self, step: dict[str, Any], text: str, agent: str, place: dict[str, Any]) -> int:
        calls = read_calls(step)
        reasoning = text_of(bounded(step.get("reasoning_content")))
        copied = "flags" in place
        usage = None if copied else usage_from(step.get("metrics"), _USAGE)
        if any(text == f"Executed {call.name} {call.id}" for call in calls):
            text = ""  # the converter's words, not the agent's
        usage, self._usage = usage or self._usage, None
        return self.turns.say(
            agent,
            text,
            calls=calls,
            reasoning=reasoning,
            model=word(step.get("model_name")),
            usage=usage,
            inputs=self._inputs(agent),
            **place,
        )

    def _results(
        self,
        step: dict[str, Any],
        document: Document,
        extra: dict[str, Any],
        called: int | None,
        agent: str,
        place: dict[str, Any],
    ) -> None:
        calls = self.builder.steps[called].tool_calls if called is not None else ()
        results = results_of(step)
        for position, result in enumerate(results):
            references = list(references_of(result))
            text = text_of(bounded(result.get("content")))
            if text or calls or not references:
                call = calls[min(position, len(calls) - 1)] if calls else None
                failed = len(results) == 1 and any(extra.get(key) is True for key in _FAILED)
                self._result(result, text, call, agent, place, failed=failed)
            for reference in references:
                helper = meant(reference, document)
                if helper is None:
                    self.builder.note(
                        "missing",
                        "trajectories of sub-agents that were referred to; scan the folder that "
                        "holds them too",
                    )
                elif id(helper) not in self._written:
                    name = self._helper(helper, agent)
                    if called is not None:
                        self._hand_over(called, name)

    def _result(
        self,
        result: dict[str, Any],
        text: str,
        call: ToolCall | None,
        agent: str,
        place: dict[str, Any],
        *,
        failed: bool,
    ) -> None:
        call_id = word(result.get("source_call_id"))
        if call_id is None and call is not None:
            self.builder.note("inferred", "results without a call id were joined by order")
            call_id = call.id
        own = without_own(result.get("extra"))
        failed = failed or any(own.get(key) is True for key in _FAILED)
        step = self.turns.answer(
            text,
            call_id=call_id,
            # What answers no call must not be joined to an open one.
            tool=None if call_id else ENVIRONMENT,
            error=read_error(own, text, failed=failed),
            attributes=split_truth(own).attributes or None,
            **{key: value for key, value in place.items() if key != "attributes"},
        )
        self._hear(agent, step)

    def _hand_over(self, called: int, name: str) -> None:
        """The call whose result names a sub-agent's trajectory set that agent to work."""
        step = self.builder.steps[called]
        if step.role != "assistant":
            return
        targets = tuple(dict.fromkeys((*step.to, name)))
        alone = 0 < len(step.tool_calls) <= len(targets)
        update = {"to": targets, "kind": "handoff" if alone else step.kind}
        self.builder.steps[called] = lean(step.model_copy(update=update))

    def _place(self, step: dict[str, Any], extra: dict[str, Any], native: int) -> dict[str, Any]:
        others = {key: bounded(value) for key, value in step.items() if key not in _READ}
        if extra:
            others["extra"] = extra
        metrics = step.get("metrics")
        if isinstance(metrics, dict):
            known = {*_USAGE, *_TOKENS}
            others["metrics"] = bounded({k: v for k, v in metrics.items() if k not in known})
        attributes, truth = split_truth(others)
        if truth:
            self.builder.truth(**{f"steps[{native}]": truth})
        place: dict[str, Any] = {
            "native_index": native,
            "timestamp": moment(step.get("timestamp")),
            "attributes": attributes or None,
        }
        if step.get("is_copied_context") is True:
            place["flags"] = ("copied_context",)
        return place

    def _hear(self, agent: str, step: int) -> None:
        if agent in self._heard:
            self._heard[agent].append(self.turns.repeat(step))

    def _inputs(self, agent: str) -> tuple[InputMessage, ...] | None:
        heard = self._heard.get(agent)
        return None if heard is None or len(heard) > MAX_INPUTS else tuple(heard)
