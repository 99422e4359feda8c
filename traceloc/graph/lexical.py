"""Which words and values each step holds, and where each was first seen.

One regular-expression pass over each step, at most :data:`MAX_CHARACTERS` of it, interned into
integer arrays: linear in the trace, about a hundred bytes a step.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from traceloc.trace import Step

MAX_CHARACTERS = 8192
"""Read of one step; of a longer one its start and its end."""
_TAIL = 2048

_LINK = r"https?://[^\s\"'<>()\[\]{}|\\^`]+|[\w.+-]{1,64}+@[\w-]+(?:\.[\w-]+)+"
_PLAIN = r"\d+(?:[.,:/-]\d+)*%?|[^\W\d_][\w'\u2019]*(?:[-_.]\w+)*"
_TOKEN = re.compile(_PLAIN)
_TOKEN_OR_LINK = re.compile(f"{_LINK}|{_PLAIN}")
_OPENERS = frozenset(
    """a about above according actually after again agreed all also although always an and
    another any are as assuming at based be because before below both but by ca call can case
    check clearly code confirm confirmed consider correct could create currently did do does
    done each either error even every everybody everything example final finally find first
    firstly following for from further furthermore get given go good great have he hello hence
    her here hi his how however i if in indeed initially instead is it its just last lastly let
    like list look looking main make many maybe message more moreover most mr mrs ms my need
    neither next no none nor not note nothing now of ok okay on once one only or other
    otherwise our output over overall perhaps plan please possible problem provide question
    reason regarding remember result results return second secondly see set several she should
    similarly simply since so some sorry specifically start starting step steps still sub such
    suggested sum summary sure take task thank thanks that the their them then there therefore
    these they thinking third this those though thought three through thus to today total true
    try two under unfortunately unless until up update upon usage use user using value verify
    very was we well were what when whenever where whether which while who why will with
    without wo working would yes yet you your""".split()
)
"""Words that open sentences and lists: a capital does not make them names."""
_CONTRACTION = re.compile(r"(?:n['\u2019]t|['\u2019](?:s|ll|re|ve|d|m))$")
_IDENTIFIER = re.compile(r"[\d_.]")
_SMALL = 12
"""Integers up to this are counts and list numbers that anybody may write."""


class TokenKind(IntEnum):
    """What a token is; everything but ``WORD`` and ``SMALL`` is a value."""

    WORD = 0
    SMALL = 1
    NUMBER = 2
    NAME = 3
    IDENTIFIER = 4
    LINK = 5


class Origin(IntEnum):
    """Who first brought a token in."""

    TASK = 0
    HUMAN = 1
    SYSTEM = 2
    ENVIRONMENT = 3
    AGENT = 4
    INPUT = 5


def clip(text: str) -> str:
    """At most :data:`MAX_CHARACTERS` of a text: its start and its end."""
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{text[: MAX_CHARACTERS - _TAIL]}\n{text[-_TAIL:]}"


def tokenize(text: str) -> list[str]:
    """Words, numbers, identifiers and links of a text, in order."""
    # Looking for links at every word doubles the cost; most texts hold none.
    pattern = _TOKEN_OR_LINK if "@" in text or "://" in text else _TOKEN
    return pattern.findall(text)


def is_common(word: str) -> bool:
    """Whether a word says nothing by itself: articles, pronouns, words that open sentences."""
    return word.lower() in _OPENERS


class LexicalIndex:
    """Tokens of all steps as arrays.

    Attributes:
        tokens: Distinct token ids of all steps, one step after the other.
        offsets: ``tokens[offsets[i]:offsets[i + 1]]`` are those of step ``i``; length ``n + 1``.
        step_of: Step of each entry of ``tokens``.
        lengths: Number of tokens of each step, with repetitions.
        kinds: :class:`TokenKind` of each token id.
        first_step: Step that first holds each token id; -1 for the task.
        first_origin: :class:`Origin` of each token id.
        spelling: Each token as it was first written.
        frequency: Number of steps that hold each token id.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        content: Callable[[int], str],
        origins: Sequence[int],
        task: str | None,
    ) -> None:
        self._surface: dict[str, int] = {}
        self._canonical: dict[str, int] = {}
        self.spelling: list[str] = []
        self._kinds = bytearray()
        self._lower_seen = bytearray()
        self._first_step = array("i")
        self._first_origin = bytearray()
        flat, offsets, lengths = array("i"), array("q", [0]), array("i")
        if task:
            said = clip(task)
            self._intern(tokenize(said), said, step=-1, origin=Origin.TASK)
        for step in steps:
            index = step.index
            if step.inputs:
                for message in step.inputs:
                    if message.step is None and message.text:
                        said = clip(message.text)
                        self._intern(tokenize(said), said, step=index, origin=Origin.INPUT)
            text = content(index)
            tokens = tokenize(text)
            flat.extend(self._intern(tokens, text, step=index, origin=origins[index]))
            lengths.append(len(tokens))
            offsets.append(len(flat))
        self.tokens: NDArray[np.int32] = np.asarray(flat, dtype=np.int32)
        self.offsets: NDArray[np.int64] = np.asarray(offsets, dtype=np.int64)
        self.lengths: NDArray[np.int32] = np.asarray(lengths, dtype=np.int32)
        self.first_step: NDArray[np.int32] = np.asarray(self._first_step, dtype=np.int32)
        self.first_origin: NDArray[np.uint8] = np.frombuffer(bytes(self._first_origin), np.uint8)
        kinds = np.frombuffer(bytes(self._kinds), np.uint8).copy()
        lower = np.frombuffer(bytes(self._lower_seen), np.uint8)
        # A capital that also occurs in lower case only stood at the start of a sentence.
        kinds[(kinds == TokenKind.NAME) & (lower == 1)] = TokenKind.WORD
        self.kinds: NDArray[np.uint8] = kinds
        counts = np.diff(self.offsets)
        self.step_of: NDArray[np.int32] = np.repeat(np.arange(len(steps), dtype=np.int32), counts)
        self.frequency: NDArray[np.int64] = np.bincount(self.tokens, minlength=len(kinds))
        del self._surface, self._canonical, self._kinds, self._lower_seen
        del self._first_step, self._first_origin

    def ids(self, step: int) -> NDArray[np.int32]:
        """Distinct token ids of a step."""
        return self.tokens[self.offsets[step] : self.offsets[step + 1]]

    def spell(self, ids: Iterable[int]) -> list[str]:
        """Tokens as they were first written."""
        return [self.spelling[i] for i in ids]

    def values(self, step: int) -> NDArray[np.int32]:
        """Ids of the numbers, names, identifiers and links of a step."""
        ids = self.ids(step)
        return np.asarray(ids[self.kinds[ids] >= TokenKind.NUMBER], np.int32)

    def introduced(self, step: int) -> NDArray[np.int32]:
        """Ids of the values that no earlier step, input or the task holds."""
        ids = self.values(step)
        new = (self.first_step[ids] == step) & (self.first_origin[ids] != Origin.INPUT)
        return np.asarray(ids[new], np.int32)

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Number of entries of ``tokens`` under a mask, for each step: shape ``(n,)``."""
        n = len(self.offsets) - 1
        return np.bincount(self.step_of[mask], minlength=n).astype(np.float32)

    def _intern(self, tokens: list[str], text: str, *, step: int, origin: int) -> set[int]:
        get = self._surface.get
        found = set(map(get, tokens))
        if None not in found:
            return found  # type: ignore[return-value]
        for token in tokens:
            if token not in self._surface:
                self._surface[token] = self._add(token, text, step=step, origin=origin)
        return set(map(self._surface.__getitem__, tokens))

    def _add(self, token: str, text: str, *, step: int, origin: int) -> int:
        key, kind = _classify(token)
        if kind == TokenKind.NAME and _opens_sentence(token, text):
            kind = TokenKind.WORD
        known = self._canonical.get(key)
        if known is None:
            known = self._canonical[key] = len(self.spelling)
            self.spelling.append(token)
            self._kinds.append(kind)
            self._lower_seen.append(0)
            self._first_step.append(step)
            self._first_origin.append(origin)
        if kind == TokenKind.WORD:
            self._lower_seen[known] = 1
        return known


def _opens_sentence(token: str, text: str) -> bool:
    """Whether a token first stands where any word has a capital. A list item is no sentence."""
    before = text[: text.find(token)].rstrip(" \t")
    return not before or before[-1] in ".!?\n"


@lru_cache(maxsize=1 << 16)
def _classify(token: str) -> tuple[str, TokenKind]:
    """Canonical spelling and kind: ``1,200.0`` and ``1200`` are one number."""
    if token.isalpha() and token.islower():
        return token, TokenKind.WORD
    first = token[0]
    if first.isdigit():
        plain = token.rstrip("%").replace(",", "")
        if plain.isdecimal():
            plain = plain.lstrip("0") or "0"
        elif "." in plain and plain.replace(".", "", 1).isdecimal():
            plain = plain.rstrip("0").rstrip(".").lstrip("0") or "0"
        small = len(plain) <= 2 and plain.isdecimal() and int(plain) <= _SMALL
        return plain, TokenKind.SMALL if small else TokenKind.NUMBER
    if not token.isalpha():
        if "@" in token or "://" in token:
            return token.rstrip(".,;:!?/").lower(), TokenKind.LINK
        if _IDENTIFIER.search(token):
            return token.lower(), TokenKind.IDENTIFIER
    base = _CONTRACTION.sub("", token)
    if first.isupper() and base.lower() not in _OPENERS and not base.endswith("ing"):
        return base.lower(), TokenKind.NAME
    return base.lower(), TokenKind.WORD
