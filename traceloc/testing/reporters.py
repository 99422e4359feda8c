"""Checks of reporters: escaped, streamed, within the width, and the same every time.

The kit has findings of its own; samples are further sequences of what a scan yields.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter

from traceloc.attribution import Attribution
from traceloc.report import IgnoredFile, Item, Passed, Problem, Report, ReportOptions
from traceloc.reporting.terminal import display_width
from traceloc.testing.findings import MARK, hostile_findings, located, plain_findings, silent
from traceloc.testing.violation import CheckSkipped, ContractViolation

NEEDS_SAMPLES = False
WIDTHS = (72, 100, 160)
_SGR = re.compile("\x1b\\[([0-9;]*)m")
_TAG = re.compile(r"<(?:script>alert|img src=x|b>)", re.IGNORECASE)
_KINDS: dict[str, type] = {
    each.__name__: each for each in (Attribution, Problem, Passed, IgnoredFile)
}


def prepare(samples: Sequence[Sequence[Item]]) -> tuple[tuple[Item, ...], ...]:
    """The author's findings, then the kit's."""
    return (*map(tuple, samples), plain_findings(), hostile_findings(), ())


def exercise(plugin: Any, samples: Sequence[Sequence[Item]]) -> list[str]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return [
        "\x1d".join(
            _render(plugin, items, options)
            for options in (
                ReportOptions(),
                ReportOptions(color=True, width=80),
                ReportOptions(unicode=False, details=1),
            )
        )
        for items in samples
    ]


def pack(samples: Sequence[Sequence[Item]]) -> Any:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return [
        [
            (
                type(item).__name__,
                base64.b64encode(TypeAdapter(type(item)).dump_json(item)).decode(),
            )
            for item in items
        ]
        for items in samples
    ]


def unpack(packed: Any) -> tuple[tuple[Item, ...], ...]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return tuple(
        tuple(
            TypeAdapter(_KINDS[name]).validate_json(base64.b64decode(data)) for name, data in each
        )
        for each in packed
    )


def check_gives_text(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """Rendering yields text that can be written as UTF-8, for no finding at all too."""
    for items in prepare(samples):
        for piece in plugin.render(Report(items), options=ReportOptions()):
            if not isinstance(piece, str):
                raise ContractViolation(
                    f"render yields {type(piece).__name__}", mend="yield pieces of text"
                )
            try:
                piece.encode()
            except UnicodeEncodeError as error:
                raise ContractViolation(
                    f"render yields text that is no UTF-8: {error}",
                    mend="replace lone surrogates: text.encode('utf-8', 'backslashreplace')",
                ) from error


def check_reads_to_the_end(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """Every finding is taken, so that counts and the exit code are right."""
    for items in prepare(samples):
        left = iter(items)
        _render(plugin, left, ReportOptions())
        if missed := len(list(left)):
            raise ContractViolation(
                f"{missed} of {len(items)} findings are never taken",
                mend="iterate over the whole report, even where little of it is shown",
            )


def check_streams(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """A piece comes for an answer before the next ones are asked for."""
    taken = 0

    def items() -> Iterator[Item]:
        nonlocal taken
        for number in range(50):
            taken = number + 1
            yield located(number)

    for piece in plugin.render(Report(items()), options=ReportOptions()):
        if "run-0" in piece:
            break
    else:
        raise CheckSkipped("answers are not shown one by one")
    if taken > 2:
        raise ContractViolation(
            f"the first answer comes after {taken} of 50 were taken",
            mend="yield inside 'for attribution in report', and counts after it",
        )


def check_controls_are_escaped(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """No control, escape or bidirectional character of a trace reaches the terminal."""
    for color in (False, True):
        text = _render(plugin, hostile_findings(), ReportOptions(color=color))
        plain = _SGR.sub("", text) if color else text
        for place, char in enumerate(plain):
            if char != "\n" and (_acts(char)):
                raise ContractViolation(
                    f"{char!r} of a trace stands in {plain[max(0, place - 30) : place + 10]!r}"
                    + (" (with colour)" if color else ""),
                    mend="pass words of a trace through one_line() or escape() of "
                    "traceloc.reporting.terminal",
                )
        if color and re.search("red\x1b|\x1b\\[31mred", text):
            raise ContractViolation(
                "a colour comes from the trace", mend="escape words before painting them"
            )


def check_markup_is_escaped(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """Markup in a trace stays text: in HTML and XML no tag of it is left."""
    text = _render(plugin, hostile_findings(), ReportOptions())
    is_markup = text.lstrip()[:1] == "<"
    if is_markup and (found := _TAG.search(text)):
        raise ContractViolation(
            f"{text[max(0, found.start() - 30) : found.end() + 20]!r} is live markup of a trace",
            mend="pass words of a trace through html.escape(), and JSON in a script through "
            "replacements of <, > and &",
        )
    for line in text.splitlines():
        if line.startswith("::") and "::error::gone" in line and not line.startswith("::error "):
            raise ContractViolation(
                f"a line of a trace is a command to a CI log: {line[:60]!r}",
                mend="put words of a trace on one line, with one_line()",
            )


def check_documents_parse(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """What is JSON, or a JSON document a line, for plain findings is so for hostile ones."""
    if not (parse := _parser(_render(plugin, plain_findings(), ReportOptions()))):
        raise CheckSkipped("the output is not JSON")
    for items in (*prepare(samples), hostile_findings(), ()):
        text = _render(plugin, items, ReportOptions())
        try:
            parse(text)
        except ValueError as error:
            raise ContractViolation(
                f"the output for {len(items)} findings is no JSON: {error}",
                mend="write JSON with a library, and separators between items only",
            ) from error


def check_keeps_the_width(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """A report that minds the width has no line beyond it."""
    # Without problems: a line that only counts may be longer, for scripts that look for it.
    items = (*map(located, range(3)), silent(0))
    shown = {w: _render(plugin, items, ReportOptions(width=w)) for w in WIDTHS}
    if len(set(shown.values())) == 1:
        raise CheckSkipped("the format has no width")
    for width, text in shown.items():
        for line in text.splitlines():
            if display_width(line) > width:
                raise ContractViolation(
                    f"a line of {display_width(line)} columns at width {width}: {line[:60]!r}",
                    mend="cut with clip() or wrap() of traceloc.reporting.terminal",
                )


def check_colour_is_asked_for(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """Without colour there is no escape sequence; with it the text is the same, and it ends."""
    plain = _render(plugin, plain_findings(), ReportOptions(color=False))
    if "\x1b" in plain:
        raise ContractViolation("there are escapes without colour", mend="obey options.color")
    painted = _render(plugin, plain_findings(), ReportOptions(color=True))
    if _SGR.sub("", painted) != plain:
        raise ContractViolation(
            "with colour the text is another one", mend="measure and cut before painting"
        )
    codes = _SGR.findall(painted)
    if codes and codes[-1] not in ("", "0"):
        raise ContractViolation("the last colour is never reset", mend="end with \\x1b[0m")


def check_ascii_is_asked_for(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """A report that minds what the target can show gives plain ASCII where it must."""
    full = _render(plugin, plain_findings(), ReportOptions())
    plain = _render(plugin, plain_findings(), ReportOptions(unicode=False))
    if plain == full:
        raise CheckSkipped("the format has no use for it")
    if not plain.isascii():
        char = next(c for c in plain if not c.isascii())
        raise ContractViolation(
            f"{char!r} is shown where only ASCII can be",
            mend="end with to_target() of traceloc.reporting.text",
        )


def check_answers_are_shown(plugin: Any, samples: Sequence[Sequence[Item]]) -> None:
    """Each located answer is there, by its locator or trace id, hostile words and all."""
    text = _render(plugin, plain_findings(), ReportOptions())
    if not any(f"run-{n}" in text for n in (0, 1, 2)):
        raise CheckSkipped("answers are not shown one by one")
    missing = [f"run-{n}" for n in (0, 1, 2) if f"run-{n}" not in text]
    if missing:
        raise ContractViolation(f"{missing} are not in the report", mend="show every answer")
    if MARK not in _render(plugin, hostile_findings(), ReportOptions()):
        raise ContractViolation(
            "an answer with strange words is not in the report", mend="escape, do not leave out"
        )


def _render(plugin: Any, items: Any, options: ReportOptions) -> str:
    return "".join(plugin.render(Report(items), options=options))


def _acts(char: str) -> bool:
    """Whether a terminal would act on it; joiners that scripts need are left alone."""
    if char in "\u200c\u200d":
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _parser(text: str) -> Any:
    def lines(text: str) -> None:
        for line in text.splitlines():
            json.loads(line)

    for parse in (json.loads, lines):
        try:
            if text.lstrip()[:1] in ("{", "["):
                parse(text)
                return parse
        except ValueError:
            continue
    return None


CHECKS = (
    check_gives_text,
    check_reads_to_the_end,
    check_answers_are_shown,
    check_controls_are_escaped,
    check_markup_is_escaped,
    check_documents_parse,
    check_streams,
    check_keeps_the_width,
    check_colour_is_asked_for,
    check_ascii_is_asked_for,
)
