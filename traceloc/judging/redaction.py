"""Takes secrets and personal data out of text before it leaves the machine.

Ordered patterns, names of keys, then the patterns of the user. What is taken out becomes a
placeholder such as ``<EMAIL_2>``: the same value gives the same placeholder throughout a trace, so
that a judge can still see that two steps used one address. Everything fails closed: where a pattern
cannot be applied, or the finished prompt still holds what looks like a secret, nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from traceloc.errors import UsageError
from traceloc.judgement import JudgeError

LONGEST = 65_536
"""Characters of one text that are looked at; the rest is cut before, not after."""
FOUND_BY_NAME = frozenset({"SECRET", "PASSWORD", "TOKEN"})
SHORTEST_BARE = 6
MOST_BARE = 200
"""Secrets of one trace; with more, something else is going on, and nothing is sent."""


class Pattern(NamedTuple):
    """One kind of thing that must not leave."""

    kind: str
    regex: re.Pattern[str]
    group: int = 0
    """What of the match is taken out."""
    hints: tuple[str, ...] = ()
    """One of them stands in every match, in lower case: a text without is not searched."""
    check: bool = True
    """Whether the finished prompt is searched for it once more."""


def _pattern(
    kind: str, regex: str, *hints: str, group: int = 0, flags: int = 0, check: bool = True
) -> Pattern:
    return Pattern(kind, re.compile(regex, flags), group, hints, check)


_KEY_NAMES = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|auth[_-]?key"
    r"|private[_-]?key|client[_-]?secret|session[_-]?(?:id|key)|cookie|credential|authorization"
)
# Every quantifier is bounded or followed by what it cannot match, so that none backtracks far.
PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "PRIVATE_KEY",
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}"
        r"(?:-----END [A-Z ]{0,40}KEY-----)?",
        "private key",
    ),
    _pattern("TOKEN", r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?", "eyj"),
    _pattern(
        "API_KEY",
        r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{12,}|\bASIA[0-9A-Z]{12,}"
        r"|\bgh[opsur]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
        r"|\bxox[abeoprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{30,}"
        r"|\bya29\.[\w-]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}",
        *("sk-", "sk_", "pk-", "pk_", "rk-", "rk_", "akia", "asia", "gh", "glpat", "xox", "aiza"),
        *("hf_", "npm_", "ya29", "sg."),
    ),
    _pattern(
        "TOKEN", r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,})", "bearer", "basic", group=1
    ),
    _pattern("PASSWORD", r"://[^\s/:@<>]{0,200}:([^\s/@<>]{1,200})@", "://", group=1),
    _pattern(
        "SECRET",
        rf"(?i)(?:\b|_)(?:{_KEY_NAMES})[\"']?\s{{0,4}}(?:=>|[:=])\s{{0,4}}"
        r"(?:\"([^\"\n<]{4,400})\"|'([^'\n<]{4,400})'"
        # The full stop behind a secret is not part of it.
        r"|((?!(?:bearer|basic)\s)[^\s\"'<>,;{}\[\]()]{5,399}[^\s\"'<>,;{}\[\]().:!?]))",
        *("pass", "pwd", "secret", "token", "key", "session", "cookie", "credential", "authoriz"),
        group=-1,
    ),
    _pattern("EMAIL", r"[\w.+%-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,250}\.[A-Za-z]{2,24}\b", "@"),
    _pattern("IBAN", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    _pattern("CARD", r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])"),
    _pattern("SSN", r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])", "-"),
    _pattern(
        "PHONE",
        r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,4}){1,4}"
        r"|\+\d{8,15}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-.]\d{3}[-.]\d{4})(?![\w-])",
        *("+", "(", "-", "."),
    ),
)
"""In order: what a former pattern took out is no longer there for a later one."""
_PLACEHOLDER = re.compile(r"<[A-Z]+(?:_[A-Z]+)*_\d+>")


class Redactor:
    """Masks the texts of one trace, and remembers which placeholder stands for what.

    Args:
        extra: Regular expressions of the user; what they match becomes ``<REDACTED_1>``.
    """

    def __init__(self, extra: tuple[Pattern, ...] = ()) -> None:
        self._patterns = (*PATTERNS, *extra)
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._bare: dict[str, str] = {}
        self._finder: re.Pattern[str] | None = None

    def mask(self, text: str) -> str:
        """``text`` without what must not leave.

        Raises:
            JudgeError: ``redaction``, where a pattern cannot be applied.
        """
        if not text:
            return text
        try:
            return self._mask(text)
        except JudgeError:
            raise
        except Exception as error:  # whatever goes wrong here, nothing may be sent
            raise JudgeError(
                "redaction", f"the text could not be masked: {type(error).__name__}"
            ) from error

    def _mask(self, text: str) -> str:
        lowered = text.lower()
        for pattern in self._patterns:
            if pattern.hints and not any(hint in lowered for hint in pattern.hints):
                continue
            text = pattern.regex.sub(partial(self._replace, pattern), text)
        return self._mask_bare(text)

    def _mask_bare(self, text: str) -> str:
        """Take out values that were found by the name beside them, where they stand without it."""
        if not self._bare:
            return text
        if len(self._bare) > MOST_BARE:
            raise JudgeError("redaction", f"holds more than {MOST_BARE} secrets")
        if self._finder is None:
            longest_first = sorted(self._bare, key=lambda value: (-len(value), value))
            self._finder = re.compile("|".join(map(re.escape, longest_first)))
        return self._finder.sub(lambda found: self._bare[found[0]], text)

    def _replace(self, pattern: Pattern, found: re.Match[str]) -> str:
        group = pattern.group
        if group < 0:
            group = next(i for i, value in enumerate(found.groups(), 1) if value is not None)
        value = found[group]
        if not value or _PLACEHOLDER.fullmatch(value) or not _is_meant(pattern.kind, value):
            return found[0]
        whole, begin = found[0], found.start()
        return (
            whole[: found.start(group) - begin]
            + self._name(pattern.kind, value)
            + whole[found.end(group) - begin :]
        )

    def _name(self, kind: str, value: str) -> str:
        key = (kind, value)
        if key not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[key] = f"<{kind}_{self._counts[kind]}>"
            # A plain word may be anybody's; what looks like nothing else is a secret anywhere.
            if kind in FOUND_BY_NAME and len(value) >= SHORTEST_BARE and not value.isalpha():
                self._bare[value] = self._names[key]
                self._finder = None
        return self._names[key]

    def check(self, text: str) -> None:
        """Make sure that a finished prompt holds nothing that must not leave.

        Raises:
            JudgeError: ``redaction``, naming the kind and never the value.
        """
        lowered = text.lower()
        for pattern in self._patterns:
            if not pattern.check:
                continue
            if pattern.hints and not any(hint in lowered for hint in pattern.hints):
                continue
            try:
                left = any(self._replace(pattern, f) != f[0] for f in pattern.regex.finditer(text))
            except Exception as error:
                raise JudgeError("redaction", "the prompt could not be checked") from error
            if left:
                raise JudgeError("redaction", f"the prompt still holds a {pattern.kind.lower()}")


def compile_patterns(expressions: Iterable[str]) -> tuple[Pattern, ...]:
    """The user's regular expressions as patterns.

    Raises:
        UsageError: ``TL605``, if one is no regular expression or matches nothing at all.
    """
    found = []
    for expression in expressions:
        try:
            regex = re.compile(expression)
        except re.error as error:
            raise UsageError(
                f"judge-redact: {expression!r} is no regular expression: {error}", code="TL605"
            ) from error
        if regex.match(""):
            raise UsageError(
                f"judge-redact: {expression!r} matches the empty text",
                code="TL605",
                hint="it would take out nothing, everywhere",
            )
        found.append(Pattern("REDACTED", regex))
    return tuple(found)


def _is_meant(kind: str, value: str) -> bool:
    if kind == "CARD":
        return _has_check_digit([int(c) for c in value if c.isdigit()])
    if kind == "IBAN":
        compact = value.replace(" ", "")
        moved = compact[4:] + compact[:4]
        return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
    return True


def _has_check_digit(digits: list[int]) -> bool:
    """Luhn: tells a card number from any long number in nine of ten cases."""
    if len(set(digits)) == 1:
        return False
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
