"""Reads results of tau2-bench: ``{info, tasks, simulations}``, or single simulations.

Both sides have tools: ``requestor`` says whose a call is. What judges found (``reward_info``,
``review``) and the tasks themselves are ground truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, parse_arguments, text_of
from traceloc.trace import ToolCall, Trace, Usage
from traceloc_plugins.facts import amount, count
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import (
    bounded,
    drain,
    id_field,
    integer,
    keep_fields,
    keep_rest,
    state_score,
    text_field,
)
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.tau2.reviews import keep_reviews
from traceloc_plugins.turns import Turns

_INFO = frozenset(("agent_info", "user_info", "environment_info"))
_OF_A_DOCUMENT = frozenset(("timestamp", "info", "tasks", "simulations", "messages"))
_TRUTH = ("reward_info", "auth_classification")


class Tau2Loader:
    """Loader of tau2-bench results."""

    name = "tau2"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "nothing to switch on: there are two sides, `assistant` and `user`",
        "instructions": "nothing to switch on: `info` of the file holds the policy; a single "
        "simulation has none",
        "schemas": "no results file holds them",
        "calls": "nothing to switch on: each call is written; without any the run made none",
        "results": "nothing to switch on: each result is written",
        "inputs": "no results file holds it",
    }

    def sniff(self, head: Head) -> float:
        """Simulations beside their tasks; a chat with an end and whose turns are numbered."""
        first = head.first
        if isinstance(first, dict):
            info = first.get("info")
            informed = isinstance(info, dict) and not _INFO.isdisjoint(info)
            runs = first.get("simulations")
            if isinstance(runs, list) and (informed or any(map(_is_run, runs[:3]))):
                return 0.97
            if informed and isinstance(first.get("tasks"), list):
                return 0.95  # the simulations stand further down
        return 0.96 if head.records and _is_run(head.records[0]) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each simulation."""
        for source in sources:
            for value, line in source.documents():
                yield from self._load(source, value, line)

    def _load(self, source: Source, value: Any, line: int | None) -> Iterator[Trace]:
        document = value if isinstance(value, dict) else {}
        runs = document.get("simulations")
        if not isinstance(runs, list):
            runs = value if isinstance(value, list) else [value]
        tasks = document.get("tasks")
        by_id = {
            id: task
            for task in (tasks if isinstance(tasks, list) else ())
            if isinstance(task, dict) and (id := id_field(task, "id"))
        }
        info = bounded(document.get("info"))
        strange = 0
        for _, run in drain(runs):
            if not _is_run(run):
                strange += 1
                continue
            builder = TraceBuilder(format=self.name, source=source.path)
            if run is not document:
                keep_rest(builder, document, _OF_A_DOCUMENT, place="document", whole_trace=True)
            task = by_id.get(id_field(run, "task_id") or "")
            trace = _read(builder, run, task, info if isinstance(info, dict) else {})
            if trace.steps:
                yield trace
        if strange:
            source.report(f"{strange} records are no simulation", code="TL120", line=line)


def _is_run(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("messages"), list)
        and "task_id" in value
        and not value.keys().isdisjoint(("termination_reason", "reward_info", "user_cost"))
    )


def _read(builder: TraceBuilder, run: dict[str, Any], task: Any, info: dict[str, Any]) -> Trace:
    environment = info.get("environment_info")
    environment = environment if isinstance(environment, dict) else {}
    agent = info.get("agent_info")
    builder.agent(
        "assistant",
        kind="worker",
        attribution="role",
        instructions=text_field(environment, "policy"),
        model=text_field(agent, "llm") if isinstance(agent, dict) else None,
    )
    builder.agent(
        "user", kind="human", attribution="role", description="simulated by a language model"
    )
    add_tools(builder, environment.get("tool_defs"))
    fields = {key: value for key, value in run.items() if key != "messages"}
    messages = run["messages"]
    turns = Turns(builder)
    places: dict[int, int] = {}
    for index, message in drain(messages):
        if isinstance(message, dict) and (turn := integer(message.get("turn_idx"))) is not None:
            places.setdefault(turn, index)
        try:
            _add(turns, message, index)
        except (ValueError, RecursionError):
            builder.note("skipped", "messages that cannot be represented")
    rewards = bounded(fields.get("reward_info"))
    if isinstance(rewards, dict):
        state_score(builder, rewards.get("reward"))
    passed = isinstance(rewards, dict) and rewards.get("reward") == 1
    keep_reviews(builder, fields, places, passed=passed)
    for key in _TRUTH:
        if value := bounded(fields.pop(key, None)):
            builder.truth(**{key: value})
    if isinstance(task, dict):
        _keep_task(builder, bounded(task))
    parts = [id_field(run, "task_id"), id_field(run, "trial")]
    return builder.build(
        id=id_field(run, "id") or ".".join(filter(None, parts)) or None,
        task=turns.first_request,
        system=text_field(environment, "domain_name"),
        attributes=keep_fields(builder, fields),
    )


def _keep_task(builder: TraceBuilder, task: dict[str, Any]) -> None:
    """The customer's script and what is expected: nothing the agent was told."""
    criteria = task.get("evaluation_criteria")
    builder.truth(expected=criteria if isinstance(criteria, dict) else None, task=task)


def _add(turns: Turns, message: Any, index: int) -> None:
    if not isinstance(message, dict):
        turns.builder.note("skipped", "items that are no message")
        return
    message = bounded(message)
    inner = message.get("tool_messages")
    if isinstance(inner, list):  # several results that came back at once
        for item in inner:
            _add(turns, item, index)
        return
    role, text = message.get("role"), text_of(message.get("content"))
    fields: dict[str, Any] = {
        "native_index": index,
        "timestamp": moment(nanoseconds(message.get("timestamp"))),
    }
    if role == "tool":
        failed = message.get("error") is True
        turns.answer(text, call_id=id_field(message, "id"), failed=failed, **fields)
        return
    if role == "system":
        turns.instruct("assistant", text, **fields)
        return
    usage = message.get("usage")
    fields["usage"] = _usage(usage, message.get("cost"))
    fields["llm_call_id"] = f"turn {index}" if fields["usage"] else None
    calls = tuple(_calls(message.get("tool_calls")))
    if role == "assistant":
        turns.say("assistant", text, calls=calls, **fields)
    elif role == "user":
        turns.ask(text, calls=calls, **fields)
    else:
        turns.builder.note("skipped", f"messages of role {str(role)[:40]!r}")


def _calls(calls: Any) -> Iterator[ToolCall]:
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield ToolCall(
                name=text_field(call, "name") or "unknown",
                id=id_field(call, "id"),
                arguments=bounded(parse_arguments(call.get("arguments"))),
            )


def _usage(usage: Any, cost: Any) -> Usage | None:
    price = amount(cost)
    if not isinstance(usage, dict):
        return Usage(cost_usd=price) if price else None
    return Usage(
        input=count(usage.get("prompt_tokens")),
        output=count(usage.get("completion_tokens")),
        cost_usd=price,
    )
