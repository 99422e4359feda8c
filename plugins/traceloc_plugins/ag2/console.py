"""What AG2 and classic AutoGen print: who speaks to whom, the words, a rule of dashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_HEADER = re.compile(r"^(?P<who>[^\s(][^\n(]{0,80}?) \(to (?P<to>[^)\n]{1,80})\):$", re.MULTILINE)
_CALL = re.compile(
    r"\*{5} Suggested (?:tool|function) call(?: \((?P<id>[^)\n]{0,80})\))?: "
    r"(?P<name>\S{1,120}) \*{3,}$"
)
_RESPONSE = re.compile(
    r"\*{5} Response from calling (?:tool|function) \((?P<id>[^)\n]{0,80})\) \*{3,}$"
)
_STARS = re.compile(r"\*{10,}$")
_RULE = "-" * 80
_END = re.compile(r"^>{8} TERMINATING RUN", re.MULTILINE)
_ASIDE = re.compile(r"^(?:>{8} |Next speaker: |\*{5} (?:Response|Suggested))", re.MULTILINE)


def looks_like_console(text: str) -> bool:
    """Whether a text was printed by AG2."""
    head = _ESCAPE.sub("", text[:65536])
    return _HEADER.search(head) is not None and (
        _RULE in head or "***** Suggested" in head or ">>>>>>>> " in head
    )


def read_console(text: str) -> Iterator[list[dict[str, Any]]]:
    """The messages of each chat."""
    text = _ESCAPE.sub("", text).replace("\r\n", "\n")
    start = 0
    for end in [*(match.start() for match in _END.finditer(text)), len(text)]:
        if messages := list(_messages(text[start:end])):
            yield messages
        start = end


def _messages(text: str) -> Iterator[dict[str, Any]]:
    headers = list(_HEADER.finditer(text))
    for number, header in enumerate(headers):
        end = headers[number + 1].start() if number + 1 < len(headers) else len(text)
        body = text[header.end() : end].strip("\n")
        message: dict[str, Any] = {"name": header["who"].strip(), "role": "assistant"}
        calls, answers = _framed(body)
        aside = _ASIDE.search(body)
        words = body[: aside.start()] if aside else body
        message["content"] = words.strip().removesuffix(_RULE).strip()
        if calls:
            message["tool_calls"] = calls
        if answers:
            message |= {"role": "tool", "tool_responses": answers}
        yield message


def _framed(body: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Calls and answers, which stand between a line with stars and a line of stars."""
    calls: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    inside: list[str] = []
    opened: re.Match[str] | None = None
    for line in body.split("\n"):
        start = _CALL.match(line) or _RESPONSE.match(line) if line.startswith("*****") else None
        if start is not None:
            opened, inside = start, []
        elif opened is not None and _STARS.match(line):
            text = "\n".join(inside)
            if opened.re is _CALL:
                arguments = text.partition("\n")[2] if text.startswith("Arguments:") else text
                function = {"name": opened["name"], "arguments": arguments}
                calls.append({"id": opened["id"], "function": function})
            else:
                answers.append({"tool_call_id": opened["id"], "role": "tool", "content": text})
            opened = None
        elif opened is not None:
            inside.append(line)
    return calls, answers
