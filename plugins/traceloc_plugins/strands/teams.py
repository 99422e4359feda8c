"""A graph or swarm, as state or result: whose turn it was, and what each agent answered in the end.

Neither keeps the messages of the agents, so this is an outline of the run.
"""

from __future__ import annotations

from typing import Any

from traceloc.loading import Source, TraceBuilder, declared_error, text_of
from traceloc.trace import Trace, Usage
from traceloc_plugins.records import bounded, integer, keep_fields, text_field
from traceloc_plugins.spans.messages import read_messages
from traceloc_plugins.turns import Turns

_RESULT = "multiagent_result"
_OF_A_RESULT = frozenset(("type", "results", "interrupts"))
_ORDERS = ("node_history", "execution_order", "completed_nodes")


def is_team_result(value: Any) -> bool:
    """Whether a JSON value is what a graph or swarm returned, as ``to_dict`` writes it."""
    return (
        isinstance(value, dict)
        and value.get("type") == _RESULT
        and isinstance(value.get("results"), dict)
    )


def read_team_result(name: str, source: Source, value: dict[str, Any]) -> Trace:
    """The trace of what a graph or swarm returned."""
    builder = TraceBuilder(format=name, source=source.path, dialect="result")
    add_team(builder, Turns(builder), {**value, "node_results": value["results"]})
    fields = {key: kept for key, kept in value.items() if key not in _OF_A_RESULT and kept}
    return builder.build(attributes=keep_fields(builder, fields))


def add_team(builder: TraceBuilder, turns: Turns, team: dict[str, Any]) -> None:
    """Add the answers of a team's agents, in the order of their turns."""
    results = team.get("node_results")
    results = results if isinstance(results, dict) else {}
    listed: list[Any] = next((team[key] for key in _ORDERS if isinstance(team.get(key), list)), [])
    order = [name for name in listed if isinstance(name, str) and name]
    order += [name for name in results if name and name not in order]
    for name in order:
        turns.introduce(name)
    if task := _task(team.get("current_task")):
        turns.ask(task, to=tuple(order[:1]), native_index=0)
    last = {name: place for place, name in enumerate(order)}
    for place, name in enumerate(order):
        following = order[place + 1] if team["type"] == "swarm" and place + 1 < len(order) else None
        to = (following,) if following and following != name else ()
        # Only the answer of an agent's last turn is kept.
        result = results.get(name) if last[name] == place else None
        inner = result.get("result") if isinstance(result, dict) else None
        if is_team_result(inner):
            _add_inner(turns, name, bounded(inner), place + 1)
        else:
            _add_turn(turns, name, result, to, place + 1)
    kept = "result" if team["type"] == _RESULT else "session"
    builder.note(
        "missing",
        f"structure only: the {kept} of a team keeps the answers of its agents, not their "
        "messages; spans of OpenTelemetry, or agent.messages of each agent, hold those",
    )
    if text_field(team, "status") == "failed":
        builder.outcome("failed", source="error", detail="the team's status is failed")


def _add_inner(turns: Turns, name: str, team: Any, index: int) -> None:
    """The turns of a team that is a member of another one."""
    results = team.get("results") if isinstance(team, dict) else None
    for member, result in results.items() if isinstance(results, dict) else ():
        turns.introduce(member, parent=name if member != name else None)
        inner = result.get("result") if isinstance(result, dict) else None
        if is_team_result(inner):
            _add_inner(turns, member, inner, index)
        else:
            _add_turn(turns, member, result, (), index, team=name)


def _add_turn(
    turns: Turns, name: str, result: Any, to: tuple[str, ...], index: int, *, team: str = ""
) -> None:
    result = bounded(result) if isinstance(result, dict) else {}
    answer = result.get("result")
    answer = answer if isinstance(answer, dict) else {}
    messages = read_messages([answer["message"]]) if isinstance(answer.get("message"), dict) else []
    text = "\n".join(message.text for message in messages if message.text)
    failure = answer.get("message") if answer.get("type") == "exception" else None
    failed = failure is not None or result.get("status") == "failed"
    text = text or text_of(failure)
    usage = result.get("accumulated_usage")
    turns.say(
        name,
        text,
        to=to,
        native_index=index,
        error=declared_error(text or "the agent failed") if failed else None,
        usage=_usage(usage) if isinstance(usage, dict) else None,
        llm_call_id=f"turn {index} {team} {name}" if team else f"turn {index}",
    )


def _task(task: Any) -> str:
    if isinstance(task, str):
        return task
    return "\n".join(m.text for m in read_messages([{"role": "user", "content": bounded(task)}]))


def _usage(usage: dict[str, Any]) -> Usage:
    return Usage(input=integer(usage.get("inputTokens")), output=integer(usage.get("outputTokens")))
