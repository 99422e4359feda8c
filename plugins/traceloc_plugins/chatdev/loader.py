"""Reads the logs of ChatDev 1: the three forms they had in 2023 and 2024."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, infer_error
from traceloc.loading.head import decode
from traceloc.trace import StepError, Trace, Usage
from traceloc_plugins.chatdev.blocks import HEADER, MARKS, Block, read_blocks, read_table
from traceloc_plugins.turns import Turns, model_error

_TURN = re.compile(
    r"(?P<who>[^:*\n]{1,60}): \*\*(?P<one>[^<\n]{1,60})<->(?P<two>[^*\n]{1,60}?) on : "
    r"(?P<phase>[^,\n]{1,80}), turn (?P<turn>\d{1,6})\*\*"
)
_OPENING = re.compile(r"(?P<who>[^:*\n]{1,60}): \*\*\[Start Chat\]\*\*")
_COLOURED = re.compile(r"\[(?P<turn>\d{1,6})\] AI (?:Assistant|User) \((?P<who>[^)\n]{1,60})\):?$")
_TITLE = re.compile(r"\*\*\[(?P<title>[^\]\n]{1,60})\]\*\*")
_FIELD = re.compile(r"\*\*(?P<key>task_prompt|project_name)\*\*: (?P<value>.*)")
_TOKENS = re.compile(r"(?P<key>prompt_tokens|completion_tokens|cost): \$?(?P<value>[\d.]{1,20})")
_HTTP = re.compile(r'HTTP Request: .*"HTTP/[\d.]+ (?P<status>[45]\d\d) [^"]*"|Retrying request')
_COMPANY = "ChatDev"


class ChatDevLoader:
    """Loader of ChatDev's logs."""

    name = "chatdev"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "only the form before August 2023 leaves it out; run a newer version",
        "instructions": "only the form before August 2023 leaves them out; run a newer version",
        "calls": "agents of ChatDev 1 call no tools: they write code, and the log says what "
        "became of it",
        "results": "reports of tests are in the log of a newer version; other results there are "
        "none",
        "inputs": "the format does not hold it",
        "usage": "only the form before August 2023 leaves them out; run a newer version",
    }

    def sniff(self, head: Head) -> float:
        """Lines that begin with a time in brackets, and titles of ChatDev's phases."""
        if not HEADER.match(head.text.lstrip()[:200]):
            return 0.0
        return 0.95 if MARKS.search(head.text) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each log."""
        for source in sources:
            text, bad = decode(source.read())
            if bad is not None:
                message = "is not valid UTF-8; the bytes were replaced"
                source.report(message, code="TL104", byte=bad)
            builder = TraceBuilder(format=self.name, source=source.path)
            reader = _Reader(builder)
            for index, block in enumerate(read_blocks(text)):
                reader.add(block, index)
            if builder.steps:
                yield reader.build()


class _Reader:
    def __init__(self, builder: TraceBuilder) -> None:
        self._builder = builder
        self._turns = Turns(builder)
        self._usage: deque[Usage] = deque(maxlen=64)
        self._roles: dict[str, str] = {}
        self._project: dict[str, str] = {}

    def build(self) -> Trace:
        """The trace."""
        if any(step.usage for step in self._builder.steps):
            self._builder.note("inferred", "tokens were given to turns in the order of the calls")
        task = self._project.pop("task_prompt", None) or self._turns.first_request
        return self._builder.build(task=task, attributes=dict(self._project))

    def add(self, block: Block, index: int) -> None:
        """Add a block; what is no turn is an event, or noted."""
        title, body = block.title, block.body
        fields: dict[str, Any] = {
            "native_index": index,
            "timestamp": block.time,
            "line": block.line,
        }
        if turn := _TURN.match(title):
            other = turn["two"] if turn["who"] == turn["one"] else turn["one"]
            attributes = {"phase": turn["phase"], "turn": int(turn["turn"])}
            self._say(turn["who"], _words(body), to=other, attributes=attributes, **fields)
        elif opening := _OPENING.match(title):
            self._open(opening["who"], body, fields)
        elif coloured := _COLOURED.match(title):
            attributes = {"turn": int(coloured["turn"])}
            self._say(coloured["who"], body, attributes=attributes, **fields)
        elif http := _HTTP.match(title):
            self._fail(title, fields, sure=http["status"] is not None)
        else:
            self._add_other(title, body, block, fields)

    def _say(self, who: str, text: str, *, to: str | None = None, **fields: Any) -> None:
        self._turns.say(
            who,
            text,
            to=(to,) if to else (),
            kind="message",
            usage=self._usage.popleft() if self._usage else None,
            **fields,
        )

    def _open(self, who: str, body: str, fields: dict[str, Any]) -> None:
        """A phase begins: its prompt is a form that the company fills in."""
        to = self._roles.get("assistant_role_name")
        if to == who:
            to = self._roles.get("user_role_name")
        phase = self._roles.get("phase_name")
        self._turns.introduce(who)
        self._builder.step(
            kind="handoff",
            role="user",
            agent=who,
            text=_words(body),
            to=(self._turns.introduce(to),) if to and to != who else (),
            flags=("synthetic",),
            attributes={"phase": phase} if phase else None,
            **fields,
        )

    def _add_other(self, title: str, body: str, block: Block, fields: dict[str, Any]) -> None:
        found = _TITLE.search(title)
        name = found["title"] if found else ""
        if name == "Preprocessing":
            self._project |= {m["key"]: m["value"].strip() for m in _FIELD.finditer(body)}
            if task := self._project.get("task_prompt"):
                self._turns.ask(task, **fields)
        elif name in ("chatting", "RolePlaying"):
            self._roles = read_table(body) or self._roles
            for side in ("assistant", "user"):
                role = self._roles.get(f"{side}_role_name")
                if role and (rules := self._roles.get(f"{side}_role_prompt")):
                    self._turns.introduce(role, instructions=rules)
            self._builder.note("skipped", "tables of parameters of phases")
        elif name.startswith("OpenAI_Usage_Info"):
            if tokens := {m["key"]: m["value"] for m in _TOKENS.finditer(body)}:
                self._usage.append(_usage(tokens))
        elif name in ("Update Codes", "Rewrite Codes", "Seminar Conclusion", "CMD Execute"):
            self._note_event(f"{name}\n{body}".strip(), body, fields)
        elif name.startswith("Test Report"):
            self._note_event(body or name, body, fields, error=infer_error(body))
        elif block.level in ("ERROR", "CRITICAL"):
            self._fail(f"{title}\n{body}".strip(), fields, sure=True)
        else:
            kind = name or ("terminated chats" if "terminated the chat" in title else "other lines")
            self._builder.note("skipped", f"blocks of the log: {kind}")

    def _note_event(
        self, text: str, body: str, fields: dict[str, Any], error: StepError | None = None
    ) -> None:
        """Something the company did with what was said."""
        words = body.strip()
        said = next((s.text for s in reversed(self._builder.steps) if s.role == "assistant"), "")
        self._builder.step(
            kind="event",
            role="tool",
            agent=self._builder.agent(_COMPANY, kind="tool", attribution="role"),
            text=text,
            error=error,
            flags=("duplicate",) if words and words in said else None,
            **fields,
        )

    def _fail(self, text: str, fields: dict[str, Any], *, sure: bool) -> None:
        if not sure:
            self._builder.note("note", "requests to the model that were tried again")
            return
        self._builder.step(
            kind="event",
            role="system",
            agent=self._builder.agent(_COMPANY, kind="tool", attribution="role"),
            text=text,
            error=model_error(text),
            **fields,
        )


def _words(body: str) -> str:
    """What was said, without the other side's prompt that stands before it in brackets."""
    text = body.strip()
    if text.startswith("["):
        end = text.find("]\n\n")
        text = text[end + 3 :] if end > 0 else text
    return text.strip()


def _usage(tokens: dict[str, str]) -> Usage:
    def number(key: str) -> int | None:
        value = tokens.get(key, "")
        return int(value) if value.isdecimal() else None

    try:
        cost = float(tokens["cost"]) if "cost" in tokens else None
    except ValueError:
        cost = None
    return Usage(input=number("prompt_tokens"), output=number("completion_tokens"), cost_usd=cost)
