"""Reads MetaGPT's ``team.json`` (often cut off while it was written) and its log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from traceloc.contracts import Content
from traceloc.loading import Head, Source, TraceBuilder, declared_error
from traceloc.loading.head import decode
from traceloc.trace import Trace
from traceloc_plugins.metagpt.teams import TeamReader, is_message, is_team, read_team
from traceloc_plugins.records import bounded, read_traces
from traceloc_plugins.spans.values import moment, nanoseconds

_LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) \| (?P<level>[A-Z]+) *\| "
    r"(?P<place>[\w.<>]+:[\w<>]+:\d+) - ",
    re.MULTILINE,
)
_PUBLISHED = re.compile(r"publish_message: ?(?=\{)")


class MetaGPTLoader:
    """Loader of MetaGPT's teams and logs."""

    name = "metagpt"
    api_version = 1
    capture: Mapping[Content, str] = {
        "task": "scan the log (`logs/*.txt`): its first message is the idea",
        "agents": "nothing to switch on: roles bear names; a file that is cut off has lost them",
        "instructions": "the profile and goal of a role are all that `team.json` holds of them",
        "schemas": "neither `team.json` nor the log holds them",
        "calls": "neither `team.json` nor the log holds them, apart from what roles say",
        "results": "neither `team.json` nor the log holds them, apart from what roles say",
        "inputs": "neither `team.json` nor the log holds it",
        "times": "scan the log (`logs/*.txt`), whose lines bear them; `team.json` has none",
        "usage": "neither `team.json` nor the log holds them by step",
    }

    def sniff(self, head: Head) -> float:
        """An environment with roles; lines of the log with the framework's modules."""
        if isinstance(head.first, dict) and is_team(head.first):
            return 0.95
        lines = [m for m in _LINE.finditer(head.text[:20_000])]
        marked = any(m["place"].startswith("metagpt.") for m in lines)
        return 0.9 if marked or (lines and _PUBLISHED.search(head.text)) else 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield a trace for each team or log."""
        for source in sources:
            if source.head().text.lstrip()[:1] in ("{", "["):
                yield from read_traces(self.name, [source], is_trace=is_team, read=read_team)
            else:
                yield from self._load_log(source)

    def _load_log(self, source: Source) -> Iterator[Trace]:
        text, _ = decode(source.read())
        builder = TraceBuilder(format=self.name, source=source.path, dialect="log")
        reader = TeamReader(builder)
        found = list(_LINE.finditer(text))
        for index, line in enumerate(found):
            end = found[index + 1].start() if index + 1 < len(found) else len(text)
            body = text[line.end() : end].strip()
            fields: dict[str, Any] = {
                "native_index": index,
                "timestamp": moment(nanoseconds(line["time"])),
            }
            published = _PUBLISHED.search(body[:200])
            message = _parsed(body[published.end() :]) if published else None
            if is_message(message):
                reader.add(bounded(message), **fields)
            elif line["level"] in ("ERROR", "CRITICAL"):
                builder.step(
                    kind="event",
                    role="system",
                    agent=builder.agent("MetaGPT", kind="system", attribution="role"),
                    text=body,
                    error=declared_error(body),
                    **fields,
                )
            else:
                builder.note("skipped", "lines of the log that publish no message")
        if builder.steps:
            yield builder.build(task=reader.turns.first_request)


def _parsed(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return None
