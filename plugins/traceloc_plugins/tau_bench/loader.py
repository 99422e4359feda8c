"""Reads tau-bench results: ``{task_id, reward, info, traj, trial}``, alone or in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.openai_chat.messages import ChatReader, is_chat
from traceloc_plugins.records import bounded, drain, keep_fields, read_traces


class TauBenchLoader:
    """Loader of tau-bench results."""

    name = "tau_bench"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "nothing to switch on: there are two sides, `assistant` and `user`",
        "instructions": "nothing to switch on: the system message holds the policy",
        "schemas": "no results file holds them; tau-bench's source does",
        "inputs": "no results file holds it",
        "times": "no results file holds them; those of tau2-bench do",
        "usage": "no results file holds them; those of tau2-bench do",
    }

    def sniff(self, head: Head) -> float:
        """A chat called ``traj``, beside a task and its reward."""
        for record in head.records[:1]:
            if is_chat(record.get("traj")):
                return 0.98
            if {"task_id", "reward", "info"} <= record.keys() and not head.complete:
                return 0.9
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each trial of each task."""
        return read_traces(self.name, sources, is_trace=_is_run, read=_read_run)


def _is_run(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("traj"), list)


def _read_run(builder: TraceBuilder, run: dict[str, Any]) -> Trace:
    # Fixed by the benchmark: one agent, and a customer played by a model from a private script.
    builder.agent("assistant", kind="worker", attribution="role")
    builder.agent(
        "user", kind="human", attribution="role", description="simulated by a language model"
    )
    chat = ChatReader(builder)
    for index, message in drain(run["traj"]):
        chat.add(message, index)

    task_id, trial = run.get("task_id"), run.get("trial")
    parts = [str(part) for part in (task_id, trial) if isinstance(part, int | str)]
    info = run.get("info")
    fields = {key: value for key, value in run.items() if key not in ("traj", "info")}
    if isinstance(info, dict):
        _keep_task(builder, info.get("task"))
        fields["info"] = {key: value for key, value in info.items() if key != "task"}
    attributes = keep_fields(builder, fields)
    return builder.build(
        id=".".join(parts) if task_id is not None else None,
        task=chat.first_request,
        attributes=attributes,
    )


def _keep_task(builder: TraceBuilder, task: Any) -> None:
    """The customer's script and the right actions: nothing the agent was told."""
    if isinstance(task, dict):
        task = bounded(task)
        expected = {key: task[key] for key in ("actions", "outputs") if task.get(key)}
        builder.truth(expected=expected or None, task=task)
