"""One JSON document for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic_core import to_json

from traceloc.report import REPORT_SCHEMA_VERSION, Report, ReportOptions
from traceloc.trace import Document

_ACTED_ON = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""What JSON lets stand raw and a terminal acts on; as ``\\uXXXX`` it is the same document."""


class JsonReporter:
    """``{"attributions": […], "problems": […], "summary": {…}}``, written as results come."""

    name = "json"
    api_version = 1

    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        """Yield the document piece by piece; it is valid JSON once it is through."""
        from traceloc import __version__

        version = to_json(__version__).decode()
        yield f'{{"schema_version":{REPORT_SCHEMA_VERSION},"traceloc":{version},"attributions":['
        for number, attribution in enumerate(report):
            yield ("\n" if number == 0 else ",\n") + dump(attribution)
        problems = ",\n".join(dump(problem) for problem in report.problems)
        summary = dump(report.summary)
        yield f'\n],"problems":[{problems}],"summary":{summary}}}\n'


def dump(document: Document) -> str:
    """A document as JSON on one line that is safe to look at on a terminal."""
    text = document.model_dump_json()
    return text if text.isascii() and "\x7f" not in text else _ACTED_ON.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
