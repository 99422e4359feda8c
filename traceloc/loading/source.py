"""Bytes on the way in: opened, decompressed, decoded and cut into JSON documents, with bounds.

Every loader reads through :class:`Source`, so that hostile input (bombs, endless lines, deep
nesting, broken encodings, cut files) is met in one place and each problem names file and line.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from pydantic_core import from_json

from traceloc.errors import Location, TraceFormatError
from traceloc.loading.expansion import EXPANSION_FLOOR as EXPANSION_FLOOR
from traceloc.loading.expansion import MAX_EXPANSION as MAX_EXPANSION
from traceloc.loading.expansion import expand
from traceloc.loading.head import HEAD_BYTES, UTF8_BOM, UTF16_BOMS, Head, decode

MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_DOCUMENT_BYTES = 1024 * 1024 * 1024
_LINE_BUFFER = 512 * 1024
"""Large, because long lines are put together from what it holds."""


class JsonRecord(NamedTuple):
    """One JSON document of a file and the line it starts on."""

    value: Any
    line: int | None


@dataclass
class Source:
    """One input file, or standard input.

    ``problems`` collects what could not be read while the rest still was.
    """

    path: str
    """As the user named it, for messages and locators."""
    content: bytes | None = None
    """The bytes, for input that is no file."""
    problems: list[TraceFormatError] = field(default_factory=list)
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    _head: Head | None = field(default=None, repr=False)
    _long_lines: bool | None = field(default=None, repr=False)

    def open(self, *, buffer: int = io.DEFAULT_BUFFER_SIZE) -> IO[bytes]:
        """A stream of the decompressed bytes; the caller closes it.

        Args:
            buffer: How many bytes of a plain file are read at once.

        Raises:
            TraceFormatError: If the file cannot be opened or its compression is not supported.
        """
        try:
            raw: IO[bytes] = (
                io.BytesIO(self.content)
                if self.content is not None
                else Path(self.path).open("rb", buffering=buffer)
            )
        except OSError as error:
            raise self.error(
                f"cannot be opened: {error.strerror or error}", code="TL101"
            ) from error
        return expand(raw, self.error)

    def head(self) -> Head:
        """The first 64 KiB, read once."""
        if self._head is None:
            with self.open() as stream:
                data = self._read(stream, HEAD_BYTES)
                goes_on = len(data) == HEAD_BYTES and self._goes_on(stream)
            self._head = Head(data, complete=not goes_on)
        return self._head

    def _goes_on(self, stream: IO[bytes]) -> bool:
        """Whether anything follows what was read; of a plain file its size says so."""
        if isinstance(stream, io.BufferedReader):
            return os.fstat(stream.fileno()).st_size > HEAD_BYTES
        return bool(self._guarded(stream, "read", 1))

    def read(self) -> bytes:
        """The whole content, up to the size limit.

        Raises:
            TraceFormatError: If it is larger than ``max_document_bytes``.
        """
        with self.open() as stream:
            data = self._read(stream, self.max_document_bytes + 1)
        if len(data) > self.max_document_bytes:
            raise self.error(
                f"one document is larger than {self.max_document_bytes >> 20} MiB",
                code="TL105",
                hint="write JSON lines, one trace or span a line",
            )
        return data

    def pieces(self, size: int) -> Iterator[bytes]:
        """The content in pieces of at most so many bytes; damage is a problem, and ends it."""
        with self.open() as stream:
            while piece := self._guarded(stream, "read", size):
                yield piece

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Non-empty lines with their 1-based numbers; an endless one is a problem and skipped."""
        with self.open(buffer=_LINE_BUFFER) as stream:
            number = 0
            while line := self._read_line(stream):
                number += 1
                if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                    self._skip_line(stream)
                    self.report(
                        f"line is longer than {MAX_LINE_BYTES >> 20} MiB", code="TL105", line=number
                    )
                elif line := line.strip():
                    yield number, line

    def documents(self) -> Iterator[JsonRecord]:
        """JSON documents one by one: of JSON lines each line, else the one or several in the file.

        A line that cannot be parsed is a problem and skipped. A single document that is cut off is
        a problem, and what stands before the cut is still given.

        Raises:
            TraceFormatError: If there is no JSON at all.
        """
        head = self.head()
        if not head.data.strip():
            raise self.error("is empty", code="TL106", byte=0)
        if head.is_binary:
            nul = head.data.index(b"\x00")
            raise self.error("is not JSON: it holds a NUL byte", code="TL103", byte=nul)
        if head.text.lstrip()[:1] not in ("{", "["):
            raise self.error("is not JSON", code="TL103", byte=0)
        if self.is_json_lines():
            yield from self._json_lines()
        else:
            yield from self._json_text()

    def is_json_lines(self) -> bool:
        """Whether the file holds one JSON document a line, and is read that way."""
        head = self.head()
        # A line break of UTF-16 is no byte of its own.
        if head.data.startswith(UTF16_BOMS):
            return False
        if head.is_json_lines or head.complete or b"\n" in head.data.strip():
            return head.is_json_lines
        if self._long_lines is None:
            self._long_lines = self._first_line_is_a_document()
        return self._long_lines

    def _first_line_is_a_document(self) -> bool:
        """Whether a first line that is longer than what is looked at holds a whole document."""
        with self.open() as stream:
            line = self._read_line(stream)
        if not line.endswith(b"\n"):
            return False
        try:
            from_json(line.removeprefix(UTF8_BOM))
        except ValueError:
            return False
        return True

    def document(self) -> Any:
        """The only, or first, JSON document.

        Raises:
            TraceFormatError: If there is none.
        """
        for record in self.documents():
            return record.value
        raise self.error("holds no JSON document", code="TL103")

    def report(
        self, message: str, *, code: str, line: int | None = None, byte: int | None = None
    ) -> None:
        """Note a problem that does not stop the reading."""
        problem = self.error(message, code=code, line=line, byte=byte)
        # The start of a file is read twice.
        if not self.problems or str(self.problems[0]) != str(problem):
            self.problems.append(problem)

    def error(
        self,
        message: str,
        *,
        code: str,
        line: int | None = None,
        byte: int | None = None,
        hint: str | None = None,
    ) -> TraceFormatError:
        """A :class:`TraceFormatError` located in this source."""
        return TraceFormatError(
            message, code=code, location=Location(self.path, line, byte), hint=hint
        )

    def _json_lines(self) -> Iterator[JsonRecord]:
        for number, line in self.lines():
            value = self._parse(line.removeprefix(UTF8_BOM), line=number)
            if value is not _BROKEN:
                yield JsonRecord(value, number)

    def _json_text(self) -> Iterator[JsonRecord]:
        head = self.head()
        data = head.data if head.complete else self.read()
        if not data.startswith((UTF8_BOM, *UTF16_BOMS)):
            try:
                value = from_json(data)
            except ValueError:
                pass
            else:
                del data
                yield JsonRecord(value, 1)
                return
        text, bad = decode(data)
        if bad is not None:
            self.report("is not valid UTF-8; the bytes were replaced", code="TL104", byte=bad)
        yield from self._concatenated(text.lstrip("\ufeff"))

    def _concatenated(self, text: str) -> Iterator[JsonRecord]:
        decoder = json.JSONDecoder(strict=False)  # some exporters leave line breaks in strings
        position, line, counted = 0, 1, 0
        end = len(text)
        while position < end:
            while position < end and text[position] in " \t\r\n,\x1e":
                position += 1
            if position >= end:
                return
            line += text.count("\n", counted, position)
            counted = position
            try:
                value, position = decoder.raw_decode(text, position)
            except RecursionError:
                self.report("is nested too deeply", code="TL107", line=line)
                return
            except ValueError as error:
                at = getattr(error, "pos", position)
                where = line + text.count("\n", counted, at)
                self.report(
                    f"JSON breaks off or is damaged: {_reason(error)}",
                    code="TL103",
                    line=where,
                )
                partial = _partial(text[position:])
                if partial is not None:
                    yield JsonRecord(partial, line)
                return
            yield JsonRecord(_without_surrogates(value), line)

    def _parse(self, data: bytes, *, line: int) -> Any:
        try:
            return from_json(data)
        except ValueError as error:
            reason = _reason(error)
        text, bad = decode(data)
        if bad is not None:
            self.report("is not valid UTF-8; the bytes were replaced", code="TL104", line=line)
        try:
            return _without_surrogates(json.loads(text, strict=False))
        except RecursionError:
            self.report("is nested too deeply", code="TL107", line=line)
        except ValueError:
            self.report(f"is not JSON: {reason}", code="TL103", line=line)
        return _BROKEN

    def _read(self, stream: IO[bytes], size: int) -> bytes:
        chunks, left = [], size
        while left > 0 and (chunk := self._guarded(stream, "read", min(left, 1 << 20))):
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)

    def _read_line(self, stream: IO[bytes]) -> bytes:
        return self._guarded(stream, "readline", MAX_LINE_BYTES + 1)

    def _skip_line(self, stream: IO[bytes]) -> None:
        while (piece := self._guarded(stream, "readline", 1 << 20)) and not piece.endswith(b"\n"):
            pass

    def _guarded(self, stream: IO[bytes], method: str, size: int) -> bytes:
        try:
            return cast("bytes", getattr(stream, method)(size))
        except (OSError, EOFError, zlib.error) as error:
            self.report(f"cannot be read further: {error}", code="TL101", byte=stream.tell())
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("zstandard", "zstd", "backend_c"):
                raise
            self.report(f"cannot be decompressed: {error}", code="TL101", byte=stream.tell())
        return b""


class _Broken:
    pass


_BROKEN = _Broken()


def _partial(text: str) -> Any:
    try:
        return _without_surrogates(from_json(text, allow_partial="trailing-strings"))
    except ValueError:
        return None


def _reason(error: ValueError) -> str:
    """What the parser says, without the line: it counts from where it was started."""
    message = getattr(error, "msg", None) or str(error).splitlines()[0]
    message = re.sub(r"(?: starting)? at$| at line \d+ column \d+$", "", message)
    return str(message)[:120]


def _without_surrogates(value: Any) -> Any:
    """The same value with lone surrogates replaced: they cannot be written as UTF-8 again."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return json.loads(text.decode("utf-8", "replace"))
    except (RecursionError, ValueError):
        return value
    return value


def read_stdin(path: str = "-") -> Source:
    """Standard input as a source."""
    return Source(path, content=sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1) if sys.stdin else b"")


def read_once(path: str) -> Source:
    """A pipe or device as a source: what it gives cannot be had a second time.

    Raises:
        TraceFormatError: If it cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return Source(path, content=stream.read(MAX_DOCUMENT_BYTES + 1))
    except OSError as error:
        raise Source(path).error(
            f"cannot be opened: {error.strerror or error}", code="TL101"
        ) from error
