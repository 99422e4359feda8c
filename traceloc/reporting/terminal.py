"""Trace text on a terminal: made visible, never obeyed.

Whatever an agent, a tool or a file name says is shown as text. Control characters, escape
sequences and bidirectional overrides become visible escapes, because a terminal would act on them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

ELLIPSIS = "…"
MAX_MARKS = 4
"""Combining marks in a row that are kept; more of them paint over the lines above and below."""

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that scripts and emoji need, and that no terminal acts on."""
_PLAIN = re.compile(r"[\x20-\x7e]*")
_SPACE = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_SAFE_IN_SHELL = re.compile(r"[\w@%+=:,./-][\w@%+=:,./#~-]*", re.ASCII)


def escape(text: str) -> str:
    r"""``text`` with everything a terminal would act on made visible, such as ``\x1b``."""
    if _PLAIN.fullmatch(text):
        return text
    pieces: list[str] = []
    marks = 0
    for char in text:
        if " " <= char <= "~":
            marks = 0
            pieces.append(char)
            continue
        marks = marks + 1 if _is_mark(char) else 0
        pieces.append(_visible(char) if _is_hostile(char) or marks > MAX_MARKS else char)
    return "".join(pieces)


def one_line(text: str, *, limit: int = 2000) -> str:
    """``text`` on one line: white space folded, the rest escaped.

    Args:
        text: Anything, of any length.
        limit: Characters looked at, so that a line of a megabyte costs nothing.
    """
    cut = text[: limit + 1]
    folded = _SPACE.sub(" ", cut[:limit]).strip()
    return escape(folded) + (ELLIPSIS if len(cut) > limit else "")


def clip(text: str, width: int) -> str:
    """``text`` cut to ``width`` columns, with an ellipsis where something is missing.

    The text must be escaped already.
    """
    if len(text) <= width and text.isascii():
        return text
    if display_width(text) <= width:
        return text
    if width <= 0:
        return ""
    return _prefix(text, width - 1).rstrip() + ELLIPSIS


def pad(text: str, width: int) -> str:
    """``text`` cut or filled to exactly ``width`` columns."""
    clipped = clip(text, width)
    return clipped + " " * (width - display_width(clipped))


def wrap(text: str, width: int) -> list[str]:
    """``text`` broken at spaces into lines of at most ``width`` columns; long words are broken."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if display_width(candidate) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        line = word
        while display_width(line) > width:
            head = _prefix(line, width) or line[0]
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line or not lines else lines


def display_width(text: str) -> int:
    """Columns that ``text`` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def pasteable(locator: str) -> str:
    """A locator as a shell takes it: escaped, and quoted where it holds more than plain letters."""
    if locator[:1] == "-" and len(locator) > 1 and locator[1] != "#" and locator[1] != ":":
        locator = f"./{locator}"  # else it would be taken for an option
    if _SAFE_IN_SHELL.fullmatch(locator):
        return locator
    if any(_is_hostile(char) for char in locator):
        # Only $'…' can name such a file, and there a backslash and a quote are special.
        return "$'" + escape(locator.replace("\\", "\\\\").replace("'", "\\'")) + "'"
    return "'" + escape(locator).replace("'", "'\"'\"'") + "'"


def _prefix(text: str, width: int) -> str:
    used = 0
    for end, char in enumerate(text):
        used += _char_width(char)
        if used > width:
            return text[:end]
    return text


@lru_cache(maxsize=4096)
def _char_width(char: str) -> int:
    if char < "\u0300":
        return 1
    if _is_mark(char) or char in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _is_mark(char: str) -> bool:
    return char >= "\u0300" and unicodedata.category(char) in ("Mn", "Me")


def _is_hostile(char: str) -> bool:
    if char in _JOINERS:
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Paint(NamedTuple):
    """Colours, or none of them."""

    on: bool

    def bold(self, text: str) -> str:
        """Strong."""
        return self._sgr("1", text)

    def dim(self, text: str) -> str:
        """Faint."""
        return self._sgr("2", text)

    def red(self, text: str) -> str:
        """The suspect."""
        return self._sgr("31", text)

    def green(self, text: str) -> str:
        """Nothing found."""
        return self._sgr("32", text)

    def yellow(self, text: str) -> str:
        """Not measured."""
        return self._sgr("33", text)

    def cyan(self, text: str) -> str:
        """Addresses of steps."""
        return self._sgr("36", text)

    def _sgr(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text


def bar(share: float, *, width: int, unicode: bool = True) -> str:
    """A bar of ``share`` (0 to 1) of ``width`` columns; what is above 0 shows at least a sliver."""
    share = min(1.0, max(0.0, share))
    if not unicode:
        return ("#" * max(round(share * width), int(share > 0))).ljust(width)
    eighths = max(round(share * width * 8), int(share > 0))
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + ("▏▎▍▌▋▊▉"[rest - 1] if rest else "")
    return drawn.ljust(width)
