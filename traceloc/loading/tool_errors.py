"""Errors a source does not declare, read from what a tool returned.

Frameworks turn exceptions into text, and some report success as an exception. Both rules live here,
so that every loader tells an error from a control-flow signal in the same way.
"""

from __future__ import annotations

import re
from typing import Any

from traceloc.trace import ErrorKind, StepError

_LOOKED_AT = 4000
"""Characters read at each end of a result: errors stand at the start, tracebacks at the end."""

_CONTROL_FLOW_TYPES = (
    "ParentCommand",
    "GraphInterrupt",
    "NodeInterrupt",
    "GraphBubbleUp",
    "ModelRetry",
)
_CONTROL_FLOW_TEXT = re.compile(r"\s*(?:Command|ParentCommand|GraphInterrupt|Interrupt)\(")
_REJECTION = re.compile(
    r"The user doesn't want to (?:proceed|take this action)|\[Request interrupted by user|"
    r"user (?:rejected|denied|declined) (?:the|this) ",
    re.IGNORECASE,
)
_EXIT_CODE = re.compile(
    r"(?:\bexit(?:ed with)?[ _-]?code|\breturn ?code|<returncode>)[\"'\s:=>]{0,4}(-?\d{1,9})",
    re.IGNORECASE,
)
_SUCCEEDED = re.compile(
    r"\s{0,8}(?:<returncode>|(?:process )?exit(?:ed with)?[ _-]?code|return ?code)"
    r"[\"'\s:=>]{0,4}0(?!\d)",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\)|^[^\S\n]*panic: |\bException in thread ", re.MULTILINE
)
_EXCEPTION_LINE = re.compile(
    r"^(?P<type>(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Interrupt)): ?(?P<text>.*)", re.MULTILINE
)
_LEADING = re.compile(
    r"\s*[\[\(<\"'{]{0,2}(?:[a-z_ ]{0,24}\b)?(?:error|exception|failed|failure|fatal|invalid)\b"
    r"(?: \w+){0,4}\s*[:\-\]]",
    re.IGNORECASE,
)
_STATUS_FIELD = re.compile(
    r"[\"']status[\"']\s*:\s*[\"'](?:error|failed|failure)[\"']"
    r"|[\"'](?:success|ok)[\"']\s*:\s*(?:false|False)"
    r"|[\"']is_?error[\"']\s*:\s*(?:true|True)|[\"']error[\"']\s*:\s*[\"'{][^\"'}]",
    re.IGNORECASE,
)
_HTTP = re.compile(
    r"\b(?:HTTP(?:/\d(?:\.\d)?)?|status(?:[ _]code)?|response(?: code)?)[\s\"':=]{0,4}([45]\d\d)\b"
    r"|\b(4(?:00|01|03|04|05|08|09|22|29)|5(?:00|02|03|04))\s+(?:Bad Request|Unauthorized|Forbidden"
    r"|Not Found|Client Error|Method Not Allowed|Too Many Requests|Server Error"
    r"|Internal Server Error|Bad Gateway|Service Unavailable|Gateway)",
    re.IGNORECASE,
)
# A search without regard to case tries every character, and nearly all results show no error. So a
# search starts only where a part that all its matches have stands in the folded text: that takes a
# tenth of the time. Folding keeps the Turkish dotless i, which the searches take for an i: there is
# none in these parts.
_TRACEBACK_PARTS = ("Traceback (", "panic: ", "Exception in ")
_STATUS_FIELD_PARTS = ("error", "fa")
_HTTP_PARTS = (
    *("http", "status", "response", "error", "request", "gateway"),
    *("uthor", "forb", "not ", "unava"),
)
_KINDS: tuple[tuple[re.Pattern[str], ErrorKind], ...] = (
    (re.compile(r"tim(?:ed|e) ?-?out|deadline exceeded", re.IGNORECASE), "timeout"),
    (
        re.compile(
            r"permission|forbidden|unauthori[sz]ed|access denied|not allowed|guardrail ?tripwire",
            re.IGNORECASE,
        ),
        "permission",
    ),
    (
        re.compile(
            r"rate limit|quota|too many requests|max(?:imum)? (?:number of )?"
            r"(?:steps|turns|tokens|iterations|rounds)|context length"
            r"|(?:recursion|iteration|turn|step|request|token|tool calls)[ _]limit"
            r"|GraphRecursion|Max(?:Turns|Steps|Iterations?)(?:Exceeded|Error|Reached)"
            r"|(?:Usage|Turn|Step)?Limits?Exceeded",
            re.IGNORECASE,
        ),
        "limit",
    ),
    (re.compile(r"JSONDecode|parse error|parsing|SyntaxError|malformed", re.IGNORECASE), "parse"),
)


def declared_error(
    message: str, *, type: str | None = None, kind: ErrorKind | None = None
) -> StepError:
    """The error a source declares, with control flow told apart from failure."""
    if is_control_flow(message, type=type):
        kind = "control_flow"
    elif _REJECTION.search(message[:_LOOKED_AT]):
        kind = "user_rejection"
    kind = kind or error_kind(f"{type}: {message}" if type else message)
    return StepError(kind=kind, message=message[:_LOOKED_AT], type=type)


def is_control_flow(message: str, *, type: str | None = None) -> bool:
    """Whether an exception is a framework's way to hand over or pause, and no failure."""
    return bool(type and type.endswith(_CONTROL_FLOW_TYPES)) or bool(
        _CONTROL_FLOW_TEXT.match(message)
    )


def infer_error(text: str) -> StepError | None:
    """The error that a tool's result shows without declaring it, or ``None``.

    A result that only talks about errors (a web page, a file listing) is none: the mark must stand
    at its start, be a status field, a non-zero exit code, a traceback or an HTTP failure. What
    begins with an exit code of 0 succeeded, whatever it printed.
    """
    if _SUCCEEDED.match(text):
        return None
    if len(text) > 2 * _LOOKED_AT:
        text = f"{text[:_LOOKED_AT]}\n{text[-_LOOKED_AT:]}"
    folded = text.casefold()
    exit_code = _EXIT_CODE.search(text) if "code" in folded else None
    if exit_code and int(exit_code[1]) != 0:
        return _inferred(text, _last_exception(text) or f"exit code {exit_code[1]}")
    head = text[:600]
    if "user" in folded and _REJECTION.search(head):
        return StepError(kind="user_rejection", message=_line(text), declared=False)
    if _has(text, _TRACEBACK_PARTS) and _TRACEBACK.search(text):
        return _inferred(text, _last_exception(text) or _line(text))
    if _LEADING.match(text) or _EXCEPTION_LINE.match(text):
        return _inferred(text, _line(text))
    if _has(folded, _STATUS_FIELD_PARTS) and _STATUS_FIELD.search(head):
        return _inferred(head, _line(head))
    if len(text) < 1500 and _has(folded, _HTTP_PARTS) and (http := _HTTP.search(head)):
        return _inferred(head, _line(head[max(0, http.start() - 40) :]))
    return None


def _has(text: str, parts: tuple[str, ...]) -> bool:
    for part in parts:  # any() of a generator takes longer than all the rest of a short text
        if part in text:
            return True
    return False


def exit_error(code: int | None) -> StepError | None:
    """The error that a process's exit code shows."""
    if not code:
        return None
    # The code that timeout(1) gives to a process that was stopped.
    kind: ErrorKind = "timeout" if code == 124 else "tool"
    return StepError(kind=kind, message=f"exit code {code}", declared=False)


def result_error(value: Any) -> StepError | None:
    """The error in a structured result, such as ``{"status": "error"}`` or ``{"error": …}``."""
    if not isinstance(value, dict):
        return None
    status = str(value.get("status", "")).lower()
    error = value.get("error")
    bad = status in ("error", "failed", "failure") or value.get("is_error") is True
    bad = bad or value.get("success") is False or value.get("isError") is True
    if not bad and not (error and not isinstance(error, bool | int | float)):
        return None
    said = (value.get(key) for key in ("message", "error_message", "detail"))
    message = str(error or next(filter(None, said), None) or status or "error")
    return StepError(kind=error_kind(message), message=message[:_LOOKED_AT], declared=False)


def error_kind(message: str) -> ErrorKind:
    """The class of a failure by its words; ``tool`` where they say nothing."""
    for pattern, kind in _KINDS:
        if pattern.search(message[:600]):
            return kind
    return "tool"


def _inferred(text: str, message: str) -> StepError:
    exception = _last_exception(text)
    return StepError(
        kind=error_kind(message),
        message=message[:500],
        type=exception.partition(":")[0] if exception else None,
        declared=False,
    )


def _last_exception(text: str) -> str | None:
    found = list(_EXCEPTION_LINE.finditer(text))
    return found[-1][0] if found else None


def _line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:300]
