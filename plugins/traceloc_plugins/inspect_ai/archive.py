"""Members of an ``.eval`` file, one by one, within bounds.

Recent versions compress members with Zstandard (method 93), which :mod:`zipfile` reads only from
Python 3.14 on. So only the directory is taken from there, and members are read here.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

from pydantic_core import from_json

from traceloc.loading import Source
from traceloc.loading.source import EXPANSION_FLOOR, MAX_EXPANSION

MAGIC = b"PK\x03\x04"
_HEADER = struct.Struct("<4s5H3I2H")
_STORED, _DEFLATED, _ZSTD = 0, 8, 93
_WRITTEN_LATER, _ENCRYPTED = 0x08, 0x01
_CHUNK = 1 << 16
MAX_MEMBERS = 1_000_000


class Member(NamedTuple):
    """A file inside the archive."""

    name: str
    offset: int
    """Of its own header."""
    size: int
    """Compressed."""
    method: int
    encrypted: bool


def is_archive(data: bytes) -> bool:
    """Whether a file starts like an ``.eval`` file."""
    if not data.startswith(MAGIC) or len(data) < _HEADER.size:
        return False
    length = _HEADER.unpack_from(data)[9]
    name = data[_HEADER.size : _HEADER.size + length]
    return name in (b"_journal/start.json", b"header.json") or (
        name.startswith((b"samples/", b"_journal/")) and name.endswith(b".json")
    )


class Archive:
    """The members of a source.

    Args:
        source: Where it is read from, and where problems are told.
        stream: Its bytes; must be able to seek.
    """

    def __init__(self, source: Source, stream: IO[bytes]) -> None:
        self._source = source
        self._stream = stream
        self._given = 0
        self._size = stream.seek(0, io.SEEK_END)
        self.members = {member.name: member for member in self._list()}

    def _list(self) -> Iterator[Member]:
        try:
            with zipfile.ZipFile(self._stream) as directory:
                for info in directory.infolist()[:MAX_MEMBERS]:
                    encrypted = bool(info.flag_bits & _ENCRYPTED)
                    place = (info.header_offset, info.compress_size)
                    yield Member(info.filename, *place, info.compress_type, encrypted)
                return
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError):
            self._source.report(
                "the archive's directory is damaged or missing; members are read in order",
                code="TL103",
            )
        yield from self._walk()

    def _walk(self) -> Iterator[Member]:
        """Members by their own headers, for a file that breaks off before its directory."""
        offset = 0
        for _ in range(MAX_MEMBERS):
            self._stream.seek(offset)
            head = self._stream.read(_HEADER.size)
            if len(head) < _HEADER.size or not head.startswith(MAGIC):
                return
            _, _, flags, method, _, _, _, size, _, length, extra = _HEADER.unpack(head)
            name = self._stream.read(length).decode("utf-8", "replace")
            after = offset + _HEADER.size + length + extra + size
            if flags & _WRITTEN_LATER or after > self._size:
                return  # its length stands behind it, or the file ends inside it
            yield Member(name, offset, size, method, bool(flags & _ENCRYPTED))
            offset = after

    def json(self, name: str) -> Any:
        """A member as JSON; ``None``, and a problem, where it cannot be read.

        Raises:
            TraceFormatError: If Zstandard is needed and not installed, or the archive is a bomb.
        """
        member = self.members[name]
        data = self._read(member)
        if data is None:
            return None
        try:
            return from_json(data)
        except ValueError as error:
            reason = str(error).splitlines()[0][:120]
            self._source.report(f"member {name!r} is not JSON: {reason}", code="TL103")
        try:
            return from_json(data, allow_partial="trailing-strings")
        except ValueError:
            return None

    def _read(self, member: Member) -> bytes | None:
        if member.encrypted or member.method not in (_STORED, _DEFLATED, _ZSTD):
            self._source.report(
                f"member {member.name!r} is encrypted or compressed in an unknown way "
                f"(method {member.method})",
                code="TL102",
            )
            return None
        pieces: list[bytes] = []
        try:
            for piece in self._pieces(member):
                self._given += len(piece)
                if self._given > max(EXPANSION_FLOOR, MAX_EXPANSION * self._size):
                    raise self._source.error(
                        f"expands to more than {MAX_EXPANSION} times its size; "
                        "refused as a possible bomb",
                        code="TL108",
                    )
                pieces.append(piece)
        except (OSError, ValueError, zlib.error, struct.error) as error:
            self._report_damage(member, error)
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("zstandard", "zstd", "backend_c"):
                raise
            self._report_damage(member, error)
        return b"".join(pieces) or None

    def _report_damage(self, member: Member, error: Exception) -> None:
        self._source.report(f"member {member.name!r} is damaged: {error}", code="TL101")

    def _pieces(self, member: Member) -> Iterator[bytes]:
        self._stream.seek(member.offset)
        head = self._stream.read(_HEADER.size)
        if not head.startswith(MAGIC):
            raise ValueError("no header where the directory says it is")
        length, extra = _HEADER.unpack(head)[9:]
        self._stream.seek(length + extra, io.SEEK_CUR)
        raw = _Window(self._stream, member.size)
        if member.method == _STORED:
            while piece := raw.read(_CHUNK):
                yield piece
        elif member.method == _DEFLATED:
            inflate = zlib.decompressobj(-15)
            while piece := raw.read(_CHUNK):
                yield inflate.decompress(piece, _CHUNK * 16)
                while inflate.unconsumed_tail:
                    yield inflate.decompress(inflate.unconsumed_tail, _CHUNK * 16)
        else:
            yield from self._unpack(raw)

    def _unpack(self, raw: _Window) -> Iterator[bytes]:
        try:
            import zstandard
        except ImportError as error:
            raise self._source.error(
                "its members are compressed with zstd, which needs the 'zstandard' package",
                code="TL102",
                hint="pip install 'traceloc[zstd]'",
            ) from error
        unpack = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        reader = unpack.stream_reader(cast("IO[bytes]", raw), read_across_frames=True)
        while piece := reader.read(_CHUNK * 4):
            yield piece


class _Window(io.RawIOBase):
    """So many bytes of a stream, from where it stands."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted)
        self._left -= len(data)
        return data
