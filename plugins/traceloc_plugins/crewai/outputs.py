"""What a crew leaves behind: its output with the chats of all tasks, and the log of its tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from traceloc.loading import TraceBuilder, declared_error, text_of
from traceloc.trace import StepError, Trace
from traceloc_plugins.records import bounded, keep_fields, keep_rest, text_field
from traceloc_plugins.spans.calls import canonical
from traceloc_plugins.spans.messages import Message, read_messages
from traceloc_plugins.spans.values import moment, nanoseconds
from traceloc_plugins.turns import Thread, Turns

_LOOKED_BACK = 30
"""Earlier tasks whose results are looked for in what a task was given."""
_SHORTEST = 3
"""A result of fewer characters is found everywhere by chance."""

_LOG_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=: task_name=\")")
_OF_A_TASK = frozenset(
    ("name", "description", "raw", "agent", "messages", "tool_failures", "summary")
)
_LOG_FIELDS = ("task_name", "task", "agent", "status", "output")
_OF_AN_ENTRY = frozenset((*_LOG_FIELDS, "timestamp"))


class Finished(NamedTuple):
    """A task that was worked on."""

    agent: str
    given: str
    """What the agent got to read."""
    result: str


def recipients(tasks: Sequence[Finished]) -> list[tuple[str, ...]]:
    """Whom the result of each task was passed on to: agents of later tasks that got to read it."""
    found: list[dict[str, None]] = [{} for _ in tasks]
    for later, task in enumerate(tasks):
        for earlier in range(max(0, later - _LOOKED_BACK), later):
            done = tasks[earlier]
            result = done.result.strip()
            if done.agent != task.agent and len(result) >= _SHORTEST and result in task.given:
                found[earlier][task.agent] = None
    return [tuple(names) for names in found]


def read_output(builder: TraceBuilder, output: dict[str, Any]) -> Trace:
    """A ``CrewOutput``: the chat of each task, one after the other."""
    tasks = [task for task in output["tasks_output"] if isinstance(task, dict)]
    if len(tasks) < len(output["tasks_output"]):
        builder.note("skipped", "items that are no task")
    names = [text_field(task, "agent") or "agent" for task in tasks]
    turns = Turns(builder, names)
    chats = [_chat(task) for task in tasks]
    finished = [
        Finished(name, "\n".join(m.text for _, m in chat if m.role == "user"), _raw(task))
        for name, task, chat in zip(names, tasks, chats, strict=True)
    ]
    position = 0
    for number, (task, name, chat, to) in enumerate(
        zip(tasks, names, chats, recipients(finished), strict=True)
    ):
        keep_rest(builder, task, _OF_A_TASK, place=f"tasks_output[{number}]")
        position = _write_task(turns, task, name, chat, to, position)
    if not any(chats):
        note_task_level(builder)
    others = {key: value for key, value in output.items() if key != "tasks_output"}
    if tasks and text_field(others, "raw") == _raw(tasks[-1]):
        others.pop("raw")  # the last answer, which is a step
    asked = text_field(tasks[0], "description") if tasks else None
    return builder.build(task=asked, attributes=keep_fields(builder, others))


def _chat(task: dict[str, Any]) -> list[tuple[int, Message]]:
    messages = task.get("messages")
    return [
        (position, read)
        for position, message in enumerate(messages if isinstance(messages, list) else ())
        for read in read_messages(bounded(message))
    ]


def _write_task(
    turns: Turns,
    task: dict[str, Any],
    agent: str,
    chat: list[tuple[int, Message]],
    to: tuple[str, ...],
    start: int,
) -> int:
    """Steps of a task; gives the position after it in the list of all messages."""
    attributes = {"task": name} if (name := text_field(task, "name")) else None
    failures = _failures(task)
    thread = Thread(turns, turns.introduce(agent), private=True)
    result = _raw(task)
    said = False
    asked: dict[str, tuple[str, str]] = {}
    for position, message in chat:
        fields: dict[str, Any] = {"native_index": start + position, "attributes": attributes}
        for call in message.calls:
            if call.id:
                asked[call.id] = (call.name, canonical(call.arguments))
        if message.role == "tool":
            fields["error"] = failures.pop(asked.get(message.call_id or "", ("", "")), None)
        elif message.role == "assistant" and result and message.text.strip() == result.strip():
            said, fields["to"] = True, to
        thread.add(message, **fields)
    length = max((position + 1 for position, _ in chat), default=0)
    if not chat:
        opening = text_field(task, "description") or ""
        turns.ask(opening, to=(agent,), native_index=start, attributes=attributes)
        length = 1
    if result and not said:
        turns.say(agent, result, to=to, native_index=start + length, attributes=attributes)
        length += 1
    return start + length


def _failures(task: dict[str, Any]) -> dict[tuple[str, str], StepError]:
    """Failed calls by tool and arguments, as the framework saw them."""
    found = {}
    listed = task.get("tool_failures")
    for item in listed if isinstance(listed, list) else ():
        failure = item.get("failure") if isinstance(item, dict) else None
        if isinstance(failure, dict):
            key = (text_field(item, "tool_name") or "", canonical(bounded(item.get("tool_args"))))
            found[key] = failure_of(failure)
    return found


def failure_of(failure: dict[str, Any]) -> StepError:
    """The error in CrewAI's description of a failed call."""
    message = text_field(failure, "message", "reason") or "the tool failed"
    return declared_error(message, type=text_field(failure, "code"))


def _raw(task: dict[str, Any]) -> str:
    return text_of(bounded(task.get("raw")))


def starts_entry(line: str) -> bool:
    """Whether an entry of a log in text begins on a line."""
    return _LOG_TIME.match(line) is not None


def parse_log_line(text: str) -> dict[str, str] | None:
    """An entry of a log in text; quotes are not escaped, so a field ends where the next begins."""
    time = _LOG_TIME.match(text)
    if time is None:
        return None
    found = {"timestamp": time[0]}
    rest = text[time.end() :].removeprefix(": ").rstrip()
    for key, following in zip(_LOG_FIELDS, (*_LOG_FIELDS[1:], None), strict=True):
        if not rest.startswith(f'{key}="'):
            break
        rest = rest.removeprefix(f'{key}="')
        mark = f'", {following}="'
        value, met, after = rest.partition(mark) if following else (rest, "", "")
        found[key] = value if met else rest.removesuffix('"')
        rest = f'{following}="{after}' if met else ""
    return found if "status" in found else None


def is_log_entry(value: Any) -> bool:
    """Whether a JSON value is an entry of ``output_log_file``."""
    return isinstance(value, dict) and {"task_name", "task", "agent", "status"} <= value.keys()


def read_log(builder: TraceBuilder, entries: Iterable[Any]) -> Trace:
    """The entries of ``output_log_file``: tasks as they start, and their results."""
    rows = [dict(entry) if is_log_entry(entry) else None for entry in entries]
    agents = [text_of(row["agent"]) or "agent" if row else "" for row in rows]
    turns = Turns(builder, filter(None, agents))
    note_task_level(builder)
    first = None
    following = [""] * len(rows)
    for index in range(len(rows) - 2, -1, -1):
        following[index] = agents[index + 1] or following[index + 1]
    for index, row in enumerate(rows):
        if row is None:
            builder.note("skipped", "items that are no entry of the log")
            continue
        keep_rest(builder, row, _OF_AN_ENTRY, place=f"entries[{index}]")
        agent, words = agents[index], text_of(bounded(row.get("task")))
        first = first or words
        fields: dict[str, Any] = {
            "native_index": index,
            "timestamp": moment(nanoseconds(row.get("timestamp"))),
            "attributes": {"task": text_of(row["task_name"])} if row.get("task_name") else None,
        }
        if row["status"] == "started":
            turns.introduce(agent)
            turns.ask(words, to=(agent,), **fields)
            continue
        to = following[index]
        if to and to != agent:
            builder.note("inferred", "a result was taken to be passed on to the next task's agent")
        if row["status"] == "failed":
            fields["error"] = declared_error(text_of(bounded(row.get("output"))) or "task failed")
        said = text_of(bounded(row.get("output")))
        turns.say(agent, said, to=(to,) if to and to != agent else (), **fields)
    return builder.build(task=first)


def note_task_level(builder: TraceBuilder) -> None:
    """Say that this is the outline of a run only."""
    builder.note(
        "missing",
        "structure only: tasks and their results, without the model and tool calls between;"
        " the CrewOutput of kickoff(), or the event bus (crewai_event_bus), hold those",
    )
