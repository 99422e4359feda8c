"""Who is who in a conversation of named agents, told by what their messages are.

A message's role is relative to the owner of the chat, so the name says who spoke. Who executes code
shows in the messages: they are what AG2's executors return, whatever the agent is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from traceloc.loading import TraceBuilder
from traceloc.trace import AgentKind
from traceloc_plugins.openai_chat.messages import ChatReader
from traceloc_plugins.records import drain

HUMANS = ("human", "user")
"""Words for a role, that say the speaker is no agent."""

_EXECUTION = re.compile(
    r"\s*(?:exit ?code: ?-?\d+\b"
    r"|The script ran, then exited with|There is no code (?:block )?(?:from|in) the last"
    r"|Error: Traceback \(most recent call last\)|No output found\. Make sure you print)",
    re.IGNORECASE,
)
"""What executors of AG2, Magentic-One and MathChat return, at the start of a message."""
_BARE_VALUE = re.compile(r"(?=[^\n]{0,80}\d)\s*[-+\d.,/*()\[\]{}<>=^e %xyz]{1,80}\s*$")
_MAX_BARE_VALUE = 80
_TOOL_ROLES = ("tool", "function")
_CODE = re.compile(r"^```", re.MULTILINE)


@dataclass
class _Tally:
    spoken: int = 0
    executed: int = 0
    opened: bool = False
    alternating: bool = False

    @property
    def kind(self) -> AgentKind:
        after_opening = self.spoken + self.executed
        if self.executed and self.executed * 2 > after_opening:
            return "tool"
        return "human" if self.opened and not after_opening else "worker"


def read_conversation(
    builder: TraceBuilder,
    messages: list[Any],
    *,
    author_key: str = "name",
    human_opens: bool = True,
) -> ChatReader:
    """Add a conversation to a trace.

    Args:
        builder: The trace under construction.
        messages: Messages as parsed from JSON; consumed.
        author_key: Field that names who spoke.
        human_opens: Whether an agent that only opens the chat stands for the person who asked.

    Returns:
        The reader, for what it saw.
    """
    authors = [_author(message, author_key) for message in messages]
    # What AG2 leaves unnamed are assistants' tool calls.
    unnamed = {
        index
        for index, name in enumerate(authors)
        if name is None and _field(messages[index], "role") == "assistant"
    }
    executions = find_executions(messages)
    tallies = {name: _Tally() for name in authors if name}
    _fill_by_alternation(builder, authors, unnamed, tallies)
    for index, name in enumerate(authors):
        if name is None:
            continue
        tally = tallies[name]
        if index in executions or _is_tool_answer(messages[index]):
            tally.executed += 1
        elif index == 0 and human_opens:
            tally.opened = True
        elif not human_opens or _says_something(messages[index]):
            tally.spoken += 1
    for name, tally in tallies.items():
        kind = "human" if tally.kind == "worker" and name.lower() in HUMANS else tally.kind
        attribution = "alternation" if tally.alternating else "explicit"
        builder.agent(name, kind=kind, attribution=attribution)

    chat = ChatReader(builder, known=tallies)
    for index, message in drain(messages):
        chat.add(message, index, author=authors[index], execution=index in executions)
    return chat


def find_executions(messages: Iterable[Any]) -> set[int]:
    """Positions of messages that are what executed code returned."""
    found = set()
    after_code = False
    for index, message in enumerate(messages):
        text = _beginning(message)
        if _EXECUTION.match(text) or (after_code and _is_bare_value(text)):
            found.add(index)
        after_code = "```" in text and bool(_CODE.search(text))
    return found


def _is_bare_value(text: str) -> bool:
    # Asked first, because white space without end would cost the pattern time without end.
    return len(text.strip()) <= _MAX_BARE_VALUE and _BARE_VALUE.match(text) is not None


def _beginning(message: Any) -> str:
    content = _field(message, "content")
    if isinstance(content, list):
        content = "\n".join(line for line in content if isinstance(line, str))
    return content if isinstance(content, str) else ""


def _author(message: Any, key: str) -> str | None:
    if _field(message, "role") in _TOOL_ROLES and not _field(message, "tool_responses"):
        return None  # OpenAI's tool messages bear the name of the tool
    name = _field(message, key)
    return name if isinstance(name, str) and name else None


def _is_tool_answer(message: Any) -> bool:
    return _field(message, "role") in _TOOL_ROLES or bool(_field(message, "tool_responses"))


def _says_something(message: Any) -> bool:
    return bool(_field(message, "content") or _field(message, "tool_calls"))


def _field(message: Any, key: str) -> Any:
    return message.get(key) if isinstance(message, dict) else None


def _fill_by_alternation(
    builder: TraceBuilder,
    authors: list[str | None],
    unnamed: set[int],
    tallies: dict[str, _Tally],
) -> None:
    """Where two speak in turn, a message without a name is by whoever did not speak before."""
    if len(tallies) != 2 or not unnamed:
        return
    one, two = tallies
    other = {one: two, two: one}
    first, named = next((index, name) for index, name in enumerate(authors) if name)
    # Who spoke before the first that is named follows from counting back.
    before = named if first % 2 else other[named]
    for index, name in enumerate(authors):
        if name is None and index in unnamed:
            name = authors[index] = other[before]
            tallies[name].alternating = True
            builder.note("inferred", "authors of messages without a name were found by alternation")
        before = name or before
