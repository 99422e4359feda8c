"""Python literals as JSON: what frameworks leave behind that call ``str()`` on objects.

Read without Python's own parser: it warns about the text it is given, which only the whole process
can be kept from hearing, it needs a hundred times the text's size, and it builds dicts with keys
that no dict can have.
"""

from __future__ import annotations

import re
from typing import Any

MAX_DEPTH = 64
"""Lists and objects inside each other that are read."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<bytes>[bB]?)(?P<text>'[^'\\\n]*(?:\\.[^'\\\n]*)*'|"[^"\\\n]*(?:\\.[^"\\\n]*)*")
    |(?P<number>[+-]?[0-9.][\w.+-]*)
    |(?P<word>[A-Za-z_][\w.]*)
    |(?P<mark>[][{}(),:=])
    )\s*""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(0[0-9a-fA-F]{7})|(.))", re.DOTALL
)
_ESCAPED = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)) | {"\n": ""}
_ESCAPED |= {mark: mark for mark in "\\'\""}
_WORDS = {"None": None, "True": True, "False": False}
_CLOSING = {"[": "]", "(": ")", "{": "}"}


def read_literal(text: str, *, objects: bool = False) -> Any:
    """The value of a Python literal, as JSON.

    Tuples and sets become lists, keys text, bytes their own literal, lone surrogates ``?``.

    Args:
        text: Numbers, texts, ``None``, ``True``, ``False``, and lists, tuples, sets and dicts of
            them, as ``repr`` writes them.
        objects: Read ``Name(key=value)`` too, as an object of its fields.

    Raises:
        ValueError: If it is anything else, or nested deeper than ``MAX_DEPTH``.
    """
    return _Reader(text, objects=objects).read()


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str, *, objects: bool) -> None:
        self._text = text
        self._objects = objects
        self._place = 0
        self._token = self._next()

    def read(self) -> Any:
        value = self._value(MAX_DEPTH)
        if self._token is not None:
            raise self._strange()
        return value

    def _next(self) -> re.Match[str] | None:
        if self._place == len(self._text):
            return None
        found = _TOKEN.match(self._text, self._place)
        if found is None:
            raise self._strange()
        self._place = found.end()
        return found

    def _strange(self) -> ValueError:
        return ValueError(f"no Python literal at character {self._place}")

    def _take(self, kind: str) -> str | None:
        """The next token, if it is of this kind or this mark; then go on behind it."""
        found = None
        if self._token is not None:
            found = self._token["mark"] if kind in "[](){},:=" else self._token[kind]
        if found is None or (kind in "[](){},:=" and found != kind):
            return None
        self._token = self._next()
        return found

    def _value(self, depth: int) -> Any:
        if self._token is None or not depth:
            raise self._strange()
        if self._token["text"] is not None:
            return self._words()
        for opening, closing in _CLOSING.items():
            if self._take(opening):
                return self._inside(opening, closing, depth - 1)
        if number := self._take("number"):
            return int(number) if number.lstrip("+-").isdigit() else float(number)
        word = self._take("word")
        if word in _WORDS:
            return _WORDS[word]
        if word and self._objects and self._take("("):
            return self._fields(depth - 1)
        raise self._strange()

    def _words(self) -> str:
        """One text; several in a row are one, as ``pprint`` breaks them."""
        pieces = []
        while self._token is not None and self._token["text"] is not None:
            literal = self._token["text"]
            is_bytes = self._token["bytes"]
            pieces.append(f"b{literal}" if is_bytes else _ESCAPE.sub(_unescaped, literal[1:-1]))
            self._token = self._next()
        return "".join(pieces).encode("utf-8", "replace").decode()

    def _inside(self, opening: str, closing: str, depth: int) -> Any:
        items: list[Any] = []
        fields: dict[str, Any] = {}
        comma = True
        while not self._take(closing):
            if not comma:
                raise self._strange()
            value = self._value(depth)
            if opening == "{" and not items and self._take(":"):
                key = tuple(value) if isinstance(value, list) else value
                fields[str(key)] = self._value(depth)
            elif fields:
                raise self._strange()
            else:
                items.append(value)
            comma = self._take(",") is not None
        if opening == "(" and len(items) == 1 and not comma:
            return items[0]
        return fields if opening == "{" and not items else items

    def _fields(self, depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        comma = True
        while not self._take(")"):
            key = self._take("word")
            if not comma or key is None or not self._take("="):
                raise self._strange()
            fields[key] = self._value(depth)
            comma = self._take(",") is not None
        return fields


def _unescaped(found: re.Match[str]) -> str:
    octal, *codes, mark = found.groups()
    if octal:
        return chr(int(octal, 8))
    for code in codes:
        if code:
            return chr(min(int(code, 16), 0x10FFFF))
    return _ESCAPED.get(mark, found[0])
