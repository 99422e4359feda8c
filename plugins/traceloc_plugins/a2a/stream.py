"""What a server sends while a task goes on, kept as it came: server-sent events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_FIELD = re.compile(r"(?:data|event|id|retry)?:")
"""How a line of a stream begins; one that begins with a colon is a comment."""


_LINE_END = re.compile(r"\r\n|\n|\r")


class SentEvent(NamedTuple):
    """The data of one event, and the 1-based line it begins on."""

    data: str
    line: int


def looks_like_stream(text: str) -> bool:
    """Whether a text begins as a stream of events does."""
    return _FIELD.match(text.lstrip()[:8]) is not None


def read_stream(text: str) -> Iterator[SentEvent]:
    """The events of a stream that carry data; its lines are joined as the standard says."""
    data: list[str] = []
    begins = 0
    for number, line in enumerate(_LINE_END.split(text), 1):
        if line.startswith("data:"):
            begins = begins or number
            data.append(line[5:].removeprefix(" "))
        elif not line.strip() and data:
            yield SentEvent("\n".join(data), begins)
            data, begins = [], 0
    if data:
        yield SentEvent("\n".join(data), begins)
