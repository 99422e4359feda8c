"""Every error a user can meet, with its code, its place and a hint.

Codes are stable and documented in ``docs/errors.md``:

* ``TL1xx`` reading input, ``TL2xx`` usage and settings,
* ``TL3xx`` plugins, ``TL4xx`` models and ranking, ``TL5xx`` stores, ``TL6xx`` judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the input something was found."""

    path: str
    """File as the user named it; ``-`` for standard input."""
    line: int | None = None
    """1-based line, where the format has lines."""
    byte: int | None = None
    """0-based byte offset in the decompressed data, where that says more than a line."""

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.path}:{self.line}"
        if self.byte is not None:
            return f"{self.path} (byte {self.byte})"
        return self.path


class TracelocError(Exception):
    """Base of every error that traceloc raises on purpose.

    Args:
        message: What was found and what was expected, in one line.
        code: Stable code such as ``TL103``.
        hint: What the user can do about it.
        location: Where in the input it happened.
    """

    default_code = "TL000"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        location: Location | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.location = location

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        return f"{place}{self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders when files are read in parallel.
        return _rebuild, (type(self), self.message, self.code, self.hint, self.location)


def _rebuild(
    kind: type[TracelocError],
    message: str,
    code: str,
    hint: str | None,
    location: Location | None,
) -> TracelocError:
    return kind(message, code=code, hint=hint, location=location)


class TraceFormatError(TracelocError):
    """The bytes are not a trace that can be read: the only error a loader may raise."""

    default_code = "TL100"


class UnknownFormatError(TraceFormatError):
    """No loader recognises the input, or several claim it equally."""

    default_code = "TL110"


class UsageError(TracelocError):
    """The caller asked for something that does not exist or does not fit."""

    default_code = "TL200"


class PluginError(TracelocError):
    """A plugin is missing, broken, ambiguous or does not satisfy its contract."""

    default_code = "TL300"


class ModelError(TracelocError):
    """A ranking model cannot be used with the signals at hand."""

    default_code = "TL400"


class StoreError(TracelocError):
    """A store of labels cannot be read or written; what it holds was left as it is."""

    default_code = "TL500"


def suggest(name: str, known: Iterable[str], *, listed: str) -> str:
    """The hint for a name that nothing has: the one that is closest, and what there is.

    Args:
        name: What was asked for.
        known: Names that there are.
        listed: All of them in words, such as ``there are: a, b``.
    """
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]!r}? {listed}" if close else listed
