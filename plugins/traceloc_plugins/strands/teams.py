"""The state of a graph or swarm: whose turn it was, and what each agent answered in the end.

A team's session keeps no messages of its agents, so this is an outline of the run.
"""

from __future__ import annotations

from typing import Any

from traceloc.loading import TraceBuilder, declared_error, text_of
from traceloc.trace import Usage
from traceloc_plugins.records import bounded, integer, text_field
from traceloc_plugins.spans.messages import read_messages
from traceloc_plugins.turns import Turns

_ORDERS = ("node_history", "execution_order", "completed_nodes")


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
        _add_turn(turns, name, result, to, place + 1)
    builder.note(
        "missing",
        "structure only: the session of a team keeps the answers of its agents, not their messages",
    )
    if text_field(team, "status") == "failed":
        builder.outcome("failed", source="error", detail="the team's status is failed")


def _add_turn(turns: Turns, name: str, result: Any, to: tuple[str, ...], index: int) -> None:
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
        llm_call_id=f"turn {index}",
    )


def _task(task: Any) -> str:
    if isinstance(task, str):
        return task
    return "\n".join(m.text for m in read_messages([{"role": "user", "content": bounded(task)}]))


def _usage(usage: dict[str, Any]) -> Usage:
    return Usage(input=integer(usage.get("inputTokens")), output=integer(usage.get("outputTokens")))
