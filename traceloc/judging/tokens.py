"""A count of tokens that needs no download and does not come out too low.

Byte-level BPE, which current providers use in some form, splits text into words, numbers, runs of
punctuation and blanks, and never merges across them. Counted here: a word of ASCII letters as one
token for two letters, or as one a letter where case changes inside it or it is longer than any word
(a key, a hash); a digit and a mark as one each; a blank in front of something as none, each further
one and each line end as one; and everything beyond ASCII as one a byte, which no such tokenizer
exceeds. For English that is about twice the true number. What a provider counts replaces it after
the call.
"""

from __future__ import annotations

import re
import string

_WORD = re.compile(rb"(?<![A-Za-z])[A-Za-z][a-z]{0,19}(?![A-Za-z])")
_BLANKS = re.compile(rb"\s+")
_LETTERS = string.ascii_letters.encode()
_SPACES = b" \t\n\r\x0b\x0c"

MESSAGE_OVERHEAD = 16
"""Tokens that a provider may add around the messages of a prompt."""


def bound_tokens(text: str) -> int:
    """Tokens that ``text`` has at most; see the top of this module for what that rests on."""
    data = text.encode("utf-8", "replace")
    words = [len(word) for word in _WORD.findall(data)]
    unspaced = len(data.translate(None, _SPACES))
    marks = len(data.translate(None, _SPACES + _LETTERS))
    letters = unspaced - marks
    further = len(data) - unspaced - len(_BLANKS.findall(data))
    tokens = sum((length + 1) // 2 for length in words) + letters - sum(words)
    return tokens + marks + further + data.count(b"\n")
