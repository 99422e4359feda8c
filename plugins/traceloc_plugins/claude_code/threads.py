"""Which lines belong together: the path to the last leaf, and the threads of sub-agents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from traceloc_plugins.claude_code.lines import Line

DELEGATING = frozenset({"Task", "Agent"})
"""Tools that start a sub-agent."""


@dataclass(slots=True)
class Thread:
    """One sub-agent's lines."""

    name: str
    call_id: str | None
    lines: list[Line] = field(default_factory=list)


def abandoned(lines: list[Line]) -> set[int]:
    """Positions of lines that a rewind left behind: side branches of the path to the last leaf.

    Lines under a root of their own (a cleared or resumed session) are no branch. Neither are the
    results and pieces of one response, which hang beside each other without being alternatives.
    """
    main = [i for i, line in enumerate(lines) if line.uuid and not line.side]
    places = {lines[i].uuid: i for i in main}
    talk = [i for i in main if lines[i].kind in ("user", "assistant")]
    if not talk:
        return set()
    active: set[int] = set()
    place: int | None = talk[-1]
    while place is not None and place not in active:
        active.add(place)
        place = places.get(lines[place].parent)
    calls, responses = _of(lines[i] for i in active)
    verdict: dict[int, bool] = dict.fromkeys(active, False)
    for start in talk:
        walked: list[int] = []
        place = start
        while place is not None and place not in verdict and place not in walked[-1:]:
            walked.append(place)
            if len(walked) > len(main):
                break  # a circle
            line = lines[place]
            if (line.message_id in responses) or (_answered(line) & calls):
                break
            place = places.get(line.parent)
        if place is not None and place in verdict:
            left = verdict[place] or place in active
        else:
            left = False  # its own root, or a piece of what is active
        for walked_place in walked:
            verdict.setdefault(walked_place, left)
    return {i for i in talk if verdict.get(i, False)}


def _of(lines: Iterable[Line]) -> tuple[set[str], set[str | None]]:
    calls: set[str] = set()
    responses: set[str | None] = set()
    for line in lines:
        if line.message_id is not None:
            responses.add(line.message_id)
        calls.update(
            block["id"]
            for block in line.blocks()
            if isinstance(block, dict)
            and block.get("type") == "tool_use"
            and isinstance(block.get("id"), str)
        )
    return calls, responses


def _answered(line: Line) -> set[str]:
    return {
        block["tool_use_id"]
        for block in line.blocks()
        if isinstance(block, dict) and isinstance(block.get("tool_use_id"), str)
    }


def find_threads(lines: list[Line]) -> dict[int, Thread]:
    """The thread of each line that a sub-agent wrote, by position.

    A thread is named after the kind of agent the call asked for; the call is found by the id the
    lines carry, by the result that names the agent, or by the prompt the thread begins with.
    """
    calls: dict[str, dict[str, Any]] = {}
    by_agent: dict[str, str] = {}
    by_prompt: dict[str, list[str]] = {}
    for line in lines:
        for block in line.blocks():
            if not isinstance(block, dict):
                continue
            arguments = block.get("input")
            if block.get("type") == "tool_use" and _word(block.get("name")) in DELEGATING:
                call_id = block.get("id")
                if isinstance(call_id, str) and isinstance(arguments, dict):
                    calls.setdefault(call_id, arguments)
                    if isinstance(prompt := arguments.get("prompt"), str):
                        waiting = by_prompt.setdefault(prompt.strip(), [])
                        if call_id not in waiting:
                            waiting.append(call_id)
            answered = block.get("tool_use_id")
            result = line.raw.get("toolUseResult")
            if isinstance(answered, str) and isinstance(result, dict):
                if isinstance(agent_id := result.get("agentId"), str):
                    by_agent[agent_id] = answered
    return _Threads(calls, by_agent, by_prompt).collect(lines)


def order_lines(lines: list[Line], threads: dict[int, Thread]) -> list[int]:
    """Places in file order, with sub-agents' own files behind the calls that started them."""
    elsewhere: dict[str, list[int]] = {}
    main = []
    for place, line in enumerate(lines):
        thread = threads.get(place)
        if line.own_file and thread is not None and thread.call_id is not None:
            elsewhere.setdefault(thread.call_id, []).append(place)
        else:
            main.append(place)
    if not elsewhere:
        return main
    ordered: list[int] = []
    waiting = list(reversed(main))
    while waiting:
        place = waiting.pop()
        ordered.append(place)
        for block in lines[place].blocks():
            call_id = block.get("id") if isinstance(block, dict) else None
            if isinstance(call_id, str) and call_id in elsewhere:
                waiting.extend(reversed(elsewhere.pop(call_id)))
    for rest in elsewhere.values():
        ordered.extend(rest)
    return ordered


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


class _Threads:
    def __init__(
        self,
        calls: dict[str, dict[str, Any]],
        by_agent: dict[str, str],
        by_prompt: dict[str, list[str]],
    ) -> None:
        self._calls = calls
        self._by_agent = by_agent
        self._by_prompt = by_prompt
        self._known: dict[str, Thread] = {}
        self._names: dict[str, int] = {}

    def collect(self, lines: list[Line]) -> dict[int, Thread]:
        found: dict[int, Thread] = {}
        by_uuid: dict[str, Thread] = {}
        last: Thread | None = None
        for place, line in enumerate(lines):
            if not line.side:
                continue
            thread = None
            if line.agent_id is not None:
                thread = self._thread(f"agent:{line.agent_id}", self._call_of(line), line)
            elif line.call_id is not None:
                thread = self._thread(f"call:{line.call_id}", line.call_id, line)
            elif line.parent is not None:
                thread = by_uuid.get(line.parent)
            if thread is None:
                call_id = self._call_of(line)
                if call_id is None and last is not None and line.parent is not None:
                    thread = last  # the link is lost, but somebody's thread it is
                else:
                    thread = self._thread(f"root:{call_id or line.uuid or place}", call_id, line)
            thread.lines.append(line)
            found[place] = last = thread
            if line.uuid:
                by_uuid[line.uuid] = thread
        return found

    def _call_of(self, line: Line) -> str | None:
        if line.call_id is not None:
            return line.call_id
        if line.agent_id is not None and line.agent_id in self._by_agent:
            return self._by_agent[line.agent_id]
        for block in line.blocks():
            text = block.get("text") if isinstance(block, dict) else None
            if isinstance(text, str) and (waiting := self._by_prompt.get(text.strip())):
                return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return None

    def _thread(self, key: str, call_id: str | None, line: Line) -> Thread:
        thread = self._known.get(key) or (self._known.get(f"call:{call_id}") if call_id else None)
        if thread is None:
            asked = self._calls.get(call_id or "", {})
            name = asked.get("subagent_type") or asked.get("name")
            if not isinstance(name, str) or not name.strip():
                name = f"agent-{line.agent_id}" if line.agent_id else "subagent"
            count = self._names[name] = self._names.get(name, 0) + 1
            thread = Thread(name if count == 1 else f"{name} {count}", call_id)
            if call_id:
                self._known[f"call:{call_id}"] = thread
        self._known[key] = thread
        thread.call_id = thread.call_id or call_id
        return thread
