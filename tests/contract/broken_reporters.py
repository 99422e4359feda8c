"""Reporters with one flaw each, by the check that must find it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flaws import WORDS, Flaws
from sound_plugins import Plain

from traceloc.report import Report, ReportOptions

FLAWS = Flaws()


class Wrapping(Plain):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        yield self.change("".join(super().render(report, options=options)), options)

    def change(self, text: str, options: ReportOptions) -> str:
        raise NotImplementedError


class Quoting(Plain):
    """Shows the quote, through :meth:`show`."""

    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        for attribution in report:
            top = attribution.top
            yield f"{attribution.trace_id} " + self.show(top.quote if top else "") + "\n"

    def show(self, words: str) -> str:
        return words


@FLAWS.of("interface")
class NoOptions(Plain):
    def render(self, report: Report) -> Iterator[str]:  # type: ignore[override]
        yield ""


@FLAWS.of("gives_text")
class Bytes(Plain):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[Any]:
        for _ in report:
            yield b"x"


@FLAWS.of("reads_to_the_end")
class Lazy(Plain):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        yield f"{next(iter(report), None)}"


@FLAWS.of("answers_are_shown")
class FirstOnly(Plain):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        for number, attribution in enumerate(report):
            if number == 0:
                yield attribution.locator


FLAWS.found["controls_are_escaped"] = Quoting


@FLAWS.of("markup_is_escaped")
class Page(Quoting):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        yield "<!doctype html>"
        yield from super().render(report, options=options)


@FLAWS.of("documents_parse")
class HandMade(Plain):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        rows = [f'{{"id": "{each.trace_id}", "why": "{each.reason}"}}' for each in report]
        yield "[" + ",".join(rows) + "]"


@FLAWS.of("streams")
class Gathering(Plain):
    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        yield from [each.locator for each in list(report)]


@FLAWS.of("keeps_the_width")
class Wide(Wrapping):
    def change(self, text: str, options: ReportOptions) -> str:
        return text + "=" * (options.width + 1)


@FLAWS.of("colour_is_asked_for")
class Painted(Wrapping):
    def change(self, text: str, options: ReportOptions) -> str:
        return f"\x1b[31m{text}"


@FLAWS.of("ascii_is_asked_for")
class Fancy(Wrapping):
    def change(self, text: str, options: ReportOptions) -> str:
        return text + ("●●" if options.unicode else "●")


@FLAWS.of("same_again")
class Dated(Wrapping):
    def change(self, text: str, options: ReportOptions) -> str:
        return f"{text}{datetime.now(UTC)}"


@FLAWS.of("leaves_the_process_alone")
class Drawing(Wrapping):
    def change(self, text: str, options: ReportOptions) -> str:
        random.random()
        return text


@FLAWS.of("same_in_another_process")
class Bag(Wrapping):
    def change(self, text: str, options: ReportOptions) -> str:
        return text + " ".join(WORDS)
