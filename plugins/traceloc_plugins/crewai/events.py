"""The event bus of CrewAI: everything that happens, in the order of its emission.

Handlers run side by side, so the order of a file is not that of the run, and several runs of one
process share a file. Every event names its parent, which leads to the run it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from traceloc.loading import TraceBuilder, declared_error, text_of
from traceloc.trace import ToolCall, Trace
from traceloc_plugins.crewai.outputs import Finished, recipients
from traceloc_plugins.crewai.values import read_response, read_usage, unquoted
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import bounded, id_field, integer, text_field
from traceloc_plugins.spans.calls import canonical
from traceloc_plugins.spans.messages import read_messages
from traceloc_plugins.spans.retelling import is_retold
from traceloc_plugins.spans.values import decoded, moment, nanoseconds
from traceloc_plugins.turns import Turns, model_error

_PARENTS = ("parent_event_id", "started_event_id", "previous_event_id", "triggered_by_event_id")
_MAX_CHAIN = 10_000
_BEGINS = ("kickoff_started", "lite_agent_execution_started")
_REPEATS = re.compile(
    r"agent_logs_|flow_|method_execution_|llm_(?:stream|thinking)_chunk|default_env|task_evaluation"
    r"|(?:lite_)?agent_execution_completed|tool_usage_started|tool_failure_detected"
    r"|crew_kickoff_completed"
)
"""Events that say nothing which others do not say."""
_EXCEPTION = re.compile(
    r"(?P<type>[A-Za-z_]\w*)\((?P<quote>['\"])(?P<text>.*)(?P=quote),?\)", re.DOTALL
)
"""The ``repr`` of an exception."""


class Placed(NamedTuple):
    """An event, and its position in the file."""

    position: int
    event: dict[str, Any]


def is_event(value: Any) -> bool:
    """Whether a JSON value is an event of the bus."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("type"), str)
        and "emission_sequence" in value
        and "event_id" in value
    )


def split_runs(events: Sequence[Placed]) -> list[list[Placed]]:
    """The events of each run, in the order of their emission."""
    by_id = {id: event for _, event in events if (id := id_field(event, "event_id"))}
    roots: dict[str, str] = {}
    runs: dict[str, list[Placed]] = {}
    for placed in events:
        root = _root(placed.event, by_id, roots)
        runs.setdefault(root, []).append(placed)
    for run in (joined := _join_strays(runs)):
        run.sort(key=lambda p: integer(p.event.get("emission_sequence")) or 0)
    return joined


def _join_strays(runs: dict[str, list[Placed]]) -> list[list[Placed]]:
    """Runs with the events that name no parent, which belong to what began before them."""
    joined: list[list[Placed]] = []
    waiting: list[Placed] = []
    for run in sorted(runs.values(), key=lambda run: run[0].position):
        if any(placed.event["type"].endswith(_BEGINS) for placed in run):
            joined.append([*waiting, *run])
            waiting = []
        elif joined:
            joined[-1] += run
        else:
            waiting += run
    return joined or [waiting]


def _root(event: dict[str, Any], by_id: dict[str, Any], roots: dict[str, str]) -> str:
    """The id of the event that everything began with."""
    chain: list[str] = []
    while len(chain) < _MAX_CHAIN:
        id = id_field(event, "event_id") or ""
        if id in roots:
            id = roots[id]
            break
        chain.append(id)
        parent = next((p for key in _PARENTS if (p := id_field(event, key)) in by_id), None)
        if parent is None or parent in chain[-50:]:
            break
        event = by_id[parent]
    roots.update(dict.fromkeys(chain, id))
    return id


class EventReader:
    """Turns the events of one run into steps.

    Args:
        builder: The trace under construction.
        events: The events of the run, in order.
    """

    def __init__(self, builder: TraceBuilder, events: Sequence[Placed]) -> None:
        self._builder = builder
        self._events = events
        roles = (text_field(event, "agent_role") for _, event in events)
        self._turns = Turns(builder, filter(None, roles))
        self._prompts: dict[str, str] = {}
        self._given: dict[str, dict[str, Any]] = {}
        self._passed_on: dict[str, tuple[str, ...]] = {}
        self._open: dict[str, list[tuple[str | None, str, str]]] = {}
        """Calls without a result, by agent: a delegation is open while the other agent calls."""
        self._last: dict[str, int] = {}
        self._systems: dict[str, str] = {}
        self._instructed: set[str] = set()
        self._results: dict[str, str] = {}
        self._task: str | None = None
        self._crew: str | None = None
        self._look_ahead()

    def read(self) -> Trace:
        """The trace."""
        for position, event in self._events:
            try:
                self._add(event, position)
            except (ValueError, RecursionError):
                self._builder.note("skipped", "events that cannot be represented")
        begins = (e for _, e in self._events if e["type"].endswith(_BEGINS))
        first = next(begins, self._events[0].event)
        id = next((i for _, e in self._events if (i := id_field(e, "event_id"))), None)
        return self._builder.build(
            id=id_field(first, "event_id") or id, task=self._task, system=self._crew
        )

    def _look_ahead(self) -> None:
        """What each task's agent gets to read, and who reads its result later."""
        tasks: dict[str, Finished] = {}
        for _, event in self._events:
            id = id_field(event, "task_id") or ""
            kind = event["type"]
            if kind == "llm_call_started":
                if id not in self._prompts:
                    messages = read_messages(unquoted(bounded(event.get("messages"))))
                    asked = [m.text for m in messages if m.role == "user"]
                    self._prompts[id] = asked[0] if asked else ""
                    rules = [m.text for m in messages if m.role == "system"]
                    self._systems[id] = rules[0] if rules else ""
                call = id_field(event, "call_id") or ""
                self._given.setdefault(call, event)
            elif kind == "task_started":
                given = text_field(event, "context") or ""
                tasks[id] = Finished(_worker(event), given, "")
            elif kind == "task_completed" and id in tasks:
                self._results[id] = _raw(event)
                tasks[id] = tasks[id]._replace(result=_raw(event))
        for id, names in zip(tasks, recipients(list(tasks.values())), strict=True):
            self._passed_on[id] = names

    def _add(self, event: dict[str, Any], position: int) -> None:
        kind = event["type"]
        agent = text_field(event, "agent_role") or ""
        fields: dict[str, Any] = {
            "native_index": position,
            "timestamp": moment(nanoseconds(event.get("timestamp"))),
            "span_id": id_field(event, "event_id"),
        }
        if name := text_field(event, "task_name"):
            fields["attributes"] = {"task": name}
        match kind:
            case "crew_kickoff_started":
                self._crew = text_field(event, "crew_name") or self._crew
            case "agent_execution_started" | "lite_agent_execution_started":
                self._introduce(event.get("agent") or event.get("agent_info"))
            case "task_started":
                self._start_task(event, fields)
            case "llm_call_completed":
                self._add_response(event, agent or "agent", fields)
            case "tool_usage_finished" | "tool_usage_error" | "tool_validate_input_error":
                self._add_result(event, agent, fields, failed=kind != "tool_usage_finished")
            case "task_completed":
                self._finish_task(event, fields)
            case _ if kind.endswith(("_failed", "_error", "_timeout")):
                self._add_failure(event, agent or _worker(event), fields)
            case "llm_call_started":
                pass  # read ahead
            case "human_feedback_received":
                self._turns.ask(text_of(bounded(event.get("feedback"))), **fields)
            case _:
                repeats = ", told by others too" if _REPEATS.match(kind) else ""
                self._builder.note("skipped", f"events of type {kind[:60]!r}{repeats}")

    def _introduce(self, agent: Any) -> None:
        if isinstance(agent, dict) and (role := text_field(agent, "role")):
            self._turns.introduce(role, description=text_field(agent, "goal"))
            tools = unquoted(bounded(agent.get("tools")))
            for tool in tools if isinstance(tools, list) else ():
                if isinstance(tool, dict) and (name := text_field(tool, "name")):
                    self._builder.tool(name, description=text_field(tool, "description"))

    def _start_task(self, event: dict[str, Any], fields: dict[str, Any]) -> None:
        task = event.get("task")
        described = text_field(task, "description") if isinstance(task, dict) else None
        self._task = self._task or described
        if isinstance(task, dict):
            self._introduce(task.get("agent"))
        id, agent = id_field(event, "task_id") or "", _worker(event)
        if (rules := self._systems.get(id)) and agent and agent not in self._instructed:
            self._instructed.add(agent)
            self._turns.instruct(agent, rules, **fields)
        words = self._prompts.get(id) or described or ""
        self._turns.ask(words, to=(agent,) if agent else (), **fields)

    def _add_response(self, event: dict[str, Any], agent: str, fields: dict[str, Any]) -> None:
        call = id_field(event, "call_id")
        asked = self._given.get(call or "", event)
        given = read_messages(unquoted(bounded(asked.get("messages"))))
        add_tools(self._builder, unquoted(bounded(asked.get("tools"))))
        text, calls = read_response(event.get("response"))
        usage = event.get("usage")
        id = id_field(event, "task_id") or ""
        final = bool(text) and not calls and text.strip() == self._results.get(id, "").strip()
        to = self._passed_on.get(id, ()) if final else None
        step = self._turns.say(
            agent,
            text,
            calls=calls,
            to=to,
            inputs=self._turns.given(given) if given else None,
            model=text_field(event, "model"),
            usage=read_usage(usage) if isinstance(usage, dict) else None,
            llm_call_id=id_field(event, "response_id", "call_id"),
            **fields,
        )
        self._last[agent] = step
        self._open[agent] = [(c.id, c.name, canonical(c.arguments)) for c in calls]

    def _add_result(
        self, event: dict[str, Any], agent: str, fields: dict[str, Any], *, failed: bool
    ) -> None:
        tool = text_field(event, "tool_name") or "tool"
        arguments = decoded(bounded(event.get("tool_args")))
        text = text_of(bounded(event.get("error" if failed else "output")))
        named = _EXCEPTION.fullmatch(text[:4000]) if failed else None
        error = declared_error(named["text"], type=named["type"]) if named else None
        wanted = canonical(arguments)
        waiting = self._open.get(agent or "agent", [])
        match = next((c for c in waiting if c[1] == tool and c[2] == wanted), None)
        match = match or next((c for c in waiting if c[1] == tool), None)
        if match is None and (made := self._last.get(agent)) is not None:
            # An agent that asks in words; the framework reads the call out of them.
            self._turns.call_too(made, ToolCall(name=tool, arguments=arguments))
        elif match is not None:
            waiting.remove(match)
        call_id = match[0] if match else None
        self._turns.answer(text, call_id=call_id, tool=tool, failed=failed, error=error, **fields)

    def _finish_task(self, event: dict[str, Any], fields: dict[str, Any]) -> None:
        raw, agent = _raw(event), _worker(event)
        if raw and not self._turns.has_said("assistant", raw):
            to = self._passed_on.get(id_field(event, "task_id") or "", ())
            self._turns.say(agent or "agent", raw, to=to, **fields)

    def _add_failure(self, event: dict[str, Any], agent: str, fields: dict[str, Any]) -> None:
        text = text_field(event, "error") or f"{event['type']}"
        if isinstance(event.get("failure"), dict):
            return  # a tool's, told by its own event
        if event["type"] == "crew_kickoff_failed":
            self._builder.outcome("failed", source="error", detail=text[:500])
        if self._is_retold(text):
            return
        self._turns.introduce(agent or "crew")
        self._builder.step(
            kind="event",
            role="system",
            agent=agent or "crew",
            text=text,
            error=model_error(text) if event["type"].startswith("llm") else declared_error(text),
            **fields,
        )

    def _is_retold(self, text: str) -> bool:
        """Whether the last step failed of the same: a call, its agent, the task and the crew do."""
        last = self._builder.steps[-1] if self._builder.steps else None
        if last is None or last.kind != "event" or last.error is None:
            return False
        return is_retold(text, last.text)


def _worker(event: dict[str, Any]) -> str:
    """The agent that an event's task belongs to."""
    task, output = event.get("task"), event.get("output")
    agent = task.get("agent") if isinstance(task, dict) else None
    if isinstance(agent, dict) and (role := text_field(agent, "role")):
        return role
    if isinstance(output, dict) and (name := text_field(output, "agent")):
        return name
    return text_field(event, "agent_role") or ""


def _raw(event: dict[str, Any]) -> str:
    output = event.get("output")
    return (text_field(output, "raw") if isinstance(output, dict) else None) or ""
