"""The start of a file: what a loader looks at to decide whether it is its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from pydantic_core import from_json

HEAD_BYTES = 64 * 1024
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
BOMS = ((UTF8_BOM, "utf-8"), (UTF16_BOMS[0], "utf-16-le"), (UTF16_BOMS[1], "utf-16-be"))
_LINES_LOOKED_AT = 50
_BLANKS = dict.fromkeys(range(32), " ")


class Head:
    """What a loader may look at to decide whether a file is its own.

    Args:
        data: The first bytes, decompressed, at most 64 KiB.
        complete: Whether that is the whole file.
    """

    def __init__(self, data: bytes, *, complete: bool) -> None:
        self.data = data
        self.complete = complete
        # JSON with a NUL in it is damaged JSON, of which the rest can be read.
        self.is_binary = (
            b"\x00" in data
            and not data.startswith(UTF16_BOMS)
            and data.removeprefix(UTF8_BOM).lstrip()[:1] not in (b"{", b"[")
        )
        self.text = decode(data)[0].lstrip("\ufeff") if not self.is_binary else ""
        self.documents: tuple[Any, ...] = tuple(self._parse())
        """JSON documents found so far; the last one may be cut off."""

    @property
    def first(self) -> Any:
        """The first JSON document, ``None`` where there is none."""
        return self.documents[0] if self.documents else None

    @property
    def records(self) -> list[dict[str, Any]]:
        """The first objects: of a JSON list its items, of JSON lines the lines."""
        items = self.first if isinstance(self.first, list) else self.documents
        return [item for item in items if isinstance(item, dict)]

    @cached_property
    def is_json_lines(self) -> bool:
        """Whether there is one JSON document a line; the first line may be damaged."""
        first, *others = self._lines
        if not others:
            return not self.complete and _parses(first)
        if _parses(first):
            return True
        # Any but the last line may be cut off by what was read. A line of a pretty-printed list
        # may be an object too, but not all of them are.
        sure = others if self.complete else others[:-1]
        return bool(sure) and first[:1] == "{" and all(map(_is_object, sure[:5]))

    @cached_property
    def _lines(self) -> list[str]:
        """The first lines that hold anything; of no text one empty line."""
        lines = (line.strip() for line in self.text.lstrip().split("\n"))
        return list(islice(filter(None, lines), _LINES_LOOKED_AT)) or [""]

    def _parse(self) -> Iterator[Any]:
        if self._lines[0][:1] not in ("{", "["):
            return
        if len(self._lines) == 1 or not self.is_json_lines:
            yield from self._parse_document(self.text.lstrip())
            return
        for line in self._lines:
            try:
                yield from_json(line)
            except ValueError:
                continue

    def _parse_document(self, text: str) -> Iterator[Any]:
        try:
            yield from_json(text, allow_partial="trailing-strings")
            return
        except ValueError:
            pass
        try:
            # Several pretty-printed documents one after the other: the first will do.
            yield json.JSONDecoder(strict=False).raw_decode(text)[0]
            return
        except (ValueError, RecursionError):
            pass
        try:
            # Line breaks inside strings, which the parser refuses, and an end that is cut off.
            yield from_json(text.translate(_BLANKS), allow_partial="trailing-strings")
        except ValueError:
            return


def decode(data: bytes) -> tuple[str, int | None]:
    """Text, and the offset of the first byte that had to be replaced."""
    start, encoding = 0, "utf-8"
    for bom, name in BOMS:
        if data.startswith(bom):
            start, encoding = len(bom), name
            break
    try:
        return data[start:].decode(encoding), None
    except UnicodeDecodeError as error:
        return data[start:].decode(encoding, errors="replace"), start + error.start


def _parses(text: str) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _is_object(text: str) -> bool:
    return text[:1] == "{" and _parses(text)
