"""What a crew prints while it works (``verbose=True``): boxes with a title.

The boxes are as wide as the terminal was, so long words and lines are broken; they show tool calls
and final answers, and not what a model said in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from traceloc.loading import TraceBuilder, parse_arguments
from traceloc.trace import ToolCall, Trace
from traceloc_plugins.spans.values import decoded
from traceloc_plugins.turns import Turns

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FIELD = re.compile(r"(?P<key>[A-Z][A-Za-z ]{1,24}):\s?(?P<value>.*)")
_KEYS = frozenset(
    ("Name", "ID", "Agent", "Task", "Tool", "Args", "Output", "Error", "Final Answer", "Status")
) | {"Iteration", "Attempt", "Thought", "Final Output", "Reason"}
MARKS = ("Crew Execution Started", "Agent Started", "Task Started", "Tool Execution Started")


class Box(NamedTuple):
    """One box: its title, and the fields inside."""

    title: str
    fields: dict[str, str]
    line: int


def read_boxes(lines: Iterable[tuple[int, str]]) -> Iterator[Box]:
    """The boxes among numbered lines; everything between them is passed over."""
    title, start, inside = None, 0, list[str]()
    for number, raw in lines:
        line = _ESCAPE.sub("", raw).rstrip()
        if line.startswith("╭"):
            title, start, inside = line[:2000].strip("╭╮─ "), number, []
        elif title is not None and line.startswith("│"):
            inside.append(line[1:].removesuffix("│"))
        elif title is not None and line.startswith("╰"):
            yield Box(title, _fields(inside), start)
            title = None


def split_runs(boxes: Iterable[Box]) -> Iterator[list[Box]]:
    """The boxes of each crew that ran."""
    run: list[Box] = []
    for box in boxes:
        if "Crew Execution Started" in box.title and run:
            yield run
            run = []
        run.append(box)
    if run:
        yield run


def _fields(lines: list[str]) -> dict[str, str]:
    width = max(map(len, lines), default=0)
    found: dict[str, list[str]] = {}
    key, before = "", 0
    for line in lines:
        words = line.strip()
        match = _FIELD.match(words[:400])
        if match and match["key"] in _KEYS and match["key"] not in found:
            key, words = match["key"], words[match.end("key") + 1 :].strip()
            found[key] = [words] if words else []
            before = len(line.rstrip())
            continue
        pieces = found.setdefault(key, [])
        first = words.partition(" ")[0]
        # A line that had no room for the next word was broken by the box.
        if pieces and words and before + len(first) + 3 > width:
            pieces[-1] += f" {words}"
        else:
            pieces.append(words)
        before = len(line.rstrip())
    return {key: "\n".join(pieces).strip() for key, pieces in found.items()}


def read_console(builder: TraceBuilder, boxes: list[Box]) -> Trace:
    """The run that boxes show."""
    turns = Turns(builder, [box.fields["Agent"] for box in boxes if box.fields.get("Agent")])
    agent, crew, task = "", None, None
    waiting: list[ToolCall] = []
    builder.note(
        "missing",
        "the console shows tool calls and final answers, not what models said and read;"
        " long lines are broken; the CrewOutput of kickoff(), or the event bus (crewai_event_bus),"
        " hold all of it",
    )
    for index, (title, said, line) in enumerate(boxes):
        fields: dict[str, Any] = {"native_index": index, "line": line}
        agent = said.get("Agent") or agent
        if "Agent" in title:
            waiting.clear()
        if "Crew Execution Started" in title:
            crew = said.get("Name") or crew
        elif "Agent Started" in title:
            turns.introduce(agent or "agent")
            task = task or said.get("Task")
            turns.ask(said.get("Task", ""), to=(agent or "agent",), **fields)
        elif "Tool Execution Started" in title and "Tool" in said:
            arguments = decoded(parse_arguments(said.get("Args", "")))
            call = ToolCall(name=said["Tool"], id=f"box {index}", arguments=arguments)
            if (
                waiting and builder.steps[-1].tool_calls
            ):  # started before the one before came back: one response asked for both
                builder.add_calls(len(builder.steps) - 1, [call])
            else:
                turns.say(agent or "agent", said.get("Thought", ""), calls=[call], **fields)
            waiting.append(call)
        elif ("Tool Execution Completed" in title or "Tool Error" in title) and "Tool" in said:
            failed = "Error" in title
            text = said.get("Error" if failed else "Output", "")
            done = next((c for c in waiting if c.name == said["Tool"]), None)
            if done is not None:
                waiting.remove(done)
            id = done.id if done else None
            turns.answer(text, call_id=id, tool=said["Tool"], failed=failed, **fields)
        elif "Agent Final Answer" in title:
            to = _next_agent(boxes, index, agent)
            if to:
                builder.note("inferred", "an answer was taken to be for the agent that starts next")
            turns.say(agent or "agent", said.get("Final Answer", ""), to=to, **fields)
        else:
            builder.note("skipped", f"boxes titled {title[:60]!r}")
    return builder.build(task=task, system=crew)


def _next_agent(boxes: list[Box], index: int, agent: str) -> tuple[str, ...]:
    for box in boxes[index + 1 : index + 12]:
        name = box.fields.get("Agent")
        if name and "Agent Started" in box.title:
            return (name,) if name != agent else ()
    return ()
