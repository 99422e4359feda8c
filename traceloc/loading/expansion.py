"""Compressed bytes on the way in: told by their first bytes, expanded with a bound."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from typing import IO, Any, cast

from traceloc.errors import TraceFormatError

MAX_EXPANSION = 200
"""A compressed file that grows more than this, beyond ``EXPANSION_FLOOR``, is taken for a bomb."""
EXPANSION_FLOOR = 64 * 1024 * 1024

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def expand(raw: IO[bytes], error: Callable[..., TraceFormatError]) -> IO[bytes]:
    """The same stream, or what it holds if it is compressed.

    Args:
        raw: A stream at its start. What is given back closes it.
        error: Makes the error to raise.

    Raises:
        TraceFormatError: If the compression is not supported; later, if it is a bomb.
    """
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(GZIP_MAGIC):
        return cast("IO[bytes]", _Bounded(cast("Any", gzip.GzipFile(fileobj=raw)), raw, error))
    if magic == ZSTD_MAGIC:
        return cast("IO[bytes]", _Bounded(_zstd(raw, error), raw, error))
    return raw


def _zstd(raw: IO[bytes], error: Callable[..., TraceFormatError]) -> IO[bytes]:
    try:
        import zstandard
    except ImportError as missing:
        raw.close()
        raise error(
            "is compressed with zstd, which needs the 'zstandard' package",
            code="TL102",
            hint="pip install 'traceloc[zstd]'",
        ) from missing
    reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    return cast("IO[bytes]", reader)


class _Bounded(io.RawIOBase):
    """A decompressing stream that refuses to grow without measure."""

    def __init__(
        self, inner: IO[bytes], raw: IO[bytes], error: Callable[..., TraceFormatError]
    ) -> None:
        self._inner = inner
        self._raw = raw
        self._counting = _Counting(inner, raw, error)
        self._buffered = io.BufferedReader(cast("Any", self._counting), 1 << 16)

    def read(self, size: int = -1) -> bytes:
        # One piece at most: what was read before the damage would be lost with a whole one.
        return self._buffered.read1(size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._buffered.readline(-1 if size is None else size)

    def tell(self) -> int:
        return self._counting.given

    def close(self) -> None:
        self._inner.close()
        self._raw.close()
        super().close()


class _Counting(io.RawIOBase):
    def __init__(
        self, inner: IO[bytes], raw: IO[bytes], error: Callable[..., TraceFormatError]
    ) -> None:
        self._inner, self._raw, self._error = inner, raw, error
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = cast("Any", self._inner).read1(len(buffer))
        self.given += len(data)
        if self.given > EXPANSION_FLOOR and self.given > MAX_EXPANSION * max(1, self._raw.tell()):
            raise self._error(
                f"expands to more than {MAX_EXPANSION} times its size; refused as a possible bomb",
                code="TL108",
                byte=self.given,
            )
        buffer[: len(data)] = data
        return len(data)
