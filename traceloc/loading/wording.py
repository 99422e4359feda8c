"""The words of what a source keeps as parts, objects or JSON."""

from __future__ import annotations

from typing import Any

from traceloc.loading.bounding import as_json


def text_of(content: Any) -> str:
    """The words of a message content: a string, a list of parts, or anything else as JSON."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "\n".join(piece for part in content if (piece := _part_text(part)))
    if isinstance(content, dict):
        return _part_text(content)
    return as_json(content)


def _with_error(text: str, error: Any) -> str:
    """Words after the error that stands beside them: a failed tool may give both."""
    if not error or not isinstance(error, str | list | dict):
        return text
    told = text_of(error)
    return text if told in text else f"error: {told}\n{text}".rstrip()


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        for key in ("text", "content", "output_text", "input_text"):
            value = part.get(key)
            if isinstance(value, str | list):
                return _with_error(text_of(value), part.get("error"))
        kind = part.get("type")
        if isinstance(kind, str) and ("image" in kind or "audio" in kind or "file" in kind):
            return f"[{kind}]"
    return as_json(part)
