"""The blocks of ChatDev's log: a time in brackets, a title, and what follows up to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

HEADER = re.compile(
    r"^\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<level>[A-Z]{4,8})\] ", re.MULTILINE
)
MARKS = re.compile(
    r"\*\*\[Preprocessing\]\*\*|\*\*\[chatting\]\*\*|\*\*\[RolePlaying\]\*\*|\bAgentTech Starts \("
    r"|AI Assistant \([^)\n]{1,60}\):"
)
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_ROW = re.compile(r"^\| \*\*(?P<key>\w{1,60})\*\* \| (?P<value>.*?) \|$", re.MULTILINE)


class Block(NamedTuple):
    """One block."""

    time: datetime | None
    level: str
    title: str
    body: str
    line: int


def read_blocks(text: str) -> Iterator[Block]:
    """The blocks of a log."""
    found = list(HEADER.finditer(text))
    line, counted = 1, 0
    for number, header in enumerate(found):
        line += text.count("\n", counted, header.start())
        counted = header.start()
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        title, _, body = _ESCAPE.sub("", text[header.end() : end]).partition("\n")
        yield Block(_time(header["time"]), header["level"], title.strip(), body.strip("\n"), line)


def read_table(body: str) -> dict[str, str]:
    """A table of parameters."""
    return {row["key"]: row["value"] for row in _ROW.finditer(body)}


def _time(text: str) -> datetime | None:
    """A time with the day before the month, as ChatDev writes it; it names no zone."""
    for form in ("%Y-%d-%m %H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
